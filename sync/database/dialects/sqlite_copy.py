"""The copy of a SQLite file that is kept before its schema is changed."""

from __future__ import annotations

import filecmp
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sync.errors import DatabaseUnusable, Interrupted

_PAGES = 1000  # that are copied between two looks at whether to stop

Open = Callable[[Path, str], sqlite3.Connection]


@contextmanager
def kept_copy(
    file: Path, revision: str, open_: Open, stop: threading.Event | None = None
) -> Iterator[Path]:
    """Keep a copy of `file` as it is now, and yield where it is.

    For whoever holds the file's write lock: nothing changes meanwhile, and
    nobody else makes a copy. Under its own name there is always a whole copy, and never
    one that was there before. One that holds the same is used again, so that
    retries do not fill the disk; one made here goes if the block fails, since
    nothing has changed then. Raises DatabaseUnusable, Interrupted.
    """
    partial = file.with_name(f"{file.name}.{revision}.bak.partial")
    reason = None
    try:
        partial.unlink(missing_ok=True)  # of a process that was killed
        _write(file, partial, open_, stop or threading.Event())
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


def _write(file: Path, partial: Path, open_: Open, stop: threading.Event) -> None:
    def look(_status: int, _remaining: int, _total: int) -> None:
        if stop.is_set():
            raise Interrupted("stopped while the database was copied before its migration")

    mode = _make(partial, like=file)
    with closing(open_(file, "ro")) as source, closing(open_(partial, "rw")) as target:
        # Nobody reads it before it is whole, and it is brought to the disk below.
        target.execute("PRAGMA journal_mode = OFF")
        target.execute("PRAGMA synchronous = OFF")
        source.backup(target, pages=_PAGES, progress=look, sleep=0)
    partial.chmod(mode)
    _to_disk(partial)


def _make(partial: Path, like: Path) -> int:
    """Make an empty file that nobody else can read yet; return the mode that it may have later."""
    status = like.stat()
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with suppress(OSError, AttributeError):  # a right of root's; there is none on Windows
            os.fchown(handle, status.st_uid, status.st_gid)
        made = os.fstat(handle)
    finally:
        os.close(handle)
    # With another owner or group, the same mode would let others read it.
    same = (made.st_uid, made.st_gid) == (status.st_uid, status.st_gid)
    return status.st_mode & (0o666 if same else 0o600)


def _settle(file: Path, revision: str, partial: Path) -> tuple[Path, bool]:
    """Give a whole copy its name; return that, and whether it is a new one."""
    before, copy, number = None, file.with_name(f"{file.name}.{revision}.bak"), 1
    while os.path.lexists(copy):
        number += 1
        before, copy = copy, file.with_name(f"{file.name}.{revision}.{number}.bak")
    if before is not None and before.is_file() and filecmp.cmp(partial, before, shallow=False):
        return before, False
    partial.rename(copy)
    _to_disk(copy.parent)
    return copy, True


def _to_disk(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folders
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
