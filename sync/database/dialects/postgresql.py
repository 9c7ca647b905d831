"""PostgreSQL 14 or newer, through psycopg 3."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from sync.database.dialects.base import Finding, ServerDialect
from sync.database.failures import translated

OLDEST = 14  # the major version
_CONNECT_TIMEOUT = 10  # seconds
# How long a statement waits for what another transaction holds; and how long a process that
# was frozen in the middle of a transaction may hold it, which is less.
_WRITING = "-c lock_timeout=60s -c idle_in_transaction_session_timeout=30s -c timezone=UTC"
_MIGRATION = "repoledger: migration"


class Postgresql(ServerDialect):
    """A database on a PostgreSQL server: `postgresql://USER@HOST/DATABASE`."""

    driver = "postgresql+psycopg"
    # Serialization failure, deadlock, the server shuts down or starts, read-only after a failover.
    passing = frozenset({"40001", "40P01", "57P01", "57P02", "57P03", "25006"})

    def writing_engine(
        self,
        stop: threading.Event | None = None,  # noqa: ARG002  # the server's waits
        *,
        create: bool = False,  # noqa: ARG002  # as above
    ) -> Engine:
        return self._engine(_WRITING)

    def reading_engine(self) -> Engine:
        return self._engine("-c default_transaction_read_only=on -c timezone=UTC")

    def _engine(self, options: str, **more: Any) -> Engine:
        arguments = {"options": options, "connect_timeout": _CONNECT_TIMEOUT}
        # A connection that the server has closed meanwhile is noticed before it is used.
        return create_engine(self.url, connect_args=arguments, pool_pre_ping=True, **more)

    def locking_engine(self) -> Engine:
        return self._engine("-c timezone=UTC", poolclass=NullPool, isolation_level="AUTOCOMMIT")

    def try_lock(self, connection: Connection, account: str) -> bool:
        ask = text("SELECT pg_try_advisory_lock(:key)").bindparams(
            key=_key(f"repoledger: {account}")
        )
        with translated(self.where):
            return bool(connection.execute(ask).scalar_one())

    @contextmanager
    def migration_lock(self, connection: Connection) -> Iterator[None]:
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:key)").bindparams(key=_key(_MIGRATION))
        )
        yield

    def findings(self) -> Iterator[Finding]:
        engine = self.reading_engine()
        try:
            with translated(self.where), engine.connect() as connection:
                version = int(connection.execute(text("SHOW server_version_num")).scalar_one())
                encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
                may_create = connection.execute(
                    text("SELECT has_schema_privilege(current_schema(), 'CREATE')")
                ).scalar_one()
        finally:
            engine.dispose()
        major = version // 10_000
        yield Finding.of(major >= OLDEST, f"PostgreSQL {major}, {OLDEST} or newer is needed")
        yield Finding.of(encoding == "UTF8", f"its encoding is {encoding}, UTF8 is needed")
        yield Finding.of(bool(may_create), "the user may make tables in the schema")

    def code_of(self, error: DBAPIError) -> str | None:
        return getattr(error.orig, "sqlstate", None)

    def blames_row(self, error: DBAPIError) -> bool:
        # Values, constraints, what a trigger raises, sizes: the classes of SQLSTATE.
        return (self.code_of(error) or "")[:2] in ("22", "23", "P0", "54")


def _key(name: str) -> int:
    """Return the number that stands for a lock's name: advisory locks have no names."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)
