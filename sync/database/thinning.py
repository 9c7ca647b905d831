"""Prunes a whole ledger at once: what each run prunes a part of, and counts what stays."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Select, and_, delete, func, or_, select

from sync.config.sections import Retention
from sync.core.errors import Interrupted
from sync.database import migrate
from sync.database.dialects import Dialect, dialect_of
from sync.database.failures import translated
from sync.database.pruning import first_and_last, forget_runs, referred_to
from sync.database.tables import rejected_items, resource_runs, sync_runs

_AT_A_TIME = 1_000  # rows of a table in a transaction
_run, _item = sync_runs.c, rejected_items.c
_Place = tuple[datetime, int]


@dataclass(slots=True)
class Thinned:
    """What was pruned: the rows of each table before and those deleted.

    `referred`: old runs that stay because changes or rejected items refer to them; `telling`:
    those that tell how an account stands. `now`: the time by which ages were judged.
    """

    now: datetime
    rows: dict[str, int] = field(default_factory=dict)
    deleted: dict[str, int] = field(default_factory=dict)
    referred: int = 0
    telling: int = 0


def thin(
    url: str,
    retention: Retention,
    now: datetime,
    stop: threading.Event,
    *,
    agreeing_runs: int,
    dry_run: bool = False,
) -> Thinned:
    """Delete all rows that are older than their retention and not needed; see `prune`.

    Ages count from `now` or the newest run, whichever is earlier, so that a clock that is ahead
    deletes nothing too early. `dry_run`: only count. Other processes can write meanwhile. Raises
    SchemaMissing, DatabaseError, Interrupted; what was deleted until then stays deleted.
    """
    dialect = dialect_of(url)
    migrate.require_current(migrate.check(url), dialect.where)
    engine = dialect.reading_engine() if dry_run else dialect.writing_engine(stop)
    try:
        return _Thinning(dialect, engine, stop, agreeing_runs, dry_run=dry_run).all(retention, now)
    finally:
        engine.dispose()


class _Thinning:
    def __init__(
        self,
        dialect: Dialect,
        engine: Engine,
        stop: threading.Event,
        agreeing_runs: int,
        *,
        dry_run: bool,
    ) -> None:
        self._dialect = dialect
        self._engine = engine
        self._stop = stop
        self._agreeing_runs = agreeing_runs
        self._dry_run = dry_run

    def all(self, retention: Retention, now: datetime) -> Thinned:
        with self._transaction() as connection:
            newest = connection.execute(select(func.max(_run.started_at))).scalar()
            now = min(now, newest) if newest else now
            counted = {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (sync_runs, resource_runs, rejected_items)
            }
        done = Thinned(now, counted, dict.fromkeys(counted, 0))
        met_since = now - timedelta(seconds=retention.rejected)
        self._items(met_since, done)
        self._runs(now - timedelta(seconds=retention.runs), met_since, done)
        return done

    def _items(self, moment: datetime, done: Thinned) -> None:
        old = _item.last_seen_at < moment
        if self._dry_run:
            with self._transaction() as connection:
                number = select(func.count()).select_from(rejected_items).where(old)
                done.deleted["rejected_items"] = connection.execute(number).scalar_one()
            return
        while True:
            with self._transaction() as connection:
                some = select(_item.id).where(old).order_by(_item.id).limit(_AT_A_TIME)
                ids = connection.execute(some).scalars().all()
                if not ids:
                    return
                connection.execute(delete(rejected_items).where(_item.id.in_(ids)))
            done.deleted["rejected_items"] += len(ids)

    def _runs(self, moment: datetime, met_since: datetime, done: Thinned) -> None:
        place: _Place | None = None
        while True:
            with self._transaction() as connection:
                rows = connection.execute(_after(place, moment)).all()
                if not rows:
                    return
                old = {row.id for row in rows}
                referred = referred_to(connection, old, rejected_since=met_since)
                accounts = {row.account for row in rows}
                telling = first_and_last(connection, accounts, self._agreeing_runs) & old
                gone = sorted(old - referred - telling)
                counts = self._forget(connection, gone)
            done.referred += len(referred)
            done.telling += len(telling - referred)
            done.deleted["sync_runs"] += len(gone)
            done.deleted["resource_runs"] += counts
            place = (rows[-1].started_at, rows[-1].id)

    def _forget(self, connection: Connection, runs: list[int]) -> int:
        if not self._dry_run:
            return forget_runs(connection, runs)
        counted = select(func.count()).where(resource_runs.c.run_id.in_(runs))
        number: int = connection.execute(counted).scalar_one()
        return number

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        if self._stop.is_set():
            raise Interrupted("stopped while pruning; run the same command again to continue")
        with translated(self._dialect.where), self._engine.begin() as connection:
            if not self._dry_run:
                self._dialect.one_writer(connection)
                migrate.require_current(migrate.revision(connection), self._dialect.where)
            yield connection


def _after(place: _Place | None, moment: datetime) -> Select[Any]:
    """Return the query of the next runs that began before `moment`."""
    statement = select(_run.started_at, _run.id, _run.account).where(_run.started_at < moment)
    if place is not None:
        at, id_ = place
        later = or_(_run.started_at > at, and_(_run.started_at == at, _run.id > id_))
        statement = statement.where(_run.started_at >= at, later)
    return statement.order_by(_run.started_at, _run.id).limit(_AT_A_TIME)
