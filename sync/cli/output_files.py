"""Files that a command writes for its user."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sync.core.disk import flush_folder
from sync.core.errors import ConfigError


@contextmanager
def replacing(file: Path) -> Iterator[BinaryIO]:
    """Yield a stream whose content replaces that of `file` when all of it is written.

    Until then, and if writing fails, an existing file is unchanged. A special file, such
    as a named pipe, is written to directly. Raises ConfigError if `file` cannot be opened.
    """
    target, partial = file, None
    try:
        mode = file.stat().st_mode if file.exists() else None
        if mode is not None and not os.access(file, os.W_OK):
            raise PermissionError(13, "Permission denied")  # although it could be replaced
        if mode is None or stat.S_ISREG(mode):
            target = Path(os.path.realpath(file))  # so that a symbolic link is kept
            partial = target.with_name(f".{os.urandom(6).hex()}.partial")
        stream = target.open("wb") if partial is None else partial.open("xb")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror}") from None
    try:
        with stream:
            yield stream
            if partial is not None:
                stream.flush()
                os.fsync(stream.fileno())
        if partial is not None:
            if mode is not None:
                partial.chmod(stat.S_IMODE(mode))
            partial.replace(target)
            flush_folder(target.parent)
    except BaseException:
        if partial is not None:
            partial.unlink(missing_ok=True)
        raise


@contextmanager
def as_stdout(stream: BinaryIO) -> Iterator[None]:
    """Redirect the output to a stream, in UTF-8 on every machine."""
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="backslashreplace", newline="\n")
    try:
        with contextlib.redirect_stdout(text):
            yield
        text.detach()
    except BaseException:
        with contextlib.suppress(OSError):  # the disk is still full
            text.close()
        raise
