"""Plans the writes of a page: known rows + fetched items -> a plan. No I/O here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from sync.core.redaction import holds_secret
from sync.database.changelog import CREATED, as_text, document
from sync.database.tables import BY_DAY, CONTENT, FIELDS, LONGEST_KEY
from sync.database.writes import Change, Known, Membership, PageEntry, RepositoryWrite
from sync.forges.answers import Page
from sync.forges.records import Item, decode_item
from sync.resources.repositories import REPOSITORIES, Repository

_encoder = msgspec.json.Encoder()
_of_day = itemgetter(*map(FIELDS.index, BY_DAY))
stored_values = REPOSITORIES.values_of


class Hashed(NamedTuple):
    """An item with its repository's id and the hash of its stored fields."""

    id: int
    item: Item
    content_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The writes for a page.

    `joins`: unchanged repositories that the account did not list before. `grants`: repositories
    that it listed, where GitHub now says otherwise whether it may push. `outdated`: repositories
    left alone because another run wrote newer data after this run's request.
    `unchanged`: number of items without a write to `repositories`; the first of two items
    with the same id counts as unchanged.
    """

    writes: tuple[RepositoryWrite, ...]
    joins: tuple[Membership, ...]
    unchanged: int
    outdated: tuple[int, ...] = ()
    grants: tuple[Membership, ...] = ()


def hash_items(items: Iterable[Item]) -> tuple[Hashed, ...]:
    """Return the items with their hashes, each repository once: its last item counts."""
    last = {item.record.id: item for item in items}
    return tuple(Hashed(id_, item, content_hash(item.record)) for id_, item in last.items())


def content_hash(record: Repository) -> str:
    """Return the hash of the stored fields.

    Not of the payload: its `permissions` depend on the token, so a repository listed by two
    accounts would change with every run.
    """
    return blake2b(_encoder.encode(record), digest_size=16).hexdigest()


def page_entry(page: Page, items: Iterable[Hashed]) -> PageEntry | None:
    """Return the `page_cache` entry of a page.

    None if the page has no ETag, its address contains a secret, or its key is too long.
    """
    if page.etag is None or len(page.key) > LONGEST_KEY:
        return None
    if any(holds_secret(text) for text in (page.key, page.next_url or "")):
        return None
    ids = tuple(hashed.id for hashed in items)
    return PageEntry(page.key, page.etag, ids, page.item_count, page.next_url)


def differing(items: Iterable[Hashed], known: Mapping[int, Known]) -> tuple[int, ...]:
    """Return the ids of known repositories whose hash differs, or that were removed."""
    return tuple(
        hashed.id
        for hashed in items
        if (row := known.get(hashed.id)) is not None
        and (row.content_hash != hashed.content_hash or row.removed_at is not None)
    )


def make_plan(
    items: Iterable[Hashed],
    known: Mapping[int, Known],
    stored: Mapping[int, tuple[Any, ...]],
    *,
    seen: int,
    recalled: Mapping[int, tuple[Any, ...]] | None = None,
    newer: Collection[int] = (),
) -> Plan:
    """Return the writes for the items of a page.

    `stored`: values of the ids that `differing` returned. `recalled`: these values, completed
    by `recall`. `seen`: number of items on the page. `newer`: ids for which the ledger may
    have newer data than the page; they are not overwritten.
    """
    writes: list[RepositoryWrite] = []
    joins: list[Membership] = []
    grants: list[Membership] = []
    outdated: list[int] = []
    for hashed in items:
        old = known.get(hashed.id)
        if old is not None and old.listed and hashed.item.push not in (None, old.push):
            grants.append(Membership(hashed.id, hashed.item.push))
        values = stored.get(hashed.id)
        write = _write(hashed, old, values, (recalled or {}).get(hashed.id, values))
        if write is not None and hashed.id not in newer:
            writes.append(write)
            continue
        if write is not None:
            outdated.append(hashed.id)
        if old is not None and not old.listed and old.removed_at is None:
            joins.append(Membership(hashed.id, _push(hashed, old)))
    return Plan(
        writes=tuple(writes),
        joins=tuple(joins),
        unchanged=seen - len(writes),
        outdated=tuple(outdated),
        grants=tuple(grants),
    )


def appearing(items: Iterable[Hashed], stored: Mapping[int, tuple[Any, ...]]) -> tuple[int, ...]:
    """Return the ids of items with a value in a field that is stored as NULL."""
    return tuple(
        hashed.id
        for hashed in items
        if hashed.id in stored
        and any(
            old is None and value is not None and value is not UNSET
            for old, value in zip(stored[hashed.id], stored_values(hashed.item.record), strict=True)
        )
    )


def recall(
    stored: Mapping[int, tuple[Any, ...]], payloads: Mapping[int, str]
) -> dict[int, tuple[Any, ...]]:
    """Return the stored values, with NULLs filled in from the payloads stored with them.

    An older version may not have read all fields of a payload: a field that this version reads
    from it has not changed at GitHub.
    """
    told = {id_: decode_item(payload.encode()) for id_, payload in payloads.items()}
    return {
        id_: tuple(
            value if old is None and value is not UNSET else old
            for old, value in zip(stored[id_], stored_values(item.record), strict=True)
        )
        for id_, item in told.items()
        if isinstance(item, Item)
    }


def _write(
    hashed: Hashed,
    known: Known | None,
    stored: tuple[Any, ...] | None,
    recalled: tuple[Any, ...] | None,
) -> RepositoryWrite | None:
    """Return the write for an item, or None if the stored row is the same.

    `stored` is None if the hashes agree, or if there is no row; `recalled` as in `make_plan`.
    """
    values = stored_values(hashed.item.record)
    restores = known is not None and known.removed_at is not None
    changes: tuple[Change, ...]
    if known is None:
        if UNSET in values:
            values = tuple(None if value is UNSET else value for value in values)
        changes = (Change(CREATED, None, document(values)),)
        counted = True
    elif stored is None or recalled is None:
        return None
    else:
        # A field that the answer leaves out keeps its value.
        values = tuple(
            old if value is UNSET else value for value, old in zip(values, stored, strict=True)
        )
        if values == stored and not restores:
            return None
        logged = (change for change in diff(recalled, values) if change.field not in BY_DAY)
        changes = (*logged, *_return(known))
        # A restored repository gets a row of metrics, since counting begins again.
        counted = restores or _of_day(values) != _of_day(stored)
    return RepositoryWrite(
        id=hashed.id,
        values=values,
        payload=hashed.item.payload,
        content_hash=hashed.content_hash,
        is_new=known is None,
        changes=changes,
        metrics=counted,
        joins=known is None or not known.listed,
        restores=restores,
        push=_push(hashed, known),
    )


def _push(hashed: Hashed, known: Known | None) -> bool | None:
    """Return whether the account may push; an answer that does not say it changes nothing."""
    said = hashed.item.push
    return known.push if said is None and known is not None else said


def _return(known: Known) -> tuple[Change, ...]:
    """Return the changes that record a return to the listing."""
    if known.removed_at is None:
        return ()
    return (
        Change("removed_at", as_text(known.removed_at), None),
        Change("removal_reason", known.removal_reason, None),
    )


def diff(
    old: tuple[Any, ...], new: tuple[Any, ...], fields: tuple[str, ...] = CONTENT
) -> Iterator[Change]:
    """Yield a Change for each of `fields` (a prefix of `tables.FIELDS`) that differs."""
    for field, before, after in zip(fields, old, new, strict=False):
        if before != after:
            yield Change(field, as_text(before), as_text(after))
