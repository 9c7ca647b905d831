"""Flushes files and folders to the disk, so that they survive a loss of power."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def flush_file(path: Path) -> None:
    """Flush the file's content to the disk. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def flush_folder(path: Path) -> None:
    """Flush the names in a folder to the disk, after a file was renamed or removed.

    Errors are ignored: some file systems do not support it, and Windows opens no folders.
    """
    with suppress(OSError):
        flush_file(path)
