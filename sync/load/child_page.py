"""Stores a resource of one repository, within a transaction: read, plan, write."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sync.database import child_clearing, child_reader, child_writer
from sync.database.resource_runs import ResourceCounts
from sync.database.run_transaction import RunTransaction
from sync.database.writes import Rejection
from sync.forges.answers import ChildPage
from sync.forges.records import Inner
from sync.load.child_plan import ToldItem, gone_from, plan_items
from sync.resources import within
from sync.resources.resource import Resource


def store_items(
    transaction: RunTransaction, resource: Resource, repository_id: int, pages: Sequence[ChildPage]
) -> ResourceCounts:
    """Write items that differ, and their inner items; mark items that are gone."""
    items = {it.record.id: it for each in pages for it in each.items}
    rejected = [it for each in pages for it in each.rejected]
    listed = {id_ for each in pages for id_ in each.ids}
    told = [
        ToldItem(id_, (repository_id,), _values(resource, it.record), it.payload)
        for id_, it in items.items()
    ]
    stored = child_reader.stored_items(transaction, resource, repository_id)
    # An item without an id could be any stored item: then none counts as gone.
    unreadable = any(it.id is None for it in rejected)
    before = child_reader.ids_shown(transaction, resource, repository_id)
    gone = () if unreadable else gone_from(resource, stored, listed, before)
    writes = plan_items(resource, stored, told)
    refused = child_writer.write_items(transaction, resource, writes)
    child_writer.mark_gone(transaction, resource, repository_id, gone)
    withheld = {id_ for each in pages for id_ in each.withheld}
    child_clearing.clear_items(transaction, resource, withheld & stored.keys())
    counts = ResourceCounts(stored=len(writes) - len(refused) + len(gone))
    reasons = [(it.position, it.reason, it.payload) for it in rejected]
    reasons += [(items[id_].position, f"id {id_}: {r}", None) for id_, r in refused.items()]
    for inner in within(resource):
        held = {
            id_: getattr(it.record, str(inner.within))
            for id_, it in items.items()
            if id_ not in refused
        }
        inside = [
            ToldItem(each.id, (id_, repository_id), _values(inner, each), None)
            for id_, found in held.items()
            for each in found
        ]
        odd = {id_: [e for e in items[id_].left_out if e.within == inner.within] for id_ in held}
        counts += _store_inside(
            transaction, inner, repository_id, inside, {*held, *gone}, odd, reasons
        )
    _reject(transaction, resource, repository_id, reasons)
    return counts + ResourceCounts(skipped=len(reasons))


def is_idle(transaction: RunTransaction, resource: Resource, repository_id: int) -> bool:
    """Return whether the repository has no current item of `Resource.idle_without`."""
    for inner in within(resource):
        if inner.name == resource.idle_without:
            stored = child_reader.stored_items(transaction, inner, repository_id)
            return all(item.removed_at is not None for item in stored.values())
    return False


def _store_inside(
    transaction: RunTransaction,
    resource: Resource,
    repository_id: int,
    told: Sequence[ToldItem],
    parents: Collection[int],
    odd: Mapping[int, Sequence[Inner]],
    reasons: list[tuple[int, str, str | None]],
) -> ResourceCounts:
    """Write the items within `parents`; add the reasons for refused and `odd` ones to `reasons`."""
    reasons += [
        (at, f"{each.within}: {each.reason}", each.payload)
        for found in odd.values()
        for at, each in enumerate(found)
    ]
    # As above: of a parent with an item without an id, none counts as gone.
    whole = {id_ for id_ in parents if all(each.id is not None for each in odd.get(id_, ()))}
    stored = child_reader.stored_items(transaction, resource, repository_id)
    theirs = {id_: item for id_, item in stored.items() if item.parents[0] in whole}
    listed = {item.id for item in told} | {each.id for f in odd.values() for each in f if each.id}
    gone = gone_from(resource, theirs, listed, ())
    writes = plan_items(resource, stored, told)
    refused = child_writer.write_items(transaction, resource, writes)
    reasons += [(0, f"id {id_}: {reason}", None) for id_, reason in refused.items()]
    child_writer.mark_gone(transaction, resource, repository_id, gone)
    return ResourceCounts(stored=len(writes) - len(refused) + len(gone))


def _values(resource: Resource, record: Any) -> tuple[Any, ...]:
    """Return the values to store for a record, with times in UTC."""
    values = resource.values_of(record)
    return tuple(v.astimezone(UTC) if isinstance(v, datetime) else v for v in values)


def _reject(
    transaction: RunTransaction,
    resource: Resource,
    repository_id: int,
    reasons: Sequence[tuple[int, str, str | None]],
) -> None:
    transaction.reject(
        Rejection(position, reason, payload, repository_id, None, resource.name)
        for position, reason, payload in reasons
    )
