"""Everything that is particular to SQLite: connections, statements, time text, locks."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from sqlalchemy import Engine, QueuePool, create_engine, event

from sync.errors import DatabaseUnusable, Interrupted, RunInProgress

BUSY_TIMEOUT = 30.0  # seconds to wait for another writer
_LOCK_POLL = 0.2  # seconds between two looks at a lock that another process holds


def file_of(url: str) -> Path:
    """Return the file that a `sqlite:///FILE` URL names."""
    return Path(re.sub(r"^sqlite(\+\w+)?:///", "", url))


def writing_engine(url: str) -> Engine:
    """Return an engine whose transactions take the write lock at once.

    With a deferred BEGIN, two writers that both read first cannot both go on,
    and one of them fails whatever its timeout. Raises DatabaseUnusable.
    """
    file = file_of(url)
    if not file.parent.is_dir():
        raise DatabaseUnusable(f"{file}: the folder {file.parent} does not exist; create it first")
    _refuse_folder(file)

    def connect() -> sqlite3.Connection:
        connection = _open(file, "rwc")
        try:
            _switch_to_wal(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)
    event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def reading_engine(url: str) -> Engine:
    """Return an engine whose connections can do nothing but read.

    The file is opened read-only, `query_only` is on, and an authorizer refuses
    everything but SELECT: it is the connection that enforces it, whatever the
    statement looks like. Raises DatabaseUnusable.
    """
    file = file_of(url)
    _refuse_folder(file)
    # SQLite needs to make files beside one in WAL mode, even to read it. Where
    # it may not, and nobody has any open, the file alone is all there is.
    alone = not os.access(file.parent, os.W_OK) and not Path(f"{file}-wal").exists()
    mode = "ro&immutable=1" if alone else "ro"

    def connect() -> sqlite3.Connection:
        connection = _open(file, mode)
        connection.execute("PRAGMA query_only = ON")
        connection.set_authorizer(_authorize_reading)
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)
    event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN"))
    return engine


def _refuse_folder(file: Path) -> None:
    if file.is_dir():
        raise DatabaseUnusable(f"{file}: is a folder, not a database")


def _open(file: Path, mode: str) -> sqlite3.Connection:
    # isolation_level None: the driver begins no transactions of its own.
    return sqlite3.connect(
        f"file:{quote(str(file.absolute()))}?mode={mode}",
        uri=True,
        timeout=BUSY_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
    )


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Make sure that the file uses write-ahead logging.

    Of several processes that switch a new file at once, SQLite turns all but
    one away at once, whatever their timeout; so each tries until it is done.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
    sqlite3.SQLITE_TRANSACTION,
}
# PRAGMAs that only tell something, and only when no new value is given.
_TELLING = {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "page_count"}


def _authorize_reading(
    action: int, one: str | None, two: str | None, _database: str | None, _trigger: str | None
) -> int:
    if action == sqlite3.SQLITE_FUNCTION and two == "load_extension":
        return sqlite3.SQLITE_DENY
    if action in _READING:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and (
        one in _TELLING or (one == "read_uncommitted" and two is None)  # SQLAlchemy asks
    ):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def adapt(value: Any) -> Any:
    """Return `value` as the driver takes it: times and JSON as text, as SQLAlchemy writes them."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple, dict)):
        return msgspec.json.encode(value).decode()
    return value


def upsert(table: str, key: Sequence[str], columns: Sequence[str], update: Sequence[str]) -> str:
    """Return an INSERT of `columns` that updates only `update` where `key` is there already."""
    marks = ", ".join("?" * len(columns))
    sets = ", ".join(f'"{column}" = excluded."{column}"' for column in update)
    action = f"DO UPDATE SET {sets}" if update else "DO NOTHING"
    return (
        f'INSERT INTO "{table}" ({_names(columns)}) VALUES ({marks}) '  # noqa: S608  # our own names
        f"ON CONFLICT ({_names(key)}) {action}"
    )


def insert(table: str, columns: Sequence[str]) -> str:
    """Return an INSERT of `columns`."""
    marks = ", ".join("?" * len(columns))
    return f'INSERT INTO "{table}" ({_names(columns)}) VALUES ({marks})'  # noqa: S608  # our own names


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


@contextmanager
def account_lock(
    url: str, account: str, *, wait: bool, stop: threading.Event | None = None
) -> Iterator[None]:
    """Hold the lock on one account's runs, by a file beside the database.

    The system frees it when the process ends, however it ends. With `wait`,
    waits until it is free or `stop` is set. Raises RunInProgress, Interrupted.
    """
    from filelock import FileLock, Timeout

    file = file_of(url)
    lock = FileLock(file.with_name(f"{file.name}.{account.lower()}.lock"), timeout=0)
    stop = stop or threading.Event()
    while not lock.is_locked:
        try:
            lock.acquire()
        except Timeout:
            if not wait:
                raise RunInProgress(
                    f"another process is syncing the account {account}; "
                    "wait for it to finish, or use --wait"
                ) from None
            if stop.wait(_LOCK_POLL):
                raise Interrupted("stopped while waiting for another run") from None
        except OSError as error:
            raise DatabaseUnusable(f"{file.parent}: cannot be written: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()
