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
    event,
    literal_column,
    text,
)
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.pool import ConnectionPoolEntry

from sync.core.errors import DatabaseError
from sync.database.dialects.lease import LEASE
from sync.database.dialects.mysql_tls import tls_arguments
from sync.database.dialects.read_only import refuse_other_than
from sync.database.dialects.server import ServerDialect, pause
from sync.database.failures import translated

_CONNECT_TIMEOUT = 10  # seconds
_MIGRATION_PATIENCE = 600  # seconds
_OVERHEAD = 65_536  # bytes: an upper bound of a statement without the row's texts
_PATIENCE = 120  # seconds for an answer, after which the server counts as gone
# Seconds that a statement waits for a lock on a row or table.
_WAITS = "innodb_lock_wait_timeout = {0}, lock_wait_timeout = {0}"
# Strict, so that no value is truncated or converted without an error. The other settings undo a
# server's or user's defaults: limits on the time of a statement and on its rows, chained
# transactions, disabled checks. MariaDB and MySQL have different names for the limits.
_SESSION = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
    "NO_ENGINE_SUBSTITUTION', default_storage_engine = 'InnoDB', time_zone = '+00:00', "
    f"{_WAITS.format(60)}, sql_safe_updates = 0, sql_select_limit = 18446744073709551615, "
    "sql_big_selects = 1, sql_auto_is_null = 0, completion_type = 0, foreign_key_checks = 1, "
    "unique_checks = 1 /*M! , max_statement_time = 0, check_constraint_checks = 1, "
    "idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0, "
    "idle_write_transaction_timeout = 0 */ /*!80000 , max_execution_time = 0 */"
)
# Seconds that a frozen process may hold the locks of a transaction: fewer than others wait for
# them. MySQL has no such limit, but one for silent sessions.
_WRITING = (
    "SET SESSION net_read_timeout = 30 "
    "/*M! , idle_transaction_timeout = 30 */ /*!80000 , wait_timeout = 30 */"
)
# The server waits a day for a slow reader of the rows, such as a pager.
_READ_ONLY = (
    "SET SESSION net_write_timeout = 86400",
    "SET SESSION TRANSACTION READ ONLY",
)
_READING = ("SELECT", "WITH", "VALUES", "TABLE", "SHOW", "EXPLAIN", "DESCRIBE", "DESC")
_COMMENTS = r"--(?=[\0-\x20\x7f])[^\n]*|#[^\n]*|/\*(?:(?!\*/).)*\*/"
# Texts, quoted names and comments, except comments that the server executes. An unterminated one
# does not match, so that the text behind it is checked.
_HIDDEN = (
    r"(?P<quote>['\"])(?:\\.|(?P=quote){2}|(?!(?P=quote))[^\\])*+(?P=quote)"
    rf"|`(?:[^`]|``)*+`|(?!/\*M?!)(?:{_COMMENTS})"
)
# Files that the server writes, rows that it locks, comments that it executes; and the texts
# between dollar signs of MySQL 9, which _HIDDEN does not match.
_NEVER = r"OUTFILE|DUMPFILE|LOCK\s+IN\s+SHARE|FOR\s+SHARE|/\*M?!|(?<![\w$])\$[^\s$]*\$"
# Error codes: a trigger's SIGNAL; a failed CHECK in MySQL and in MariaDB.
_REFUSALS = (1644, 3819, 4025)


class Mysql(ServerDialect):
    """A database on a MySQL or MariaDB server: `mysql://USER@HOST/DATABASE`."""

    name = "mysql"
    quote = "`"
    product = "MySQL"
    driver = "mysql+pymysql"
    library = "PyMySQL[rsa]"
    free_locks = "DO RELEASE_ALL_LOCKS()"
    lock_timeout_code = 1205
    # Deadlock, server unreachable or shutting down, too many connections, connection lost or
    # ended, read-only after a failover.
    transient = frozenset(
        {1213, 1053, 1077, 2002, 2003, 1040, 1203, 2006, 2013, 1927, 4031, 1290, 1836}
    )

    def __init__(self, url: str) -> None:
        super().__init__(url)
        # Of a repeated option, the last value counts.
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
            _WRITING,
            # A migration has no time limit.
            read_timeout=None if create else _PATIENCE,
            execution_options={"stop": stop or threading.Event()},
        )

    def reading_engine(self) -> Engine:
        engine = self._engine(*_READ_ONLY)
        refuse_other_than(_READING, engine, comments=_COMMENTS, hidden=_HIDDEN, never=_NEVER)
        return engine

    def _engine(self, *statements: str, read_timeout: float | None = None, **more: Any) -> Engine:
        engine = self.made_engine(
            _connected,
            connect_args={
                # As bytes, since PyMySQL encodes text as Latin-1.
                "password": str(self.url.password or "").encode(),
                "charset": "utf8mb4",
                "connect_timeout": int(self._options.get("connect_timeout", _CONNECT_TIMEOUT)),
                "read_timeout": read_timeout,
                **tls_arguments(self._options, self.where),
            },
            # The connection pool tests a connection before its use: the server may have closed it.
            pool_pre_ping=True,
            # At the default level, a page would not see rows committed after its first query.
            **{"isolation_level": "READ COMMITTED", **more},
        )

        def prepare(connection: Any, record: ConnectionPoolEntry) -> None:
            with closing(connection.cursor()) as cursor:
                for statement in (_SESSION, *statements):
                    cursor.execute(statement)
                cursor.execute("SELECT @@max_allowed_packet")
                (record.info["longest"],) = cursor.fetchone()

        # Before SQLAlchemy's own first queries.
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
                    f"{self.where}: another process has been migrating for "
                    f"{_MIGRATION_PATIENCE // 60} minutes; wait for its end, and try again"
                )
            pause(connection, 0)
        try:
            yield
        except BaseException:
            connection.invalidate()  # closed, and the lock with it
            raise
        # Before the lock is freed; each DDL statement has been committed already.
        connection.exec_driver_sql("COMMIT")
        connection.execute(text("DO RELEASE_LOCK(:name)").bindparams(name=name))

    def lock_row(self, connection: Connection, statement: str) -> None:
        connection.exec_driver_sql(f"SET SESSION {_WAITS.format(1)}")
        try:
            connection.exec_driver_sql(statement)
        finally:
            with suppress(DBAPIError):  # the connection may be lost
                connection.exec_driver_sql(f"SET SESSION {_WAITS.format(60)}")

    def code_of(self, error: DBAPIError) -> int | None:
        arguments = getattr(error.orig, "args", ())
        return arguments[0] if arguments and isinstance(arguments[0], int) else None

    def blames_row(self, error: DBAPIError) -> bool:
        return self.code_of(error) in _REFUSALS or isinstance(error, (IntegrityError, DataError))

    def too_long(self, connection: Connection, texts: Iterable[str]) -> str | None:
        # At a longer statement the server closes the connection, as after a transient error.
        longest = connection.info["longest"]
        room, texts = longest - _OVERHEAD, list(texts)
        if 4 * sum(map(len, texts)) <= room:  # in bytes, it cannot be more
            return None
        from pymysql.converters import escape_string  # type: ignore[import-untyped]  # it has none

        if sum(len(escape_string(text).encode()) for text in texts) <= room:
            return None
        return f"it is too large for the server, whose max_allowed_packet is {longest} bytes"

    def name_key(self, column: Column[Any]) -> ColumnElement[Any]:
        # The computed column itself: MariaDB before 11.8 does not find its index otherwise.
        return literal_column(f"{column.table.name}.name_key", String)

    def adapt(self, value: Any) -> Any:
        """Return `value` in the driver's type; times in UTC, since the columns have no zone."""
        if isinstance(value, datetime):
            return value.astimezone(UTC).replace(tzinfo=None)
        return super().adapt(value)

    def upsert(
        self, table: str, key: Sequence[str], columns: Sequence[str], update: Sequence[str]
    ) -> str:
        # VALUES() is deprecated in MySQL, but the only form in MariaDB.
        sets = ", ".join(f"`{c}` = VALUES(`{c}`)" for c in update or key[:1])
        return f"{self.insert(table, columns)} ON DUPLICATE KEY UPDATE {sets}"


def _connected(dialect: Any, arguments: Any, options: dict[str, Any]) -> Any:
    # Another kind of server may wait for the client to speak first, and PyMySQL waits for the
    # server: so reading has the connection's timeout until the server has answered.
    patience, options["read_timeout"] = options["read_timeout"], options["connect_timeout"]
    connection = dialect.connect(*arguments, **options)
    connection._read_timeout = patience
    return connection


def _lock_name(connection: Connection, name: str) -> str:
    """Return a short name for a lock, with the database in it: locks are shared by the server."""
    # The database in lower case if the server ignores its case, as the URL may have any.
    ask = "SELECT IF(@@lower_case_table_names, LOWER(database()), database())"
    database = connection.exec_driver_sql(ask).scalar_one()
    digest = blake2b(f"{database}\0{name}".encode(), digest_size=16).hexdigest()
    return f"repoledger:{digest}"


def _get_lock(connection: Connection, name: str, *, seconds: int = 0) -> bool:
    ask = text("SELECT GET_LOCK(:name, :seconds)").bindparams(name=name, seconds=seconds)
    return bool(connection.execute(ask).scalar_one() == 1)
