"""Everything that is particular to SQLite: connections, statements, time text, locks."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    QueuePool,
    collate,
    create_engine,
    event,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from sync.clock import as_iso
from sync.database.dialects.base import LOCK_POLL, Dialect, in_progress
from sync.database.dialects.sqlite_check import findings
from sync.database.dialects.sqlite_copy import kept_copy
from sync.errors import DatabaseUnusable, Interrupted, QueryRefused
from sync.finding import Finding

_PRIVATE = 0o600  # the mode of a file that its owner alone reads and writes
BUSY_TIMEOUT = 30.0  # seconds to wait for another writer
_BUSY_WHEN_STOPPING = 1.0  # seconds, once the program is asked to stop
_BUSY_POLL = 0.25  # seconds that SQLite waits at a time: Python sees no signal meanwhile


class Sqlite(Dialect):
    """A SQLite file: `sqlite:///FILE`."""

    def __init__(self, url: str) -> None:
        self.file = Path(re.sub(r"^sqlite(\+\w+)?:///", "", url))

    @property
    def where(self) -> str:
        return str(self.file)

    def exists(self) -> bool:
        return self.file.exists()

    def writing_engine(
        self, stop: threading.Event | None = None, *, create: bool = False
    ) -> Engine:
        """Return an engine whose transactions take the write lock at once.

        With a deferred BEGIN, two writers that both read first cannot both go on,
        and one of them fails whatever its timeout. Setting `stop` shortens the wait
        for another writer. Only with `create` is a file made that is not there: a
        ledger that was deleted must not come back empty. Raises DatabaseUnusable.
        """
        stop = stop or threading.Event()
        file = self.file
        _refuse_folder(file)
        if not file.parent.is_dir():
            raise DatabaseUnusable(
                f"{file}: the folder {file.parent} does not exist; create it first"
            )

        def connect() -> sqlite3.Connection:
            if create:
                _make(file)
            connection = _open(file, "rw", _BUSY_POLL)
            try:
                _patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"), stop)
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("PRAGMA foreign_keys = ON")
            except sqlite3.Error:
                connection.close()
                raise
            return connection

        def remember(_connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
            record.info["file"] = _identity_of(file)

        def begin(connection: Connection) -> None:
            if _identity_of(file) != connection.info["file"]:
                raise DatabaseUnusable(f"{file}: was removed or replaced while it was in use")
            _patiently(lambda: connection.exec_driver_sql("BEGIN IMMEDIATE"), stop)

        engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)
        event.listen(engine, "connect", remember)
        event.listen(engine, "begin", begin)
        return engine

    def reading_engine(self) -> Engine:
        """Return an engine whose connections can do nothing but read.

        The file is opened read-only, `query_only` is on, and an authorizer refuses
        everything but SELECT: it is the connection that enforces it, whatever the
        statement looks like. Raises DatabaseUnusable.
        """
        file = self.file
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

    @contextmanager
    def account_lock(
        self, account: str, *, wait: bool, stop: threading.Event | None = None
    ) -> Iterator[None]:
        """Hold the lock on one account's runs, by a file beside the database.

        The system frees it when the process ends, however it ends. With `wait`,
        waits until it is free or `stop` is set. Raises RunInProgress, Interrupted.
        """
        from filelock import FileLock, Timeout

        file = self.file
        # Whoever can open the lock's file can hold the lock.
        name = f"{file.name}.{account.lower()}.lock"
        lock = FileLock(file.with_name(name), timeout=0, mode=_PRIVATE)
        stop = stop or threading.Event()
        while not lock.is_locked:
            try:
                lock.acquire()
            except Timeout:
                if not wait:
                    raise in_progress(account) from None
                if stop.wait(LOCK_POLL):
                    raise Interrupted("stopped while waiting for another run") from None
            except OSError as error:
                raise DatabaseUnusable(
                    f"{file.parent}: cannot be written: {error.strerror}"
                ) from None
        try:
            yield
        finally:
            lock.release()

    def is_same_as(self, other: Dialect) -> bool:
        return isinstance(other, Sqlite) and self.file.samefile(other.file)

    @contextmanager
    def migration_lock(self, connection: Connection) -> Iterator[None]:  # noqa: ARG002  # see below
        """Nothing to do: the transaction holds SQLite's write lock already."""
        yield

    def kept_copy(
        self, revision: str, stop: threading.Event | None = None
    ) -> AbstractContextManager[Path | None]:
        return kept_copy(self.file, revision, _open, stop)

    def findings(self, newest: str) -> Iterator[Finding]:  # noqa: ARG002  # for servers
        return findings(self.file, _open)

    def check_constraints(self, connection: Connection) -> None:
        """Look for rows that refer to a repository that is gone, in tables of the user's."""
        referring = (
            "SELECT DISTINCT m.name FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f "
            "WHERE m.type = 'table' AND lower(f.\"table\") = 'repositories'"
        )
        for (table,) in connection.exec_driver_sql(referring).all():
            name = table.replace('"', '""')
            if connection.exec_driver_sql(f'PRAGMA foreign_key_check("{name}")').first():
                raise QueryRefused(f"the table {table} refers to it")

    def erase(self, connection: Connection) -> None:
        """Have what is deleted overwritten with zeros, from now on."""
        connection.exec_driver_sql("PRAGMA secure_delete = ON")

    def is_name(self, column: Column[Any], name: str) -> ColumnElement[bool]:
        return collate(column, "nocase") == name

    def adapt(self, value: Any) -> Any:
        """Return `value` as the driver takes it: times as text, as SQLAlchemy writes them."""
        if isinstance(value, datetime):
            text = as_iso(value)[:-1].replace("T", " ")
            return text if value.microsecond else f"{text}.000000"
        if isinstance(value, date):
            return value.isoformat()
        return super().adapt(value)


def _refuse_folder(file: Path) -> None:
    try:
        is_folder = file.is_dir() and file.parent.is_dir()
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        raise DatabaseUnusable(f"{file}: cannot be used: {error.strerror}") from None
    if is_folder:
        raise DatabaseUnusable(f"{file}: is a folder, not a database")


def _make(file: Path) -> None:
    """Make an empty file that nobody else can read, unless there is one. Raises DatabaseUnusable.

    A ledger may hold private repositories. SQLite gives the files beside it the same mode.
    """
    if file.exists():  # not opened: to close it again would drop the locks that we hold on it
        return
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        os.close(os.open(os.path.realpath(file), flags, _PRIVATE))
    except FileExistsError:
        pass
    except OSError as error:
        raise DatabaseUnusable(f"{file}: cannot be made: {error.strerror}") from None


def _identity_of(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def _open(file: Path, mode: str, timeout: float = BUSY_TIMEOUT) -> sqlite3.Connection:
    # isolation_level None: the driver begins no transactions of its own.
    return sqlite3.connect(
        f"file:{quote(str(file.absolute()))}?mode={mode}",
        uri=True,
        timeout=timeout,
        isolation_level=None,
        check_same_thread=False,
    )


def _patiently(action: Callable[[], Any], stop: threading.Event) -> None:
    """Do `action` as soon as no other writer is in the way. Raises Interrupted.

    SQLite's own timeout is not enough: of several processes that switch a new
    file to write-ahead logging at once, it turns all but one away at once; and
    while it waits, Python sees no signal.
    """
    started = time.monotonic()
    while True:
        try:
            action()
        except (sqlite3.OperationalError, OperationalError) as error:
            cause = getattr(error, "orig", error)
            busy = getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            waited = time.monotonic() - started
            if not busy or waited > BUSY_TIMEOUT:
                raise
            if stop.is_set() and waited > _BUSY_WHEN_STOPPING:
                raise Interrupted("stopped while another program held the database") from None
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
