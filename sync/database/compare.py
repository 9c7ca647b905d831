"""Compares two ledgers: whether every row of every table is the same in both.

Both are read from a snapshot, in the order of their keys. Rows are compared as Python
values, so that 1 in SQLite equals true in PostgreSQL.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, CursorResult, Table, func, select

from sync.core.errors import Interrupted
from sync.database import migrate
from sync.database.dialects import Dialect, dialect_of
from sync.database.failures import translated
from sync.database.tables import metadata, sync_runs

Row = tuple[Any, ...]
Key = tuple[Any, ...]

# Each table after the tables that its rows refer to.
TABLES = tuple(metadata.sorted_tables)
_AT_A_TIME = 500  # rows
_EXAMPLES = 10  # different rows shown for each table


class Snapshot:
    """A consistent snapshot of a ledger.

    `on_rows` is called now and then with the number of rows read since the last call.
    """

    def __init__(self, connection: Connection, dialect: Dialect, stop: threading.Event) -> None:
        self.dialect = dialect
        self.where = dialect.where
        self.on_rows: Callable[[int], object] = lambda _: None
        self.connection = connection
        self._stop = stop
        self._results: list[CursorResult[Any]] = []

    def close(self) -> None:
        """Close unfinished queries, whose cursors a server keeps open."""
        for result in self._results:
            result.close()

    def rows(self, table: Table) -> Iterator[Row]:
        """Yield the table's rows, with the columns of our schema, in the order of their keys."""
        order = [self.dialect.in_code_point_order(column) for column in table.primary_key]
        result = self.connection.execute(
            select(table).order_by(*order), execution_options={"yield_per": _AT_A_TIME}
        )
        self._results.append(result)
        for partition in result.partitions():
            if self._stop.is_set():
                raise Interrupted("stopped while reading")
            yield from map(tuple, partition)
            self.on_rows(len(partition))

    def count(self) -> int:
        """Return the number of rows in all tables."""
        return sum(
            self.connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in TABLES
        )

    def accounts_running(self) -> list[str]:
        """Return the accounts whose latest run was not finished at that moment."""
        running = select(sync_runs.c.account).where(sync_runs.c.status == "running").distinct()
        return list(self.connection.execute(running).scalars())


@contextmanager
def snapshot(url: str, stop: threading.Event) -> Iterator[Snapshot]:
    """Open a snapshot of the ledger at `url`.

    Raises DatabaseUnusable, SchemaMissing, SchemaOutdated, SchemaTooNew; Interrupted
    once `stop` is set.
    """
    dialect = dialect_of(url)
    migrate.require_current(migrate.check(url), dialect.where)
    engine = dialect.reading_engine()
    try:
        with translated(dialect.where), engine.connect() as connection:
            if dialect.snapshot_level is not None:
                connection.execution_options(isolation_level=dialect.snapshot_level)
            with closing(Snapshot(connection, dialect, stop)) as opened:
                yield opened
    finally:
        engine.dispose()


class Example(NamedTuple):
    """A row that differs: its key, and the ledger that lacks it or the columns that differ."""

    key: Key
    why: str


@dataclass(slots=True)
class Comparison:
    """The comparison of a table in one ledger ("here") with that in another ("there").

    `missing`: rows only here. `extra`: rows only there. The checksums cover all rows in the
    order of their keys.
    """

    table: str
    rows_here: int = 0
    rows_there: int = 0
    missing: int = 0
    extra: int = 0
    different: int = 0
    checksum_here: str = ""
    checksum_there: str = ""
    examples: list[Example] = field(default_factory=list)

    @property
    def identical(self) -> bool:
        return self.checksum_here == self.checksum_there and not (
            self.missing or self.extra or self.different
        )


def compare(here: Snapshot, there: Snapshot) -> Iterator[Comparison]:
    """Yield the comparison of each table, as soon as it is finished."""
    for table in TABLES:
        yield _compare_table(table, here.rows(table), there.rows(table))


def pairs(
    table: Table, here: Iterator[Row], there: Iterator[Row]
) -> Iterator[tuple[Row | None, Row | None]]:
    """Yield rows with the same key as pairs; None for the side that lacks the key."""
    key = key_of(table)
    mine, other = next(here, None), next(there, None)
    while mine is not None or other is not None:
        if other is None or (mine is not None and key(mine) < key(other)):
            yield mine, None
            mine = next(here, None)
        elif mine is None or key(other) < key(mine):
            yield None, other
            other = next(there, None)
        else:
            yield mine, other
            mine, other = next(here, None), next(there, None)


def key_of(table: Table) -> Callable[[Row], Key]:
    """Return a function that returns the primary key of a row."""
    names = [column.name for column in table.columns]
    positions = [names.index(column.name) for column in table.primary_key]
    return lambda row: tuple(row[position] for position in positions)


def _compare_table(table: Table, here: Iterator[Row], there: Iterator[Row]) -> Comparison:
    found = Comparison(table.name)
    key = key_of(table)
    sum_here, sum_there = _Checksum(), _Checksum()
    for mine, other in pairs(table, here, there):
        if mine is not None:
            found.rows_here += 1
            sum_here.add(mine)
        if other is not None:
            found.rows_there += 1
            sum_there.add(other)
        if mine == other:
            continue
        found.missing += other is None
        found.extra += mine is None
        found.different += mine is not None and other is not None
        if len(found.examples) < _EXAMPLES:
            found.examples.append(Example(key(mine or other or ()), _why(table, mine, other)))
    found.checksum_here, found.checksum_there = str(sum_here), str(sum_there)
    return found


def _why(table: Table, mine: Row | None, other: Row | None) -> str:
    if mine is None:
        return "only there"
    if other is None:
        return "only here"
    named = zip(table.columns, mine, other, strict=True)
    return "differs in " + ", ".join(column.name for column, a, b in named if a != b)


class _Checksum:
    """A checksum of rows in their order: 64 bits of BLAKE2b over their JSON."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=8)
        self._encoder = msgspec.json.Encoder()

    def add(self, row: Row) -> None:
        self._hash.update(self._encoder.encode(row))
        self._hash.update(b"\n")

    def __str__(self) -> str:
        return self._hash.hexdigest()
