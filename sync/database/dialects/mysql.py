"""MySQL 8 and MariaDB 10.6 or newer, through PyMySQL."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    NullPool,
    String,
    create_engine,
    event,
    func,
    literal_column,
    text,
)
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.pool import ConnectionPoolEntry

from sync.database.dialects import mysql_check
from sync.database.dialects.lease import LEASE
from sync.database.dialects.mysql_connection import QuickConnection, escaped
from sync.database.dialects.mysql_tls import tls_arguments
from sync.database.dialects.reading import refuse_other_than
from sync.database.dialects.server import ServerDialect, pause
from sync.database.failures import translated
from sync.errors import DatabaseError
from sync.finding import Finding

_CONNECT_TIMEOUT = 10  # seconds
_MIGRATION_PATIENCE = 600  # seconds
_OVERHEAD = 65_536  # bytes of a statement beside a row's texts, and more
_PATIENCE = 120  # seconds for an answer, before the server's host counts as vanished
# How long a statement waits for a row, or a table, that another transaction holds.
_WAITS = "innodb_lock_wait_timeout = {0}, lock_wait_timeout = {0}"
# Strict, so that nothing is cut or turned into something else without an error.
_SESSION = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
    "NO_ENGINE_SUBSTITUTION', default_storage_engine = 'InnoDB', time_zone = '+00:00', "
    f"{_WAITS.format(60)}, sql_safe_updates = 0, sql_select_limit = 18446744073709551615"
)
# How long a process that was frozen in the middle of a transaction may hold its rows: less.
# MariaDB knows it by that name; MySQL ends a session that is silent, whatever it is doing.
_WRITING = (
    "SET SESSION net_read_timeout = 30 "
    "/*M! , idle_transaction_timeout = 30 */ /*!80000 , wait_timeout = 30 */"
)
_READ_ONLY = "SET SESSION TRANSACTION READ ONLY"
_READING = ("SELECT", "WITH", "VALUES", "TABLE", "SHOW", "EXPLAIN", "DESCRIBE", "DESC")
_COMMENTS = r"--(?=[\0-\x20\x7f])[^\n]*|#[^\n]*|/\*(?:(?!\*/).)*\*/"
# Files that the server writes, and comments that it executes; in a text too, since only the
# server knows for certain where one begins.
_NEVER = r"OUTFILE|DUMPFILE|/\*M?!"
# What a trigger signals; a CHECK that fails, in MySQL and in MariaDB.
_REFUSALS = (1644, 3819, 4025)


class Mysql(ServerDialect):
    """A database on a MySQL or MariaDB server: `mysql://USER@HOST/DATABASE`."""

    quote = "`"
    driver = "mysql+pymysql"
    free_locks = "DO RELEASE_ALL_LOCKS()"
    waited_in_vain = 1205
    # Deadlock, a server that shuts down or is not there, too many connections, a connection that
    # was lost or ended, read-only after a failover.
    passing = frozenset(
        {1213, 1053, 1077, 2002, 2003, 1040, 1203, 2006, 2013, 1927, 4031, 1290, 1836}
    )

    def __init__(self, url: str) -> None:
        super().__init__(url)
        # All but the socket's file: a repeated one counts as its last.
        self._options = {
            name: value if isinstance(value, str) else value[-1]
            for name, value in self.url.query.items()
        }
        self.url = self.url.set(
            query={k: v for k, v in self._options.items() if k == "unix_socket"}
        )

    def writing_engine(
        self,
        stop: threading.Event | None = None,
        *,
        create: bool = False,
    ) -> Engine:
        return self._engine(
            _SESSION,
            _WRITING,
            # A migration may take as long as it takes.
            read_timeout=None if create else _PATIENCE,
            execution_options={"stop": stop or threading.Event()},
        )

    def reading_engine(self) -> Engine:
        engine = self._engine(_SESSION, _READ_ONLY)
        refuse_other_than(_READING, engine, comments=_COMMENTS, never=_NEVER)
        return engine

    def _engine(self, *statements: str, read_timeout: float | None = None, **more: Any) -> Engine:
        engine = create_engine(
            self.url,
            connect_args={
                # As bytes: of a text, PyMySQL would send Latin-1.
                "password": str(self.url.password or "").encode(),
                "charset": "utf8mb4",
                "connect_timeout": int(self._options.get("connect_timeout", _CONNECT_TIMEOUT)),
                "read_timeout": read_timeout,
                **tls_arguments(self._options, self.where),
            },
            # A connection that the server has closed meanwhile is noticed before it is used.
            pool_pre_ping=True,
            # Without it, a page's first look at the rows is all that it ever sees of them.
            **{"isolation_level": "READ COMMITTED", **more},
        )

        def prepare(connection: Any, record: ConnectionPoolEntry) -> None:
            with closing(connection.cursor()) as cursor:
                for statement in statements:
                    cursor.execute(statement)
                cursor.execute("SELECT @@max_allowed_packet")
                (record.info["longest"],) = cursor.fetchone()

        event.listen(engine, "do_connect", _connected)
        # Before SQLAlchemy asks how names are to be quoted.
        event.listen(engine, "connect", prepare, insert=True)
        return engine

    def locking_engine(self) -> Engine:
        return self._engine(
            f"SET SESSION wait_timeout = {LEASE}",
            read_timeout=_PATIENCE,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
        )

    def try_lock(self, connection: Connection, account: str) -> bool:
        with translated(self.where):
            return _get_lock(connection, _lock_name(connection, account))

    @contextmanager
    def migration_lock(self, connection: Connection) -> Iterator[None]:
        name, asked = _lock_name(connection, "*migration"), time.monotonic()
        while not _get_lock(connection, name, seconds=1):
            if time.monotonic() - asked > _MIGRATION_PATIENCE:
                raise DatabaseError(
                    f"{self.where}: another process has been migrating for too long"
                )
            pause(connection, 0)
        try:
            yield
        except BaseException:
            connection.invalidate()  # closed, and the lock with it
            raise
        # What was written before others may look: each DDL statement has been kept already.
        connection.exec_driver_sql("COMMIT")
        connection.execute(text("DO RELEASE_LOCK(:name)").bindparams(name=name))

    def lock_row(self, connection: Connection, statement: str) -> None:
        connection.exec_driver_sql(f"SET SESSION {_WAITS.format(1)}")
        try:
            connection.exec_driver_sql(statement)
        finally:
            with suppress(DBAPIError):  # the connection may be lost
                connection.exec_driver_sql(f"SET SESSION {_WAITS.format(60)}")

    def examined(self, connection: Connection, newest: str) -> Iterator[Finding]:
        return mysql_check.examined(connection, newest)

    def code_of(self, error: DBAPIError) -> int | None:
        arguments = getattr(error.orig, "args", ())
        return arguments[0] if arguments and isinstance(arguments[0], int) else None

    def blames_row(self, error: DBAPIError) -> bool:
        return self.code_of(error) in _REFUSALS or isinstance(error, (IntegrityError, DataError))

    def too_long(self, connection: Connection, texts: Iterable[str]) -> str | None:
        # The server answers a longer statement by closing the connection, which looks as if it
        # would pass.
        longest = connection.info["longest"]
        room, texts = longest - _OVERHEAD, list(texts)
        if 4 * sum(map(len, texts)) <= room:  # in bytes, it cannot be more
            return None
        if sum(len(escaped(text).encode()) for text in texts) <= room:
            return None
        return f"it is too large for the server, whose max_allowed_packet is {longest} bytes"

    def is_name(self, column: Column[Any], name: str) -> ColumnElement[bool]:
        # MariaDB sees by itself only from 11.8 on that this column is what would be compared.
        key = literal_column(f"{column.table.name}.name_key", String)
        return key == func.lower(name)

    def adapt(self, value: Any) -> Any:
        """Return `value` as the driver takes it: times in UTC, since the columns have no zone."""
        if isinstance(value, datetime):
            return value.astimezone(UTC).replace(tzinfo=None)
        return super().adapt(value)

    def upsert(
        self, table: str, key: Sequence[str], columns: Sequence[str], update: Sequence[str]
    ) -> str:
        # VALUES() is old in MySQL, but the only form that MariaDB knows.
        sets = ", ".join(f"`{c}` = VALUES(`{c}`)" for c in update or key[:1])
        return f"{self.insert(table, columns)} ON DUPLICATE KEY UPDATE {sets}"


def _connected(_: Any, __: Any, arguments: Any, options: Any) -> QuickConnection:
    return QuickConnection(*arguments, **options)


def _lock_name(connection: Connection, name: str) -> str:
    """Return a lock's name: of the whole server, so the database is in it, and short."""
    # Where the server takes no notice of a database's case, the URL may have it in any.
    ask = "SELECT IF(@@lower_case_table_names, LOWER(database()), database())"
    database = connection.exec_driver_sql(ask).scalar_one()
    digest = blake2b(f"{database}\0{name}".encode(), digest_size=16).hexdigest()
    return f"repoledger:{digest}"


def _get_lock(connection: Connection, name: str, *, seconds: int = 0) -> bool:
    ask = text("SELECT GET_LOCK(:name, :seconds)").bindparams(name=name, seconds=seconds)
    return bool(connection.execute(ask).scalar_one() == 1)
