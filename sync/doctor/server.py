"""Constants and the connection shared by the checks of PostgreSQL and of MySQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from sync.database.dialects import VERSION_TABLE, Dialect
from sync.database.failures import translated
from sync.database.tables import metadata

NEEDED_CONNECTIONS = 2  # of a run: one writes, one holds the account's lock
TABLES = (*metadata.tables, VERSION_TABLE)


@contextmanager
def connection_to(dialect: Dialect) -> Iterator[Connection]:
    """Connect with the settings of a run. Nothing is committed. Raises DatabaseError."""
    engine = dialect.writing_engine()
    try:
        with translated(dialect.where), engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
