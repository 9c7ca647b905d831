"""What a sync run would write, without writing anything."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from sync.database import migrate
from sync.database.queries import Ledger
from sync.database.rows import Change, Known
from sync.database.tables import FIELDS
from sync.github.client import GitHubClient, Visibility
from sync.planning import Hashed, Plan, diff, differing, hash_items, make_plan


class Reader(Protocol):
    """What a preview asks of a ledger; see `sync.database.page.PageReader`."""

    def known(self, ids: Collection[int]) -> dict[int, Known]: ...

    def values(self, ids: Collection[int]) -> dict[int, tuple[Any, ...]]: ...


class _Empty:
    """A ledger that is not there yet."""

    def known(self, _ids: Collection[int]) -> dict[int, Known]:
        return {}

    def values(self, _ids: Collection[int]) -> dict[int, tuple[Any, ...]]:
        return {}


@contextmanager
def open_reader(url: str, account: str, host: str) -> Iterator[Reader]:
    """Yield what a preview compares with: the ledger at `url`, or nothing if there is none."""
    if migrate.check(url) is None:
        yield _Empty()
        return
    with Ledger(url) as ledger, ledger.page_reader(account, host) as reader:
        yield reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A repository that a run would insert or update, field by field, counters included.

    Or an item that it would reject: without id and name, with the reason as
    its only change.
    """

    id: int | None
    full_name: str | None
    action: Literal["insert", "update", "reject"]
    changes: tuple[Change, ...]


def preview_sync(
    *,
    client: GitHubClient,
    reader: Reader,
    visibility: Visibility,
    affiliation: tuple[str, ...],
) -> Iterator[Preview]:
    """Yield what `run_sync` would write. Raises RestErrors."""
    for page in client.repository_pages(visibility=visibility, affiliation=affiliation):
        items = hash_items(page.items)
        known = reader.known([hashed.id for hashed in items])
        stored = reader.values(differing(items, known))
        plan = make_plan(items, known, stored, seen=page.item_count)
        yield from _previews(items, stored, plan)
        for rejected in page.rejected:
            reason = Change("", None, rejected.reason)
            yield Preview(id=None, full_name=None, action="reject", changes=(reason,))


def _previews(
    items: tuple[Hashed, ...], stored: dict[int, tuple[Any, ...]], plan: Plan
) -> Iterator[Preview]:
    names = {hashed.id: hashed.item.record.full_name for hashed in items}
    nothing = (None,) * len(FIELDS)
    for write in plan.writes:
        yield Preview(
            id=write.id,
            full_name=names[write.id],
            action="insert" if write.is_new else "update",
            changes=tuple(diff(stored.get(write.id, nothing), write.values, FIELDS)),
        )
