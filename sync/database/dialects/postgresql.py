"""PostgreSQL 14 or newer, through psycopg 3."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    NullPool,
    Table,
    any_,
    bindparam,
    event,
    text,
)
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.exc import DataError, DBAPIError, OperationalError

from sync.core.errors import DatabaseUnusable
from sync.core.waiting import TICK
from sync.database.dialects import word_search
from sync.database.dialects.lease import LEASE
from sync.database.dialects.read_only import begins_with, refuse_other_than
from sync.database.dialects.server import ServerDialect, pause
from sync.database.failures import translated
from sync.database.tables import metadata
from sync.database.types import TEXTS, Document

_CONNECT_TIMEOUT = 10  # seconds
# Lifts the limits of a database or a role. The URL's own options take precedence.
_LIMITS = (
    "-c statement_timeout=0 -c idle_session_timeout=0 -c idle_in_transaction_session_timeout=0"
)
# The format of values, the isolation level, and the time that a statement waits for a lock.
_SESSION = (
    "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 "
    "-c bytea_output=hex -c standard_conforming_strings=on "
    r"-c default_transaction_isolation=read\ committed -c default_transaction_deferrable=off "
    "-c lock_timeout=60s"
)
# After libpq has sent the environment's PGTZ and PGDATESTYLE, which override all options.
_AFTER = "SET timezone = 'UTC'; SET datestyle = 'ISO'"
# A limit that older servers do not know and would refuse.
_FIRST_WITH_LIMIT = 170000
_NO_TRANSACTION_LIMIT = "; SET transaction_timeout = 0"
# A frozen process may hold the locks of a transaction for less time than others wait for them.
_WRITING = "-c idle_in_transaction_session_timeout=30s"
# TCP keepalive: a vanished server is noticed after a minute, not after the system's hours.
_KEEPALIVES = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # milliseconds
}
# Words of a server's transient refusals of a connection.
_NOT_NOW = ("starting up", "shutting down", "too many", "connection slots", "recovery")
_MIGRATION = "repoledger: migration"
_ROWS = ("SELECT", "WITH", "VALUES", "TABLE")  # statements for which a cursor can be declared
_READING = (*_ROWS, "SHOW", "EXPLAIN")
# PostgreSQL nests comments: a comment inside a comment does not match, and is refused.
_COMMENTS = r"--[^\r\n]*|/\*(?:(?!/\*|\*/).)*\*/"


_WORDS = PGDialect()  # type: ignore[no-untyped-call]  # it has no types
_encoder = msgspec.json.Encoder()
LARGEST = 16 * 1024 * 1024  # bytes of rows in one statement, to limit the server's memory
_POSITIONS = tuple(map(str, range(100)))  # names for the columns of a row in JSON


class Postgresql(ServerDialect):
    """A database on a PostgreSQL server: `postgresql://USER@HOST/DATABASE`."""

    name = "postgresql"
    product = "PostgreSQL"
    driver = "postgresql+psycopg"
    library = "psycopg[binary]"
    free_locks = "SELECT pg_advisory_unlock_all()"
    lock_timeout_code = "55P03"
    # Serialization failure, deadlock, session idle for too long, server starting or shutting
    # down, too many connections, read-only after a failover.
    transient = frozenset(
        {"40001", "40P01", "25P03", "57P01", "57P02", "57P03", "57P05", "53300", "25006"}
    )

    def writing_engine(
        self,
        stop: threading.Event | None = None,
        *,
        create: bool = False,  # noqa: ARG002  # for files
    ) -> Engine:
        return self._engine(_WRITING, execution_options={"stop": stop or threading.Event()})

    def reading_engine(self) -> Engine:
        # All rows of a cursor are fetched; by default the planner expects the first tenth only.
        engine = self._engine("-c default_transaction_read_only=on -c cursor_tuple_fraction=1")
        refuse_other_than(_READING, engine, comments=_COMMENTS, send=_send_alone)
        return engine

    def take_any_value(self, connection: Connection) -> None:
        from sync.database.dialects.postgresql_values import take_any_value

        take_any_value(connection.connection.driver_connection)

    def is_streamable(self, statement: str) -> bool:
        return begins_with(_ROWS, statement, comments=_COMMENTS)

    def _engine(self, options: str, **more: Any) -> Engine:
        # The URL's options override _LIMITS, and _SESSION overrides the URL's.
        given = self.url.query
        ours = {"connect_timeout": _CONNECT_TIMEOUT, **_KEEPALIVES}
        arguments = {
            "options": f"{_LIMITS} {given.get('options', '')} {_SESSION} {options}",
            "client_encoding": "utf8",
            **{name: value for name, value in ours.items() if name not in given},
        }
        # The connection pool tests a connection before its use: the server may have closed it.
        engine = self.made_engine(_connected, connect_args=arguments, pool_pre_ping=True, **more)
        limited = "transaction_timeout" in str(given.get("options"))

        def prepare(connection: Any, _record: object) -> None:
            new = connection.info.server_version >= _FIRST_WITH_LIMIT and not limited
            connection.autocommit = True
            connection.execute(f"{_AFTER}{_NO_TRANSACTION_LIMIT if new else ''}")
            connection.autocommit = False

        # Before SQLAlchemy's own first queries.
        event.listen(engine, "connect", prepare, insert=True)
        return engine

    def locking_engine(self) -> Engine:
        options = f"-c idle_session_timeout={LEASE}s"
        return self._engine(options, poolclass=NullPool, isolation_level="AUTOCOMMIT")

    def try_lock(self, connection: Connection, account: str) -> bool:
        ask = text("SELECT pg_try_advisory_lock(:key)").bindparams(
            key=_key(connection, f"repoledger: {account}")
        )
        with translated(self.where):
            return bool(connection.execute(ask).scalar_one())

    @contextmanager
    def migration_lock(self, connection: Connection) -> Iterator[None]:
        flaw = flaw_of_encoding(connection)
        if flaw is not None:
            raise DatabaseUnusable(f"{self.where}: {flaw}")
        ask = text("SELECT pg_try_advisory_xact_lock(:key)").bindparams(
            key=_key(connection, _MIGRATION)
        )
        while not connection.execute(ask).scalar_one():
            pause(connection, TICK)
        yield

    def lock_row(self, connection: Connection, statement: str) -> None:
        try:
            # In one message, to save round trips to a distant server.
            connection.exec_driver_sql(
                f"SET LOCAL lock_timeout = '1s'; {statement}; SET LOCAL lock_timeout = '60s'"
            )
        except DBAPIError as error:
            if self.code_of(error) == self.lock_timeout_code:
                connection.exec_driver_sql("ROLLBACK")  # the driver begins another
            raise

    def in_code_point_order(self, column: Column[Any]) -> ColumnElement[Any]:
        # By bytes: in UTF-8 they are in the order of the code points.
        return column.collate("C") if isinstance(column.type, TEXTS) else column

    def may_hold_words(self, table: Table, words: Sequence[str]) -> ColumnElement[bool]:  # noqa: ARG002  # an index of it
        return word_search.by_postgresql(words)

    def is_among(self, column: Column[int], name: str) -> ColumnElement[bool]:
        # One array, instead of a parameter for each id.
        return column == any_(bindparam(name, type_=ARRAY(BigInteger)))

    # All rows of a page in one statement, as one JSON text: with a statement per row, the driver
    # needs more than twice the time.

    def send(self, connection: Connection, statement: str, rows: list[tuple[Any, ...]]) -> None:
        for several in texts_of(rows):
            connection.exec_driver_sql(statement, (several,))

    def insert(self, table: str, columns: Sequence[str]) -> str:
        typed = [(f'"{at}"', metadata.tables[table].c[name]) for at, name in enumerate(columns)]
        values = ", ".join(
            f"{value}::jsonb" if isinstance(column.type, Document) else value
            for value, column in typed
        )
        types = ", ".join(f"{value} {_type_of(column)}" for value, column in typed)
        return (
            f"INSERT INTO {self._name(table)} ({self._names(columns)}) "  # noqa: S608  # our own names
            f"SELECT {values} FROM json_to_recordset(%s::json) AS rows ({types})"
        )

    def gather_statistics(self, engine: Engine) -> None:
        # Autovacuum does so once a minute, or never if it is off. Until then each page of a first
        # load is slower than the one before, since the planner reads all rows of the host.
        tables = ", ".join(table.name for table in metadata.sorted_tables)
        with suppress(DBAPIError), engine.begin() as connection:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '1s'; ANALYZE {tables}")

    def continue_numbering(self, connection: Connection, table: Table) -> None:
        if table.autoincrement_column is not None:
            newest = f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id))"
            connection.exec_driver_sql(f"{newest} FROM {table.name}")

    def check_constraints(self, connection: Connection) -> None:
        """Have deferred constraints checked now."""
        connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")

    def code_of(self, error: DBAPIError) -> str | None:
        return getattr(error.orig, "sqlstate", None)

    def is_transient(self, error: DBAPIError) -> bool:
        if super().is_transient(error):
            return True
        # A failed connection has no code; a message of the server itself begins with FATAL.
        words = str(error.orig)
        return (
            isinstance(error, OperationalError)
            and self.code_of(error) is None
            and ("FATAL:" not in words or any(passing in words for passing in _NOT_NOW))
        )

    def blames_row(self, error: DBAPIError) -> bool:
        # Classes of SQLSTATE: values, constraints, a trigger's RAISE, sizes. An error of the
        # driver itself has none.
        classes = ("22", "23", "P0", "54")
        return isinstance(error, DataError) or (self.code_of(error) or "")[:2] in classes


def flaw_of_encoding(connection: Connection) -> str | None:
    """Return the problem with a database's encoding; None if it is UTF8."""
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding == "UTF8":
        return None
    return (
        f"the database's encoding is {encoding}, UTF8 is needed; make another with "
        "CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0"
    )


def _connected(dialect: Any, arguments: Any, options: Any) -> Any:
    return dialect.connect(*arguments, **options)


def _send_alone(cursor: Any, statement: str) -> None:
    # Without parameters, psycopg would send several statements at once: one could end the
    # read-only transaction, the next one write. A prepared statement, and the cursor that is
    # declared on the server, are one statement alone.
    alone = {} if hasattr(cursor, "itersize") else {"prepare": True}
    cursor.execute(statement, **alone)


def texts_of(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield the rows as JSON texts of at most LARGEST bytes, or of one larger row."""
    batch: list[bytes] = []
    size = 0
    for row in rows:
        encoded = _encoder.encode(dict(zip(_POSITIONS, row, strict=False)))
        size += len(encoded)
        if batch and size > LARGEST:
            yield f"[{b','.join(batch).decode()}]"
            batch, size = [], len(encoded)
        batch.append(encoded)
    yield f"[{b','.join(batch).decode()}]"


def _type_of(column: Column[Any]) -> str:
    """Return the SQL type of a column's value in the JSON; documents and times are text there."""
    is_text = isinstance(column.type, (*TEXTS, Document))
    return "text" if is_text else str(column.type.compile(dialect=_WORDS))


def _key(connection: Connection, name: str) -> int:
    """Return a number for a lock's name, since advisory locks have numbers.

    The schema is part of it: locks are shared by the whole database, with a ledger in any schema.
    """
    schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    digest = blake2b(f"{schema}\0{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
