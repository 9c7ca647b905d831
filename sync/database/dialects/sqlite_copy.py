"""Copies a SQLite file, above all before a migration."""

from __future__ import annotations

import filecmp
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sync.core.disk import flush_file, flush_folder
from sync.core.errors import DatabaseUnusable, Interrupted
from sync.database.dialects.sqlite_file import open_file

_PAGES = 1000  # pages copied between two checks of `stop`


@contextmanager
def kept_copy(file: Path, revision: str, stop: threading.Event | None = None) -> Iterator[Path]:
    """Keep a copy of `file`, and yield its path.

    The caller holds the file's write lock, so that the file does not change meanwhile. The copy
    gets its name only when it is complete, and replaces no other file. An equal copy is used
    again, so that retries do not fill the disk; a new one is deleted if the block fails, since
    nothing has changed then. Raises DatabaseUnusable, Interrupted.
    """
    partial = file.with_name(f"{file.name}.{revision}.bak.partial")
    reason = None
    try:
        partial.unlink(missing_ok=True)  # left by a process that was killed
        _write(file, partial, stop or threading.Event())
        copy, made = _settle(file, revision, partial)
    except OSError as error:
        reason = error.strerror or str(error)
    except sqlite3.Error as error:
        reason = str(error)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    if reason is not None:
        raise DatabaseUnusable(
            f"{file}: cannot be copied to this folder before its migration: {reason}; nothing was "
            "changed; make room for a copy, and let this user write there"
        )
    try:
        yield copy
    except BaseException:
        if made:
            with suppress(OSError):
                copy.unlink()
        raise


def copy_pages(source: sqlite3.Connection, copy: Path, stop: threading.Event) -> None:
    """Copy a database to an empty file. Raises sqlite3.Error, Interrupted once `stop` is set."""

    def look(_status: int, _remaining: int, _total: int) -> None:
        if stop.is_set():
            raise Interrupted("stopped while the database was copied")

    with closing(open_file(copy, "rw")) as target:
        # No journal and no flush: nobody reads an incomplete copy, and `_write` flushes it.
        target.execute("PRAGMA journal_mode = OFF")
        target.execute("PRAGMA synchronous = OFF")
        source.backup(target, pages=_PAGES, progress=look, sleep=0)


def _write(file: Path, partial: Path, stop: threading.Event) -> None:
    mode = _make(partial, like=file)
    with closing(open_file(file, "ro")) as source:
        copy_pages(source, partial, stop)
    partial.chmod(mode)
    flush_file(partial)


def _make(partial: Path, like: Path) -> int:
    """Create an empty file that only its owner can read; return its final mode."""
    status = like.stat()
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with suppress(OSError, AttributeError):  # only root may; Windows has no such function
            os.fchown(handle, status.st_uid, status.st_gid)
        made = os.fstat(handle)
    finally:
        os.close(handle)
    # With another owner or group, the original's mode could let other users read it.
    same = (made.st_uid, made.st_gid) == (status.st_uid, status.st_gid)
    return status.st_mode & (0o666 if same else 0o600)


def _settle(file: Path, revision: str, partial: Path) -> tuple[Path, bool]:
    """Give a complete copy its name; return its path, and whether it is new."""
    before, copy, number = None, file.with_name(f"{file.name}.{revision}.bak"), 1
    while os.path.lexists(copy):
        number += 1
        before, copy = copy, file.with_name(f"{file.name}.{revision}.{number}.bak")
    if before is not None and before.is_file() and filecmp.cmp(partial, before, shallow=False):
        return before, False
    partial.rename(copy)
    flush_folder(copy.parent)
    return copy, True
