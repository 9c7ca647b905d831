"""The end of the process: first it finishes critical work and removes temporary folders.

Critical work is saving a renewed token after the old one is spent. Nothing here takes a lock,
since a signal may be handled at any moment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_under_way: set[object] = set()
_codes: list[int] = []  # exit codes given to `end_process` during critical work
_folders: set[str] = set()  # temporary folders to remove


@contextmanager
def finished_first() -> Iterator[None]:
    """Let the block finish before `end_process` ends the process."""
    part = object()
    _under_way.add(part)
    try:
        yield
    finally:
        _under_way.discard(part)
        if _codes:
            end_process(_codes[0])


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """Yield a new folder that only this user can read, and remove it at the end.

    Also if `end_process` ends the process first. Raises OSError.
    """
    from tempfile import TemporaryDirectory  # slow to import

    with TemporaryDirectory(prefix=prefix) as name:
        _folders.add(name)
        try:
            yield Path(name)
        finally:
            _folders.discard(name)


def end_process(code: int) -> None:
    """End the process at once, or after the critical work under way."""
    _codes.append(code)
    if not _under_way:
        for name in tuple(_folders):
            from shutil import rmtree

            rmtree(name, ignore_errors=True)
        os._exit(_codes[0])
