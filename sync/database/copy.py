"""Copies a ledger to another database of any kind.

Rows that are already the same are left alone. So an interrupted copy continues where it
stopped, and a second one transfers the changes since the first.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, Table, and_, bindparam, delete, func, select
from sqlalchemy.exc import DBAPIError

from sync.core.errors import DatabaseError, DatabaseUnusable, Interrupted
from sync.database import migrate
from sync.database.compare import TABLES, Key, Row, Snapshot, key_of, pairs, snapshot
from sync.database.dialects import dialect_of
from sync.database.failures import reason_of, translated
from sync.database.tables import sync_runs

_AT_A_TIME = 500  # rows in a transaction
# The runs first: by them the target is recognised as a copy of this ledger.
_ORDER = (sync_runs, *(table for table in TABLES if table is not sync_runs))


@dataclass(slots=True)
class Copied:
    """The result for a table: its rows, and the numbers of rows written and deleted."""

    table: str
    rows: int = 0
    written: int = 0
    deleted: int = 0


def copy(source: Snapshot, target_url: str, stop: threading.Event) -> list[Copied]:
    """Make the ledger at `target_url` the same as `source`; create it if there is none.

    Only a database without a ledger, or with an earlier copy of the same ledger, is written
    to. Each transaction checks that no other process has begun to sync into it. Raises
    DatabaseUnusable, SchemaOutdated, SchemaTooNew, DatabaseError, Interrupted.
    """
    target_dialect = dialect_of(target_url)
    if migrate.check(target_url) is None:
        migrate.upgrade(target_url, stop)
    elif source.dialect.is_same_as(target_dialect):
        raise DatabaseUnusable(
            f"{target_dialect.where}: is the database to copy from; name another one"
        )
    # The writer is closed last: only that empties the write-ahead log of a SQLite file.
    with closing(_Target(target_url, stop)) as target, snapshot(target_url, stop) as there:
        newest = _require_copy_of(source, there)
        done, extras = [], {}
        for table in _ORDER:
            copied, extras[table] = _copy_table(table, source, there, target)
            done.append(copied)
            if table is sync_runs:
                target.newest_run = newest
        for table, copied in reversed(list(zip(_ORDER, done, strict=True))):
            target.delete(table, extras[table])
            copied.deleted = len(extras[table])
        target.gather_statistics()
    return done


def fill(
    source: Snapshot, target_url: str, tables: Collection[Table], stop: threading.Event
) -> None:
    """Copy `tables` of `source` to a new ledger. Raises DatabaseError, Interrupted."""
    migrate.upgrade(target_url, stop)
    with closing(_Target(target_url, stop)) as target:
        for table in tables:
            rows = source.rows(table)
            while batch := list(islice(rows, _AT_A_TIME)):
                target.write(table, batch)


def _require_copy_of(source: Snapshot, target: Snapshot) -> int | None:
    """Return the source's newest run. Raises DatabaseUnusable if the target has rows of its own."""
    newest, runs, alone = None, 0, None
    for mine, other in pairs(sync_runs, source.rows(sync_runs), target.rows(sync_runs)):
        if mine is not None:
            newest = mine[0]
        if other is None:
            continue
        runs += 1
        alone = other if mine is None else None
        if mine and not _is_same_run(mine, other):
            raise _own_ledger(target, f"its run {other[0]} is not one of {source.where}")
    if alone is not None:  # not a run that the source has pruned: it keeps its first and last runs
        raise _own_ledger(target, f"its run {alone[0]} is not one of {source.where}")
    if not runs and target.count():
        raise _own_ledger(target, "without runs, it cannot be told from others")
    return newest


def _is_same_run(mine: Row, other: Row) -> bool:
    """Return whether both are the same run, also if its times were set back (`ledger_time.py`)."""
    names = [column.name for column in sync_runs.columns]
    account, started = names.index("account"), names.index("started_at")
    here, there = mine[started], other[started]
    set_back: bool = here < there and here.microsecond == there.microsecond
    return bool(mine[account] == other[account]) and (here == there or set_back)


def _own_ledger(target: Snapshot, why: str) -> DatabaseUnusable:
    return DatabaseUnusable(
        f"{target.where}: holds a ledger of its own ({why}); nothing was written. Copy to an "
        "empty database"
    )


def _copy_table(
    table: Table, source: Snapshot, there: Snapshot, target: _Target
) -> tuple[Copied, list[Key]]:
    """Write missing and different rows; return the counts, and the keys of surplus rows."""
    copied = Copied(table.name)
    extra: list[Key] = []
    batch: list[Row] = []
    key = key_of(table)

    def flush() -> None:
        target.write(table, batch)
        copied.written += len(batch)
        batch.clear()

    for mine, other in pairs(table, source.rows(table), there.rows(table)):
        if mine is None:
            extra.append(key(other or ()))
            continue
        copied.rows += 1
        if mine != other:
            batch.append(mine)
        if len(batch) >= _AT_A_TIME:
            flush()
    flush()
    return copied, extra


class _Refused(DatabaseError):
    """The database refused a row."""


class _Target:
    """The target of a copy. Each batch of rows is a transaction."""

    def __init__(self, url: str, stop: threading.Event) -> None:
        self.newest_run: int | None = None
        self._stop = stop
        self._dialect = dialect_of(url)
        self._engine = self._dialect.writing_engine(stop)

    def close(self) -> None:
        self._engine.dispose()

    def gather_statistics(self) -> None:
        """Update the planner's statistics; see `Dialect.gather_statistics`."""
        self._dialect.gather_statistics(self._engine)

    def write(self, table: Table, rows: list[Row]) -> None:
        """Insert or update rows. Raises DatabaseError that names a refused row."""
        try:
            self._write(table, rows)
        except _Refused as refusal:
            if len(rows) > 1:
                for row in rows:
                    self.write(table, [row])
                return
            (row,) = rows
            key = ", ".join(map(str, key_of(table)(row)))
            raise DatabaseError(
                f"{self._dialect.where}: refuses the row {key} of {table.name}: {refusal}"
            ) from None

    def _write(self, table: Table, rows: list[Row]) -> None:
        if not rows:
            return
        names = [column.name for column in table.columns]
        key = [column.name for column in table.primary_key]
        others = [name for name in names if name not in key]
        statement = self._dialect.upsert(table.name, key, names, others)
        with self._transaction() as connection:
            for row in rows:
                texts = (value for value in row if isinstance(value, str))
                reason = self._dialect.too_long(connection, texts)
                if reason is not None:
                    raise _Refused(reason)
            try:
                adapted = [tuple(map(self._dialect.adapt, row)) for row in rows]
                self._dialect.send(connection, statement, adapted)
            except DBAPIError as error:
                if self._dialect.blames_row(error):
                    raise _Refused(reason_of(error)) from None
                raise
            self._dialect.continue_numbering(connection, table)

    def delete(self, table: Table, keys: list[Key]) -> None:
        """Delete the rows with these keys."""
        columns = list(table.primary_key)
        matches = and_(*(column == bindparam(f"key_{column.name}") for column in columns))
        for start in range(0, len(keys), _AT_A_TIME):
            some = keys[start : start + _AT_A_TIME]
            parameters = [
                {f"key_{c.name}": part for c, part in zip(columns, key, strict=True)}
                for key in some
            ]
            with self._transaction() as connection:
                connection.execute(delete(table).where(matches), parameters)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """Yield a transaction that no run can write beside, if none has synced meanwhile."""
        if self._stop.is_set():
            raise Interrupted("stopped while copying; run the same command again to continue")
        with translated(self._dialect.where), self._engine.begin() as connection:
            self._dialect.one_writer(connection)
            migrate.require_current(migrate.revision(connection), self._dialect.where)
            newest = connection.execute(select(func.max(sync_runs.c.id))).scalar_one()
            if self.newest_run is not None and newest != self.newest_run:
                raise DatabaseError(
                    f"{self._dialect.where}: another process syncs into it; stop that process, "
                    "and copy to an empty database"
                )
            yield connection
