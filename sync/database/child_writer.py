"""Writes the resources of a repository, within a transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import and_, delete, insert, update

from sync.database.changelog import as_text
from sync.database.child_reader import stored_set
from sync.database.run_transaction import RunTransaction
from sync.database.tables import CHILDREN, COUNTED, page_cache, resource_changes, resource_states
from sync.database.writes import Change, PageEntry
from sync.resources.resource import Resource


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
    """The result of a request for a resource of a repository."""

    status: str
    next_at: datetime | None
    basis: str
    failures: int
    detail: str | None
    changed: bool


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
    common = {"resource": resource.name, "host": transaction.host, "run_id": transaction.run.id}
    rows = [
        {**common, "repository_id": repository, "item_id": item, "observed_at": transaction.now}
        | change._asdict()
        for repository, item, change in changes
    ]
    if rows:
        transaction.connection.execute(insert(resource_changes), rows)


def write_set(
    transaction: RunTransaction, resource: Resource, repository_id: int, told: Mapping[Any, Any]
) -> bool:
    """Store a set, name -> value, for today if it has changed; return whether it has.

    A name that is gone is stored with 0 on the day of its end.
    """
    today = transaction.now.date()
    stored = stored_set(transaction, resource, repository_id, until=today)
    if told == {name: value for name, value in stored.items() if value}:
        return False
    before = stored_set(transaction, resource, repository_id, until=today - timedelta(days=1))
    gone = {name: 0 for name, value in before.items() if value and name not in told}
    table = CHILDREN[resource.name]
    mine = {"host": transaction.host, "repository_id": repository_id, "day": today}
    same = and_(*(table.c[name] == value for name, value in mine.items()))
    transaction.connection.execute(delete(table).where(same))
    (key,), (field,) = resource.key, resource.fields
    rows = [{**mine, key: name, field: value} for name, value in {**gone, **told}.items()]
    if rows:
        transaction.connection.execute(insert(table), rows)
    return True


def note_state(
    transaction: RunTransaction, resource: Resource, repository_id: int, state: NewState
) -> None:
    """Store the result of the account's request."""
    table = resource_states
    key = {
        "account": transaction.account,
        "host": transaction.host,
        "repository_id": repository_id,
        "resource": resource.name,
    }
    row = {name: value for name, value in state._asdict().items() if name != "changed"}
    row["checked_at"] = transaction.now
    if state.changed:
        row["changed_at"] = transaction.now
    mine = and_(*(table.c[name] == value for name, value in key.items()))
    if not transaction.connection.execute(update(table).where(mine).values(row)).rowcount:
        transaction.connection.execute(insert(table).values({**key, **row}))


def remember_pages(
    transaction: RunTransaction,
    resource: Resource,
    repository_id: int,
    entries: Iterable[PageEntry],
) -> None:
    """Remember these pages of a resource, in place of the account's earlier ones."""
    mine = {
        "account": transaction.account,
        "repository_id": repository_id,
        "resource": resource.name,
    }
    same = and_(*(page_cache.c[name] == value for name, value in mine.items()))
    transaction.connection.execute(delete(page_cache).where(same))
    rows = [{**mine, **entry._asdict(), "stored_at": transaction.now} for entry in entries]
    if rows:
        transaction.connection.execute(insert(page_cache), rows)
