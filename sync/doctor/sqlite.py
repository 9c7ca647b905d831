"""The checks of a SQLite file, and of the disk that it is on."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sync.database.dialects.sqlite import Sqlite
from sync.database.dialects.sqlite_file import open_file, second_name
from sync.doctor.check_list import Finding, Stop, fail, warn

_LOW_DISK = 100 * 1024 * 1024  # bytes
_FEW_FILES = 1000  # files that can still be created
_PATIENCE = 3.0  # seconds for another program to finish writing


def check_folder(ledger: Sqlite) -> Iterator[Finding]:
    """Check that the folder exists, since no command creates it."""
    file = ledger.target
    if not file.parent.is_dir():
        yield fail(f"{file}: the folder {file.parent} does not exist")
        raise Stop


def check_writing(ledger: Sqlite) -> Iterator[Finding]:
    """Try to write into the folder and into the file, without a change to either."""
    file = ledger.target
    told = _try_folder(file.parent) or (_try_file(file) if file.exists() else None)
    if told is None and (reason := second_name(file)) is not None:
        told = fail(reason)
    if told is not None:
        yield told


def check_room(ledger: Sqlite) -> Iterator[Finding]:
    """Warn of a disk that is almost full, by bytes or by number of files."""
    folder = ledger.target.parent
    free = shutil.disk_usage(folder).free
    if free < _LOW_DISK:
        yield warn(f"only {free // 2**20} MiB are free in {folder}")
    if not hasattr(os, "statvfs"):  # Windows counts no files
        return
    told = os.statvfs(folder)
    if told.f_files and told.f_favail < _FEW_FILES:  # some systems count no files
        yield warn(f"only {told.f_favail} more files can be created in {folder}")


CHECKS = (check_folder, check_writing, check_room)


def _try_folder(folder: Path) -> Finding | None:
    """Write to a temporary file without a name: file modes do not show a read-only mount.

    SQLite needs files beside the database, and so does the account's lock.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
    except OSError as error:
        return fail(f"{folder}: cannot be written: {error.strerror}")
    return None


def _try_file(file: Path) -> Finding | None:
    """Take the write lock, as a run does, write an existing value again, and roll back.

    Opening a read-only file and beginning a transaction on it succeed, so that only a write
    shows the problem.
    """
    try:
        with closing(open_file(file, "rw", _PATIENCE)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            ((number,),) = connection.execute("PRAGMA user_version").fetchall()
            connection.execute(f"PRAGMA user_version = {number:d}")
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            message = "another program has been writing to it for some time; runs wait 30 s"
            return warn(f"{file}: is locked: {message}")
        return fail(f"{file}: cannot be written: {error}")
    return None
