"""Plans the rows of a resource of one repository: stored + told -> writes. No I/O here."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from msgspec import UNSET

from sync.database.changelog import CREATED, as_text
from sync.database.child_reader import StoredItem
from sync.database.child_writer import ItemWrite
from sync.database.writes import Change
from sync.load.page_plan import diff
from sync.resources.resource import Resource


class ToldItem(NamedTuple):
    """An item of an answer; `parents` are ids, the nearest first."""

    id: int
    parents: tuple[int, ...]
    values: tuple[Any, ...]
    payload: str | None


def plan_items(
    resource: Resource, stored: Mapping[int, StoredItem], told: Sequence[ToldItem]
) -> tuple[ItemWrite, ...]:
    """Return a write for each item that is new or differs; the last item of an id counts."""
    last = {item.id: item for item in told}
    writes = (_write(resource, item, stored.get(id_)) for id_, item in last.items())
    return tuple(write for write in writes if write is not None)


def gone_from(
    resource: Resource,
    stored: Mapping[int, StoredItem],
    told: Collection[int],
    shown_before: Collection[int],
) -> tuple[int, ...]:
    """Return the ids of current items that the answer lacks.

    An item that GitHub hides from some accounts, such as a draft, is gone only if this account
    was shown it before.
    """
    flag = resource.fields.index(resource.hidden_by) if resource.hidden_by else None
    return tuple(
        id_
        for id_, item in stored.items()
        if item.removed_at is None
        and id_ not in told
        and (flag is None or not item.values[flag] or id_ in shown_before)
    )


def _write(resource: Resource, item: ToldItem, stored: StoredItem | None) -> ItemWrite | None:
    if stored is None:
        values = tuple(None if value is UNSET else value for value in item.values)
        created = (Change(CREATED, None, None),)
        return ItemWrite(item.id, item.parents, values, item.payload, created, True)
    # A field that the answer leaves out keeps its value.
    values = tuple(
        old if value is UNSET else value
        for value, old in zip(item.values, stored.values, strict=True)
    )
    restores = stored.removed_at is not None
    if values == stored.values and item.parents == stored.parents and not restores:
        return None
    changes = (
        *(
            change
            for change in diff(stored.values, values, resource.content)
            if change.field not in resource.daily
        ),
        *_return(stored.removed_at),
    )
    content = len(resource.content)
    counted = restores or values[content:] != stored.values[content:]
    return ItemWrite(item.id, item.parents, values, item.payload, changes, counted)


def _return(removed_at: datetime | None) -> Iterator[Change]:
    if removed_at is not None:
        yield Change("removed_at", as_text(removed_at), None)
