"""Writes the resources of a repository, within a transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, delete, insert, update

from sync.database.changelog import as_text
from sync.database.dialects import Dialect
from sync.database.run_transaction import RunTransaction
from sync.database.tables import CHILDREN, COUNTED, page_cache, resource_changes, resource_states
from sync.database.writes import Change, PageEntry
from sync.resources.resource import Resource

_HOUR = timedelta(hours=1)
# Statements that each answer needs are built once: that takes as long as executing one.
_DATED = ("checked_at", "changed_at")
_PAGES_OF = ("account", "repository_id", "resource")
_EARLIER_PAGES = delete(page_cache).where(
    *(page_cache.c[name] == bindparam(name) for name in _PAGES_OF)
)


class ItemWrite(NamedTuple):
    """An item to insert or update.

    `parents`: ids, the nearest first. `values`: in the order of `Resource.fields`.
    `counted`: whether a counter changed.
    """

    id: int
    parents: tuple[int, ...]
    values: tuple[Any, ...]
    payload: str | None
    changes: tuple[Change, ...]
    counted: bool


class NewState(NamedTuple):
    """The result of a request for a resource of a repository; see `resource_states`."""

    status: str
    next_at: datetime | None
    lost_at: datetime | None
    basis: str
    cursor: str
    failures: int
    detail: str | None


def write_items(
    transaction: RunTransaction, resource: Resource, writes: Sequence[ItemWrite]
) -> dict[int, str]:
    """Write items with their changes and counters; return the database's refusals, by id.

    It writes all at once and, if the database refuses that, one by one.
    """
    ordered = sorted(writes, key=lambda write: write.id)
    if not ordered or _attempt(transaction, resource, ordered) is None:
        return {}
    reasons = {write.id: _attempt(transaction, resource, [write]) for write in ordered}
    return {id_: reason for id_, reason in reasons.items() if reason is not None}


def _attempt(
    transaction: RunTransaction, resource: Resource, writes: Sequence[ItemWrite]
) -> str | None:
    texts = (t for w in writes for t in (*w.values, w.payload) if isinstance(t, str))
    return transaction.dialect.too_long(transaction.connection, texts) or transaction.attempt(
        partial(_write, transaction, resource, writes)
    )


def _write(transaction: RunTransaction, resource: Resource, writes: Sequence[ItemWrite]) -> None:
    adapt, table = transaction.dialect.adapt, CHILDREN[resource.name]
    now = transaction.now
    rows: list[dict[str, Any]] = [
        {
            "host": transaction.host,
            "id": write.id,
            **dict(zip((p.item_id for p in resource.parents), write.parents, strict=True)),
            **dict(zip(resource.fields, write.values, strict=True)),
            "payload": write.payload,
            "first_seen_at": now,
            "changed_at": now,
            "removed_at": None,  # an item of an answer is not removed, or no longer
        }
        for write in writes
    ]
    names = [name for name in rows[0] if name in table.columns]
    changing = [name for name in names if name not in ("host", "id", "first_seen_at")]
    statement = transaction.dialect.upsert(table.name, ("host", "id"), names, changing)
    found = [tuple(adapt(row[name]) for name in names) for row in rows]
    transaction.dialect.send(transaction.connection, statement, found)
    _count(transaction, resource, [write for write in writes if write.counted])
    log_changes(
        transaction,
        resource,
        ((write.parents[-1], write.id, c) for write in writes for c in write.changes),
    )


def _count(transaction: RunTransaction, resource: Resource, writes: Sequence[ItemWrite]) -> None:
    """Write the counters of these items for today."""
    if resource.name not in COUNTED or not writes:
        return
    table, at = COUNTED[resource.name], [resource.fields.index(n) for n in resource.by_day]
    key, day = ("host", resource.item_id, "day"), transaction.now.date()
    statement = transaction.dialect.upsert(
        table.name, key, (*key, *resource.by_day), resource.by_day
    )
    rows = [(transaction.host, w.id, day, *(w.values[n] for n in at)) for w in writes]
    transaction.dialect.send(
        transaction.connection, statement, [tuple(map(transaction.dialect.adapt, r)) for r in rows]
    )


def mark_gone(
    transaction: RunTransaction, resource: Resource, repository_id: int, ids: Collection[int]
) -> None:
    """Mark items that GitHub no longer lists as removed."""
    if not ids:
        return
    table = CHILDREN[resource.name]
    dated = {
        name: transaction.now for name in ("removed_at", "changed_at") if name in table.columns
    }
    mine = and_(table.c.host == transaction.host, table.c.id.in_(sorted(ids)))
    transaction.connection.execute(update(table).where(mine).values(dated))
    gone = Change("removed_at", None, as_text(transaction.now))
    log_changes(transaction, resource, ((repository_id, id_, gone) for id_ in sorted(ids)))


def log_changes(
    transaction: RunTransaction, resource: Resource, changes: Iterable[tuple[int, int, Change]]
) -> None:
    """Write changes to the log; each is a repository's id, an item's id and the change."""
    common = {"resource": resource.table, "host": transaction.host, "run_id": transaction.run.id}
    rows = [
        {**common, "repository_id": repository, "item_id": item, "observed_at": transaction.now}
        | change._asdict()
        for repository, item, change in changes
    ]
    if rows:
        transaction.connection.execute(insert(resource_changes), rows)


def note_state(
    transaction: RunTransaction,
    resource: str,
    repository_id: int,
    state: NewState,
    *,
    changed: bool,
) -> None:
    """Store the result of the account's request. `changed`: whether it changed a row."""
    dialect, dated = transaction.dialect, _DATED if changed else _DATED[:1]
    mine = (transaction.account, transaction.host, repository_id, resource)
    row = (*mine, *state, *(transaction.now for _ in dated))
    dialect.send(transaction.connection, _state(dialect, dated), [tuple(map(dialect.adapt, row))])


@cache
def _state(dialect: Dialect, dated: tuple[str, ...]) -> str:
    key = ("account", "host", "repository_id", "resource")
    changing = (*NewState._fields, *dated)
    return dialect.upsert(resource_states.name, key, (*key, *changing), changing)


def note_behind(transaction: RunTransaction, resource: str, since: date, lost_at: datetime) -> None:
    """Store when what was not counted yet is lost, for all that was read since this day began."""
    state = resource_states.c
    mine = and_(state.account == transaction.account, state.host == transaction.host)
    begun = datetime.combine(since, time(), UTC)
    read = and_(state.resource == resource, state.checked_at >= begun)
    transaction.connection.execute(
        update(resource_states).where(mine, read, state.lost_at > lost_at).values(lost_at=lost_at)
    )


def note_outage(resource: str, transaction: RunTransaction) -> None:
    """Have what failed in this run requested in an hour, as far as it can be lost.

    So many failed that they say nothing about a repository of its own.
    """
    state, again = resource_states.c, transaction.now + _HOUR
    mine = and_(state.account == transaction.account, state.host == transaction.host)
    failed = and_(
        *(state.resource == resource, state.status == "failed", state.lost_at.is_not(None)),
        *(state.checked_at >= transaction.run.started_at, state.next_at > again),
    )
    transaction.connection.execute(
        update(resource_states).where(mine, failed).values(next_at=again)
    )


def remember_pages(
    transaction: RunTransaction, resource: str, repository_id: int, entries: Iterable[PageEntry]
) -> None:
    """Remember these pages of a resource, in place of the account's earlier ones."""
    dialect, mine = transaction.dialect, (transaction.account, repository_id, resource)
    named = dict(zip(_PAGES_OF, mine, strict=True))
    transaction.connection.execute(_EARLIER_PAGES, named)
    rows = [tuple(map(dialect.adapt, (*mine, *entry, transaction.now))) for entry in entries]
    if rows:
        dialect.send(transaction.connection, _page(dialect), rows)


@cache
def _page(dialect: Dialect) -> str:
    return dialect.insert(page_cache.name, (*_PAGES_OF, *PageEntry._fields, "stored_at"))
