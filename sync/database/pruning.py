"""Deletes old rows: rejected items, and runs that no other row refers to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, or_, select

from sync.config.sections import Retention
from sync.database.run_transaction import RunTransaction
from sync.database.tables import (
    rejected_items,
    repository_changes,
    resource_changes,
    resource_runs,
    sync_runs,
)
from sync.database.writes import GOOD, RESOURCES_ONLY

_AT_ONCE = 1_000  # rows of a table read in one call, which takes milliseconds
_run, _item = sync_runs.c, rejected_items.c
_CHANGES = (repository_changes.c.run_id, resource_changes.c.run_id)


class Pruned(NamedTuple):
    """The number of rows deleted from each table."""

    sync_runs: int
    rejected_items: int


def prune(
    transaction: RunTransaction,
    retention: Retention,
    now: datetime,
    *,
    agreeing_runs: int,
    start: float,
) -> Pruned:
    """Delete some rows that are older than their retention and not needed.

    Needed are the first run of all, each account's last run, last good run and last
    `agreeing_runs` complete runs, and runs that changes or rejected items refer to. A run that
    read resources alone is needed only as the last of all. `start`: where to begin among the old
    runs, from 0 to 1; at random, since most may be needed.
    """
    connection = transaction.connection
    items = _rejected_before(connection, now - timedelta(seconds=retention.rejected))
    _delete(connection, _item.id, items)
    old = _runs_before(connection, now - timedelta(seconds=retention.runs), start)
    needed = referred_to(connection, old) | first_and_last(
        connection, set(old.values()), agreeing_runs
    )
    runs = old.keys() - needed
    forget_runs(connection, runs)
    return Pruned(len(runs), len(items))


def forget_runs(connection: Connection, runs: Collection[int]) -> int:
    """Delete these runs with their counts of resources; return the number of the latter."""
    counted = resource_runs.c.run_id.in_(runs)
    counts = select(func.count()).select_from(resource_runs).where(counted)
    number: int = connection.execute(counts).scalar_one() if runs else 0
    _delete(connection, resource_runs.c.run_id, runs)
    _delete(connection, _run.id, runs)
    return number


def _delete(connection: Connection, key: Any, ids: Collection[int]) -> None:
    if ids:
        connection.execute(delete(key.table).where(key.in_(sorted(ids))))


def _rejected_before(connection: Connection, moment: datetime) -> list[int]:
    old = select(_item.id).where(_item.last_seen_at < moment).order_by(_item.last_seen_at)
    return list(connection.execute(old.limit(_AT_ONCE)).scalars())


def _runs_before(connection: Connection, moment: datetime, start: float) -> dict[int, str]:
    """Return some runs that began before `moment`: the account by the run's id."""
    first = connection.execute(select(func.min(_run.started_at))).scalar()
    if first is None or first >= moment:
        return {}
    old = select(_run.id, _run.account).where(_run.started_at < moment)
    old = old.order_by(_run.started_at, _run.id).limit(_AT_ONCE)
    asked = [old.where(_run.started_at >= first + (moment - first) * start), old]
    found: dict[int, str] = {}
    for statement in asked:
        if len(found) < _AT_ONCE:
            found.update((row.id, row.account) for row in connection.execute(statement))
    return found


def referred_to(
    connection: Connection, runs: Collection[int], *, rejected_since: datetime | None = None
) -> set[int]:
    """Return those of `runs` that changes or rejected items refer to.

    `rejected_since`: only items that were met since then, or whose time is not known.
    """
    changes = (select(c).where(c.in_(runs)) for c in _CHANGES)
    items = select(_item.run_id).where(_item.run_id.in_(runs))
    if rejected_since is not None:
        items = items.where(or_(_item.last_seen_at.is_(None), _item.last_seen_at >= rejected_since))
    asked = (*changes, items)
    return {id_ for each in asked for id_ in connection.execute(each.distinct()).scalars().all()}


def first_and_last(
    connection: Connection, accounts: Iterable[str], agreeing_runs: int
) -> set[int | None]:
    """Return the first run of all, and the runs that tell how these accounts stand."""
    needed = {connection.execute(select(func.min(_run.id))).scalar()}
    for account in accounts:
        mine = _run.account == account
        last = select(func.max(_run.id)).where(mine)
        synced = last.where(_run.trigger != RESOURCES_ONLY)
        good = synced.where(_run.status.in_(GOOD))
        needed |= {connection.execute(each).scalar() for each in (last, synced, good)}
        complete = select(_run.id).where(mine, _run.complete, _run.finished_at.is_not(None))
        complete = complete.order_by(_run.id.desc()).limit(agreeing_runs)
        needed.update(connection.execute(complete).scalars())
    return needed
