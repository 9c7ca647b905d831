"""What a page means for the ledger: known rows + fetched items -> a plan. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from sync.database.logged import CREATED, as_text, document
from sync.database.rows import Change, Known, PageEntry, RepositoryWrite
from sync.database.tables import CONTENT, FIELDS, LONGEST_KEY
from sync.github.answers import Page
from sync.github.records import Item, Repository
from sync.redaction import scrub

_encoder = msgspec.json.Encoder()
# All fields at once, which takes a third of the time; those that are attributes of something else
# are put in their places afterwards.
_attributes = attrgetter(*(f if f in Repository.__struct_fields__ else "id" for f in FIELDS))
_OWNER, _LICENSE, _TOPICS = map(FIELDS.index, ("owner_id", "license_spdx_id", "topics"))


class Hashed(NamedTuple):
    """An item with its repository's id, and the hash of what is stored of it."""

    id: int
    item: Item
    content_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to write for a page.

    `joins` are repositories that are stored as they are, but that the account
    did not list before. `unchanged` counts items that cost no write to
    `repositories`; an item that a page holds twice counts as unchanged once.
    """

    writes: tuple[RepositoryWrite, ...]
    joins: tuple[int, ...]
    unchanged: int

    @property
    def inserted(self) -> int:
        return sum(write.is_new for write in self.writes)

    @property
    def updated(self) -> int:
        return len(self.writes) - self.inserted

    @property
    def restored(self) -> int:
        return sum(write.restores for write in self.writes)


def hash_items(items: Iterable[Item]) -> tuple[Hashed, ...]:
    """Return the items with their hashes, each repository once: the last one counts."""
    last = {item.record.id: item for item in items}
    return tuple(Hashed(id_, item, content_hash(item.record)) for id_, item in last.items())


def content_hash(record: Repository) -> str:
    """Return the hash of the stored fields.

    Not of the payload: what depends on who asks (`permissions`) would make a
    repository that two accounts list change with every run.
    """
    return blake2b(_encoder.encode(record), digest_size=16).hexdigest()


def page_entry(page: Page, items: Iterable[Hashed]) -> PageEntry | None:
    """Return what to remember of a page.

    None if it has no ETag, repeats a secret, or its address is longer than there is room for.
    """
    if page.etag is None or len(page.key) > LONGEST_KEY:
        return None
    if any(scrub(text) != text for text in (page.key, page.next_url or "")):
        return None
    ids = tuple(hashed.id for hashed in items)
    return PageEntry(page.key, page.etag, ids, page.item_count, page.next_url)


def differing(items: Iterable[Hashed], known: Mapping[int, Known]) -> tuple[int, ...]:
    """Return the ids of known repositories whose stored values have to be looked at."""
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
) -> Plan:
    """Return what to write. `stored` holds the values of what `differing` named.

    `seen` is the number of items on the page.
    """
    writes: list[RepositoryWrite] = []
    joins: list[int] = []
    for hashed in items:
        old = known.get(hashed.id)
        write = _write(hashed, old, stored.get(hashed.id))
        if write is not None:
            writes.append(write)
        elif old is not None and not old.listed:
            joins.append(hashed.id)
    return Plan(writes=tuple(writes), joins=tuple(joins), unchanged=seen - len(writes))


def _write(
    hashed: Hashed, known: Known | None, stored: tuple[Any, ...] | None
) -> RepositoryWrite | None:
    """Return the write that an item needs, or None if the row says it all already.

    `stored` is None if the hashes agree, or if there is no row.
    """
    values = stored_values(hashed.item.record)
    restores = known is not None and known.removed_at is not None
    changes: tuple[Change, ...]
    if known is None:
        if UNSET in values:
            values = tuple(None if value is UNSET else value for value in values)
        changes = (Change(CREATED, None, document(values)),)
        counted = True
    elif stored is None:
        return None
    else:
        # What this answer does not tell stays as it is.
        values = tuple(
            old if value is UNSET else value for value, old in zip(values, stored, strict=True)
        )
        if values == stored and not restores:
            return None
        changes = (*diff(stored, values), *_return(known))
        # A day of its own where counting begins again.
        counted = restores or values[len(CONTENT) :] != stored[len(CONTENT) :]
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
    )


def _return(known: Known) -> tuple[Change, ...]:
    """Return what is logged of a repository that is listed again."""
    if known.removed_at is None:
        return ()
    return (
        Change("removed_at", as_text(known.removed_at), None),
        Change("removal_reason", known.removal_reason, None),
    )


def stored_values(record: Repository) -> tuple[Any, ...]:
    """Return what is stored of a record, in the order of `tables.FIELDS`; UNSET stays UNSET."""
    values = list(_attributes(record))
    owner, topics = record.owner, record.topics
    values[_OWNER : _OWNER + 3] = _of(owner, "id"), _of(owner, "login"), _of(owner, "type")
    values[_LICENSE] = _of(record.license, "spdx_id")
    values[_TOPICS] = list(topics) if isinstance(topics, tuple) else topics
    return tuple(values)


def _of(struct: Any, field: str) -> Any:
    return struct if struct is UNSET or struct is None else getattr(struct, field)


def diff(
    old: tuple[Any, ...], new: tuple[Any, ...], fields: tuple[str, ...] = CONTENT
) -> Iterator[Change]:
    """Yield a Change for each of `fields` (a prefix of `tables.FIELDS`) that differs."""
    for field, before, after in zip(fields, old, new, strict=False):
        if before != after:
            yield Change(field, as_text(before), as_text(after))
