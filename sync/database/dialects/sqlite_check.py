"""What `repoledger check` finds out about a SQLite file, and the disk that it is on."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from sync.finding import Finding

_LOW_DISK = 100 * 1024 * 1024  # bytes
_FEW_FILES = 1000  # that can still be made
_PATIENCE = 3.0  # seconds for another program to finish writing

Open = Callable[[Path, str, float], sqlite3.Connection]


def findings(file: Path, open_: Open) -> Iterator[Finding]:
    """Look whether a run could write, and for how long; nothing is changed by it."""
    folder = file.parent
    if not folder.is_dir():
        yield Finding("fail", f"{file}: the folder {folder} does not exist")
        return
    told = _folder(folder) or (_file(file, open_) if file.exists() else None)
    if told is not None:
        yield told
    yield from _room(folder)


def _room(folder: Path) -> Iterator[Finding]:
    """Warn of a disk that will soon take no more bytes, or no more files."""
    free = shutil.disk_usage(folder).free
    if free < _LOW_DISK:
        yield Finding("warn", f"only {free // 2**20} MiB are free in {folder}")
    if not hasattr(os, "statvfs"):  # Windows counts no files
        return
    told = os.statvfs(folder)
    if told.f_files and told.f_favail < _FEW_FILES:  # some systems count no files
        yield Finding("warn", f"only {told.f_favail} more files can be made in {folder}")


def _folder(folder: Path) -> Finding | None:
    """Make a file without a name and write to it: what modes allow, a mount may forbid.

    SQLite needs files beside the database, and so does the lock on an account's runs.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
    except OSError as error:
        return Finding("fail", f"{folder}: cannot be written: {error.strerror}")
    return None


def _file(file: Path, open_: Open) -> Finding | None:
    """Take the lock on writing, as a run does, write what is there already, and take it back.

    SQLite opens a file that may only be read without a word, and begins transactions on it.
    """
    try:
        with closing(open_(file, "rw", _PATIENCE)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            ((number,),) = connection.execute("PRAGMA user_version").fetchall()
            connection.execute(f"PRAGMA user_version = {number:d}")
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            message = "another program has been writing into it for some time; runs wait 30 s"
            return Finding("warn", f"{file}: is locked: {message}")
        return Finding("fail", f"{file}: cannot be written: {error}")
    return None
