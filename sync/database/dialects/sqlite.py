"""SQLite: connections, statements, times as text, locks."""

from __future__ import annotations

import math
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Engine,
    QueuePool,
    Table,
    collate,
    create_engine,
    event,
    func,
)
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from sync.core.clock import as_iso
from sync.core.errors import DatabaseUnusable, Interrupted, QueryRefused
from sync.core.waiting import Unanswered, taken
from sync.database.dialects import sqlite_wal, word_search
from sync.database.dialects.base import Dialect, in_progress
from sync.database.dialects.sqlite_copy import copy_pages, kept_copy
from sync.database.dialects.sqlite_file import (
    BUSY_TIMEOUT,
    identity_of,
    make,
    open_file,
    refuse_folder,
    second_name,
)
from sync.database.dialects.sqlite_read_only import authorize_reading

_BUSY_WHEN_STOPPING = 1.0  # seconds to wait for another writer once the program is to stop
_BUSY_POLL = 0.25  # seconds that SQLite waits at a time, since Python handles no signal meanwhile


class Sqlite(Dialect):
    """A SQLite file: `sqlite:///FILE`."""

    name = "sqlite"

    def __init__(self, url: str) -> None:
        self.file = Path(re.sub(r"^sqlite(\+\w+)?:///", "", url))

    @property
    def where(self) -> str:
        return str(self.file)

    @property
    def target(self) -> Path:
        """The file behind a symbolic link, so that files beside it are found by every path."""
        return Path(os.path.realpath(self.file)) if self.file.is_symlink() else self.file

    def may_hold_words(self, table: Table, words: Sequence[str]) -> ColumnElement[bool]:
        return word_search.by_sqlite(table, words)

    def exists(self) -> bool:
        return self.file.exists()

    def writing_engine(
        self, stop: threading.Event | None = None, *, create: bool = False
    ) -> Engine:
        """Return an engine whose transactions take the write lock at once.

        With a deferred BEGIN, one of two writers that both read first would fail, whatever its
        timeout. Setting `stop` shortens the wait for another writer. `create`: create a missing
        file; without it, a deleted ledger does not come back empty. Raises DatabaseUnusable.
        """
        stop = stop or threading.Event()
        file, folder = self.file, self.target.parent
        refuse_folder(file)
        if not folder.is_dir():
            raise DatabaseUnusable(f"{file}: the folder {folder} does not exist; create it first")

        def connect() -> sqlite3.Connection:
            if create:
                make(file)
            if (reason := second_name(file)) is not None:
                raise DatabaseUnusable(reason)
            connection = open_file(file, "rw", _BUSY_POLL)
            try:
                _patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"), stop)
                sqlite_wal.bound(connection)
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("PRAGMA foreign_keys = ON")
            except sqlite3.Error:
                connection.close()
                raise
            return connection

        def begin(connection: Connection) -> None:
            if identity_of(file) != connection.info["file"]:
                raise DatabaseUnusable(f"{file}: was removed or replaced while it was in use")
            patience = connection.get_execution_options().get("patience", BUSY_TIMEOUT)
            _patiently(lambda: connection.exec_driver_sql("BEGIN IMMEDIATE"), stop, patience)

        return self._engine(connect, begin)

    def _engine(
        self, connect: Callable[[], sqlite3.Connection], begin: Callable[[Connection], Any]
    ) -> Engine:
        def remember(_connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
            record.info["file"] = identity_of(self.file)

        engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)
        event.listen(engine, "connect", remember)
        event.listen(engine, "begin", begin)
        return engine

    def take_any_value(self, connection: Connection) -> None:
        # Text need not be UTF-8, if another program or a cast from bytes has written it.
        raw: Any = connection.connection.driver_connection
        raw.text_factory = lambda text: text.decode(errors="replace")

    def reading_engine(self) -> Engine:
        """Return an engine whose connections can only read.

        The file is opened read-only, `query_only` is on, and an authorizer refuses everything
        but SELECT: the connection enforces it, whatever the statement looks like. Raises
        DatabaseUnusable.
        """
        file = self.target
        refuse_folder(file)
        # To read a file in WAL mode, SQLite creates files beside it. If the folder is read-only
        # and there is no log, the file alone is complete.
        alone = not os.access(file.parent, os.W_OK) and not Path(f"{file}-wal").exists()
        mode = "ro&immutable=1" if alone else "ro"

        def connect() -> sqlite3.Connection:
            connection = open_file(file, mode)
            connection.execute("PRAGMA query_only = ON")
            connection.set_authorizer(authorize_reading)
            return connection

        def same_file(_connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
            if identity_of(file) != record.info["file"]:
                raise DisconnectionError  # the file was replaced: connect to the new one

        engine = self._engine(connect, lambda c: c.exec_driver_sql("BEGIN"))
        event.listen(engine, "checkout", same_file)
        return engine

    def leave_as_found(self) -> None:
        sqlite_wal.remove_empty(self.target)

    @contextmanager
    def account_lock(
        self, account: str, *, wait: bool, stop: threading.Event | None = None
    ) -> Iterator[None]:
        """Hold the lock on one account's runs, by a file beside the database.

        The system frees it at the end of the process, even after a crash. `wait`: wait until it
        is free or `stop` is set. Raises RunInProgress, Interrupted.
        """
        file = self.target
        try:
            lock = taken(
                file.with_name(f"{file.name}.{account.lower()}.lock"),
                patience=math.inf if wait else 0.0,
                stop=stop if wait else None,
            )
        except Unanswered:
            raise in_progress(account) from None
        except OSError as error:
            raise DatabaseUnusable(f"{file.parent}: cannot be written: {error.strerror}") from None
        try:
            yield
        finally:
            lock.release()

    def is_same_as(self, other: Dialect) -> bool:
        return isinstance(other, Sqlite) and self.file.samefile(other.file)

    def kept_copy(
        self, revision: str, stop: threading.Event | None = None
    ) -> AbstractContextManager[Path | None]:
        return kept_copy(self.target, revision, stop)

    def copy_file(self, connection: Connection, file: Path, stop: threading.Event) -> bool:
        connection.exec_driver_sql("SELECT 1 FROM sqlite_master")  # the snapshot begins
        source: Any = connection.connection.driver_connection
        copy_pages(source, file, stop)
        return True

    def check_constraints(self, connection: Connection) -> None:
        """Look for rows in the user's tables that refer to a deleted repository."""
        referring = (
            "SELECT DISTINCT m.name FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f "
            "WHERE m.type = 'table' AND lower(f.\"table\") = 'repositories'"
        )
        for (table,) in connection.exec_driver_sql(referring).all():
            name = table.replace('"', '""')
            if connection.exec_driver_sql(f'PRAGMA foreign_key_check("{name}")').first():
                raise QueryRefused(f"the table {table} refers to the repository")

    def erase(self, connection: Connection) -> None:
        """Overwrite deleted data with zeros from now on."""
        connection.exec_driver_sql("PRAGMA secure_delete = ON")

    def write_nothing(self, connection: Connection) -> None:
        """Write the file's `user_version`, which nothing uses, again; fails on a full disk."""
        number = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        connection.exec_driver_sql(f"PRAGMA user_version = {number:d}")

    def shrink(self, engine: Engine) -> None:
        sqlite_wal.shrink(engine, self.target)

    def name_key(self, column: Column[Any]) -> ColumnElement[Any]:
        return column  # LIKE ignores the case of ASCII letters, and the index holds the column

    def is_name(self, column: Column[Any], name: str) -> ColumnElement[bool]:
        return collate(column, "nocase") == name

    def is_common(self, column: Column[Any], value: Any) -> ColumnElement[bool]:
        # Without statistics it would take any value for rare, and read or sort all rows with it.
        return func.likely(column == value, type_=Boolean)

    def adapt(self, value: Any) -> Any:
        """Return `value` in the driver's type; times as text in SQLAlchemy's format."""
        if isinstance(value, datetime):
            text = as_iso(value)[:-1].replace("T", " ")
            return text if value.microsecond else f"{text}.000000"
        if isinstance(value, date):
            return value.isoformat()
        return super().adapt(value)


def _patiently(
    action: Callable[[], Any], stop: threading.Event, patience: float = BUSY_TIMEOUT
) -> None:
    """Do `action`, again and again while another writer holds the lock. Raises Interrupted.

    SQLite's own timeout is not enough: it does not apply when several processes switch a new
    file to write-ahead logging, and Python handles no signal while SQLite waits.
    """
    started = time.monotonic()
    while True:
        try:
            action()
        except (sqlite3.OperationalError, OperationalError) as error:
            cause = getattr(error, "orig", error)
            busy = getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            waited = time.monotonic() - started
            if not busy or waited > patience:
                raise
            if stop.is_set() and waited > _BUSY_WHEN_STOPPING:
                raise Interrupted("stopped while another program held the database") from None
            time.sleep(0.01)
        else:
            return
