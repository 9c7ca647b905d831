"""Files that a command writes for its user."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sync.errors import ConfigError


@contextmanager
def replacing(file: Path) -> Iterator[BinaryIO]:
    """Yield a stream whose content becomes that of `file` once all of it is written.

    Until then, and if it fails, a file that was there stays as it was. What is
    no ordinary file, such as a named pipe, is written to. Raises ConfigError if
    it cannot be begun.
    """
    target, partial = file, None
    try:
        mode = file.stat().st_mode if file.exists() else None
        if mode is not None and not os.access(file, os.W_OK):
            raise PermissionError(13, "Permission denied")  # it could be replaced all the same
        if mode is None or stat.S_ISREG(mode):
            target = Path(os.path.realpath(file))  # a link stays a link
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
    except BaseException:
        if partial is not None:
            partial.unlink(missing_ok=True)
        raise
