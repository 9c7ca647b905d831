"""Reads files that users name: expands `~`, and decodes their text."""

from __future__ import annotations

import codecs
import math
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from sync.core.waiting import read


def at_home(path: str) -> str:
    """Return `path` with `~` at its beginning replaced by the home folder, as in a shell."""
    return os.path.expanduser(path)  # noqa: PTH111  # Path.expanduser raises without a home


def users_own(environ: Mapping[str, str]) -> list[Path]:
    """Return where the user's own configuration would be; nowhere without a home folder."""
    home, windows = at_home("~"), environ.get("APPDATA")
    if sys.platform == "win32":
        folder = Path(windows) if windows else None
    elif os.path.isabs(environ.get("XDG_CONFIG_HOME", "")):  # noqa: PTH117  # a text, maybe empty
        folder = Path(environ["XDG_CONFIG_HOME"])
    elif not os.path.isabs(home):  # noqa: PTH117  # likewise
        folder = None
    elif sys.platform == "darwin":
        folder = Path(home, "Library", "Application Support")
    else:
        folder = Path(home, ".config")
    return [folder / "repoledger" / "config.toml"] if folder else []


def read_text(
    file: str | Path,
    *,
    limit: int,
    patience: float = math.inf,
    stop: threading.Event | None = None,
) -> str:
    """Return a file's text, of at most `limit` bytes. Raises OSError, ValueError.

    The limit is for wrong paths, such as a device without an end. Waits for a pipe: for
    `patience` seconds (Unanswered), or until a signal or `stop` (Interrupted).
    """
    with open(file, "rb", buffering=0, opener=_at_once) as stream:  # Path.open has no opener
        content = read(stream, limit, patience=patience, stop=stop)
    if len(content) > limit:
        raise ValueError(f"it is longer than {limit // 1024} KiB")
    return decoded(content)


def decoded(content: bytes) -> str:
    """Return text in UTF-8, or in UTF-16, as Windows writes it. Raises ValueError."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    if b"\0" not in content:
        return content.decode("utf-8-sig")
    for encoding, high in (("utf-16-le", content[1::2]), ("utf-16-be", content[::2])):
        if not any(high):
            return content.decode(encoding)
    raise ValueError("it contains NUL characters, so it is not UTF-8 text")


def _at_once(file: str, flags: int) -> int:
    """Open a file; a pipe without waiting for its writer, since that wait ignores a stop."""
    return os.open(file, flags | os.O_NONBLOCK)
