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
    create_engine,
    text,
)
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.exc import DataError, DBAPIError, OperationalError

from sync.database.dialects import postgresql_check
from sync.database.dialects.base import LOCK_POLL
from sync.database.dialects.lease import LEASE
from sync.database.dialects.reading import refuse_other_than
from sync.database.dialects.server import ServerDialect, pause
from sync.database.failures import translated
from sync.database.tables import TEXTS, Document, metadata
from sync.errors import DatabaseUnusable
from sync.finding import Finding

_CONNECT_TIMEOUT = 10  # seconds
# What a database or a role may have set otherwise: how values are written, and when a
# transaction's snapshot is taken.
_SESSION = (
    "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 "
    "-c bytea_output=hex -c standard_conforming_strings=on "
    r"-c default_transaction_isolation=read\ committed -c default_transaction_deferrable=off"
)
# How long a statement waits for what another transaction holds; and how long a process that
# was frozen in the middle of a transaction may hold it, which is less.
_WRITING = "-c lock_timeout=60s -c idle_in_transaction_session_timeout=30s"
# A server whose host has vanished is noticed after a minute, also by who waits for an answer: the
# system's own way takes hours.
_KEEPALIVES = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # milliseconds
}
# What a server says to whoever connects when it may be otherwise a moment later.
_NOT_NOW = ("starting up", "shutting down", "too many", "connection slots", "recovery")
_MIGRATION = "repoledger: migration"
_READING = ("SELECT", "WITH", "VALUES", "TABLE", "SHOW", "EXPLAIN")
# PostgreSQL nests comments: one that holds another is taken for none, and refused.
_COMMENTS = r"--[^\r\n]*|/\*(?:(?!/\*|\*/).)*\*/"


_WORDS = PGDialect()  # type: ignore[no-untyped-call]  # it has no types
_encoder = msgspec.json.Encoder()
LARGEST = 16 * 1024 * 1024  # bytes of rows in one statement: the server has to hold them all
_POSITIONS = tuple(map(str, range(100)))  # the most columns of a table, as names


class Postgresql(ServerDialect):
    """A database on a PostgreSQL server: `postgresql://USER@HOST/DATABASE`."""

    driver = "postgresql+psycopg"
    free_locks = "SELECT pg_advisory_unlock_all()"
    waited_in_vain = "55P03"
    # Serialization failure, deadlock, a session that was idle for too long, the server shuts
    # down or starts, too many connections, read-only after a failover.
    passing = frozenset(
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
        engine = self._engine("-c default_transaction_read_only=on")
        refuse_other_than(_READING, engine, comments=_COMMENTS, send=_send_alone)
        return engine

    def _engine(self, options: str, **more: Any) -> Engine:
        # What the URL asks for counts; its own settings, such as a search_path, come before ours.
        given = self.url.query
        ours = {"connect_timeout": _CONNECT_TIMEOUT, **_KEEPALIVES}
        arguments = {
            "options": f"{given.get('options', '')} {_SESSION} {options}".strip(),
            "client_encoding": "utf8",
            **{name: value for name, value in ours.items() if name not in given},
        }
        # A connection that the server has closed meanwhile is noticed before it is used.
        return create_engine(self.url, connect_args=arguments, pool_pre_ping=True, **more)

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
        flaw = postgresql_check.flaw_of_encoding(connection)
        if flaw is not None:
            raise DatabaseUnusable(f"{self.where}: {flaw}")
        ask = text("SELECT pg_try_advisory_xact_lock(:key)").bindparams(
            key=_key(connection, _MIGRATION)
        )
        while not connection.execute(ask).scalar_one():
            pause(connection, LOCK_POLL)
        yield

    def lock_row(self, connection: Connection, statement: str) -> None:
        try:
            # In one message, since a page takes a moment of a distant server's as it is.
            connection.exec_driver_sql(
                f"SET LOCAL lock_timeout = '1s'; {statement}; SET LOCAL lock_timeout = '60s'"
            )
        except DBAPIError as error:
            if self.code_of(error) == self.waited_in_vain:
                connection.exec_driver_sql("ROLLBACK")  # the driver begins another
            raise

    def examined(self, connection: Connection, newest: str) -> Iterator[Finding]:
        return postgresql_check.examined(connection, newest)

    def in_code_point_order(self, column: Column[Any]) -> ColumnElement[Any]:
        # Bytes, which in UTF-8 are in the order of the code points.
        return column.collate("C") if isinstance(column.type, TEXTS) else column

    def is_among(self, column: Column[int], name: str) -> ColumnElement[bool]:
        # One value, where the driver would have to write each by itself.
        return column == any_(bindparam(name, type_=ARRAY(BigInteger)))

    # All rows of a page as one JSON text, in a statement: the driver needs more than twice the
    # time for a statement of each row, whose every value it has to write by itself.

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
        # It does so itself once a minute, or never if it was told so. By then each page of a
        # first load takes longer than the one before: all rows of the host are gone through.
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

    def may_pass(self, error: DBAPIError) -> bool:
        if super().may_pass(error):
            return True
        # A connection that could not be made has no code; the server says FATAL if it was there.
        words = str(error.orig)
        return (
            isinstance(error, OperationalError)
            and self.code_of(error) is None
            and ("FATAL:" not in words or any(passing in words for passing in _NOT_NOW))
        )

    def blames_row(self, error: DBAPIError) -> bool:
        # Values, constraints, what a trigger raises, sizes: the classes of SQLSTATE. What the
        # driver refuses by itself has none.
        classes = ("22", "23", "P0", "54")
        return isinstance(error, DataError) or (self.code_of(error) or "")[:2] in classes


def _send_alone(cursor: Any, statement: str) -> None:
    # The way psycopg usually sends a statement without parameters, several would be taken: one
    # that ends the read-only transaction, and one that writes.
    cursor.execute(statement, prepare=True)


def texts_of(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield the rows as JSON texts, none larger than LARGEST unless one row alone is."""
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
    """Return how a value of a column comes in JSON: documents, and times and so on, as text."""
    is_text = isinstance(column.type, (*TEXTS, Document))
    return "text" if is_text else str(column.type.compile(dialect=_WORDS))


def _key(connection: Connection, name: str) -> int:
    """Return the number that stands for a lock's name: advisory locks have no names.

    They are of the whole database, which may hold a ledger in each schema.
    """
    schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    digest = blake2b(f"{schema}\0{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
