"""Reads files that users name: expands `~`, and decodes their text."""

from __future__ import annotations

import codecs
import math
import os
import threading
from pathlib import Path

from sync.core.waiting import read


def at_home(path: str) -> str:
    """Return `path` with `~` at its beginning replaced by the home folder, as in a shell."""
    return os.path.expanduser(path)  # noqa: PTH111  # Path.expanduser raises without a home


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
