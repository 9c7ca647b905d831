"""Limits the size of SQLite's write-ahead log, which otherwise stays at its peak."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import Engine

from sync.database.dialects.sqlite_file import open_file

LIMIT = 4 * 1024 * 1024  # bytes; the transaction of an ordinary page needs a quarter of that


def bound(connection: sqlite3.Connection) -> None:
    """Truncate the log to LIMIT whenever SQLite starts it again."""
    connection.execute(f"PRAGMA journal_size_limit = {LIMIT}")


def remove_empty(file: Path) -> None:
    """Have SQLite remove the log beside `file` if it is empty and nobody has the file open.

    A connection that only reads makes the log, and may not remove it.
    """
    with suppress(OSError, sqlite3.Error):
        if Path(f"{file}-wal").stat().st_size == 0:
            with closing(open_file(file, "rw", timeout=0)) as connection:
                connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()


def shrink(engine: Engine, file: Path) -> None:
    """Empty the log of the database in `file` if it is larger than LIMIT and not in use."""
    log = Path(f"{file}-wal")
    with suppress(OSError, sqlite3.Error):  # the next run can do it
        if log.stat().st_size > LIMIT:
            with closing(engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
