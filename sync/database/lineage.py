"""The other repositories in a repository's payload: those that it was forked or made from.

Of a redacted or purged repository, only the id stays in payloads that refer to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import or_, select

from sync.database.changelog import redacted_name
from sync.database.run_reader import RunReader
from sync.database.tables import repositories

_KEYS = ("parent", "source", "template_repository")
_WRITTEN = tuple(f'"{key}"' for key in _KEYS)
_AT_ONCE = 500  # payloads in memory, ids in a query


def may_refer(payload: str) -> bool:
    """Return whether `payload` may refer to other repositories, without decoding it."""
    return any(key in payload for key in _WRITTEN)


def ids_in(payload: str | None) -> set[int]:
    """Return the ids of the other repositories in `payload`."""
    if payload is None or not may_refer(payload):
        return set()
    told = decoded(payload)
    ids = (each.get("id") for each in _others(told))
    return {id_ for id_ in ids if type(id_) is int and 0 < id_ < 2**63}


def without(payload: str, gone: Collection[int]) -> str:
    """Return `payload`, with only the ids left of the repositories that are `gone`."""
    if not ids_in(payload).intersection(gone):
        return payload
    told = decoded(payload)
    for each in list(_others(told)):
        if (id_ := each.get("id")) in gone:
            each.clear()
            each["id"] = id_
    return msgspec.json.encode(told).decode()


def decoded(payload: str) -> Any:
    """Return the decoded `payload`; None if it is no valid JSON, for example truncated."""
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None


def _others(told: Any, *, outermost: bool = True) -> Iterator[dict[str, Any]]:
    """Yield the repositories inside an object, at any depth, the outer ones first."""
    if isinstance(told, list):
        for value in told:
            yield from _others(value, outermost=False)
    if not isinstance(told, dict):
        return
    if not outermost and "full_name" in told:
        yield told
    for key, value in list(told.items()):
        # Also a repository without a full name.
        if key in _KEYS and isinstance(value, dict) and "full_name" not in value:
            yield value
        yield from _others(value, outermost=False)


def redacted(reader: RunReader, payloads: Sequence[str | None]) -> list[str | None]:
    """Return payloads for storing, without data of repositories redacted in the ledger."""
    gone: set[int] = set()
    told = sorted(set().union(*map(ids_in, payloads)))
    for at in range(0, len(told), _AT_ONCE):
        names = select(repositories.c.id, repositories.c.name).where(
            repositories.c.host == reader.host, repositories.c.id.in_(told[at : at + _AT_ONCE])
        )
        found = reader.connection.execute(names)
        gone.update(id_ for id_, name in found if name == redacted_name(id_))
    return [payload and without(payload, gone) for payload in payloads]


def referrers(reader: RunReader, gone: Collection[int]) -> dict[int, list[int]]:
    """Return the repositories whose payloads refer to those that are `gone`, by the latter's ids.

    It reads all payloads with such a key, once for all of `gone`.
    """
    found: dict[int, list[int]] = {}
    if not gone:
        return found
    payload = repositories.c.payload
    suspects = (
        select(repositories.c.id, payload)
        .where(repositories.c.host == reader.host, or_(*map(payload.contains, _WRITTEN)))
        .order_by(repositories.c.id)
        .limit(_AT_ONCE)
    )
    last = 0
    while rows := reader.connection.execute(suspects.where(repositories.c.id > last)).all():
        last = rows[-1][0]
        for id_, text in rows:
            for other in ids_in(text).intersection(gone):
                found.setdefault(other, []).append(id_)
    return found
