"""Decodes GitHub's answers: an identity, a page, a repository. No I/O here."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from sync.core.errors import NotJson, RestError, UnexpectedAnswer
from sync.core.redaction import scrub
from sync.forges import records
from sync.forges.answers import CachedPage, Found, Identity, Page, VisibilityFilter
from sync.forges.github import protocol
from sync.forges.github.protocol import whole_number
from sync.forges.records import Item, Rejected, User
from sync.forges.text import replace_unstorable
from sync.resources.repositories import REPOSITORIES
from sync.rest import Response
from sync.rest.entity_tag import entity_tag

MAX_ITEMS = 1_000  # ten times the requested number; more are not a page of a listing
_PAGES = frozenset({"next", "prev", "previous", "first", "last"})  # what links name
_MAX_COMMAS = 1_000_000  # counted before decoding: a list of so many values is not a page


class _Envelope(msgspec.Struct):
    repositories: list[msgspec.Raw]
    total_count: msgspec.Raw = msgspec.Raw(b"null")  # of any type, since only the list counts


_envelope_decoder = msgspec.json.Decoder(_Envelope)
_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def identity(response: Response, user: User | None, kind: str, now: datetime) -> Identity:
    """Return the identity in an answer to credentials of a `kind`."""
    return Identity(
        user=user,
        etag=entity_tag(response.headers),
        token_kind=kind,
        scopes=protocol.scopes(response.headers),
        expires_at=protocol.token_expiry(response.headers),
        rate_limit=protocol.rate_limit(response, now),
        clock_skew=protocol.clock_skew(response, now),
    )


def decode_page(
    response: Response, url: str, key: str, known: CachedPage | None, wanted: VisibilityFilter
) -> Page:
    """Return the page in `response`; `known` is the remembered page of a conditional request.

    Raises NotJson and UnexpectedAnswer. An invalid item is rejected on its own. Repositories
    that `wanted` does not let through are left out: some servers ignore the parameter
    `visibility`.
    """
    links = response.links
    next_url, last_url = links.get("next"), links.get("last")
    linked, left_out = not _PAGES.isdisjoint(links), protocol.left_out(response)
    if response.status == 304 and known is not None:
        return Page(
            url=url,
            key=key,
            etag=known.etag,
            not_modified=True,
            item_count=known.item_count,
            next_url=next_url or known.next_url,
            last_url=last_url,
            linked=linked,
            ids=known.ids,
            left_out=left_out,
        )
    body, replaced = replace_unstorable(response.body)
    raws = decode_list(response, body, enveloped=wanted.ours)
    total = _total(body) if wanted.ours else None
    linked = linked or total == len(raws)
    items, rejected, hidden = _decode_items(raws, wanted)
    payloads = [*(item.payload for item in items), *(item.payload for item in rejected)]
    return Page(
        url=url,
        key=key,
        etag=entity_tag(response.headers),
        not_modified=False,
        item_count=len(raws),
        next_url=next_url,
        last_url=last_url,
        linked=linked,
        total=total,
        ids=[*(item.record.id for item in items), *(r.id for r in rejected if r.id is not None)],
        items=items,
        rejected=rejected,
        skipped_ids=hidden,
        sifted=wanted.ours,
        replaced=replaced,
        left_out=left_out,
        size=len(response.body) + sum(map(sys.getsizeof, payloads)),
    )


def _decode_items(
    raws: Sequence[msgspec.Raw], wanted: VisibilityFilter
) -> tuple[tuple[Item, ...], tuple[Rejected, ...], tuple[int, ...]]:
    """Return repositories, rejected items, and the ids of repositories that are left out."""
    decoded = [decode_item(bytes(raw), position) for position, raw in enumerate(raws)]
    items = tuple(item for item in decoded if isinstance(item, Item))
    rejected = tuple(item for item in decoded if isinstance(item, Rejected))
    if wanted.visibility == "public":
        rejected = tuple(map(without_private, rejected))
    hidden = tuple(item.record.id for item in items if wanted.leaves_out(item))
    shown = tuple(item for item in items if not wanted.leaves_out(item)) if hidden else items
    return shown, rejected, hidden


def without_private(rejected: Rejected) -> Rejected:
    """Return an item without its payload, unless the payload says that it is public."""
    return rejected if rejected.private is False else replace(rejected, payload=None)


def decode_item(raw: bytes, position: int = 0) -> Item | Rejected:
    """Decode one repository object of GitHub's."""
    return records.decode_item(raw, position, protocol.SECRET_FIELDS)


def decode_user(response: Response) -> User:
    """Return the user or organization in `response`. Raises NotJson, UnexpectedAnswer."""
    try:
        return records.decode_user(replace_unstorable(response.body)[0])
    except msgspec.ValidationError as error:
        problem: RestError = response.error(UnexpectedAnswer, f"not a user: {scrub(str(error))}")
    except (msgspec.DecodeError, RecursionError):
        problem = response.error(NotJson, f"the answer is not JSON: {response.excerpt()}")
    raise problem


def decode_found(response: Response) -> Found:
    """Return the repository in `response`, which may be a 304. Raises like `decode_repository`."""
    item = None if response.status == 304 else decode_repository(response)
    return Found(item, entity_tag(response.headers))


def decode_repository(response: Response) -> Item:
    """Return the repository in `response`. Raises NotJson, UnexpectedAnswer."""
    item = decode_item(replace_unstorable(response.body)[0])
    if isinstance(item, Item):
        return item
    try:
        msgspec.json.decode(response.body)
        problem: RestError = response.error(UnexpectedAnswer, f"not a repository: {item.reason}")
    except (msgspec.DecodeError, RecursionError, ValueError):
        # No excerpt, since the repository may be private now, and the excerpt would be logged.
        problem = response.error(NotJson, "the answer is not JSON")
    raise problem


def decode_list(
    response: Response, body: bytes, what: str = REPOSITORIES.name, *, enveloped: bool = False
) -> list[msgspec.Raw]:
    """Return the JSON values of a list of `what`. Raises NotJson, UnexpectedAnswer."""
    kind: type[RestError] = UnexpectedAnswer
    try:
        if response.status not in (200, 203):  # 203: a gateway changed the answer
            problem = f"status {response.status}"
        elif _has_too_many_values(body) or len(raws := _listed(body, enveloped)) > MAX_ITEMS:
            problem = f"more than {MAX_ITEMS:,} items"
        else:
            return raws
    except msgspec.ValidationError:
        problem = "JSON of another shape"
    except (msgspec.DecodeError, RecursionError):
        problem, kind = "no JSON", NotJson
    raise response.error(kind, f"expected a list of {what}, got {problem}: {response.excerpt()}")


def _has_too_many_values(body: bytes) -> bool:
    return len(body) > _MAX_COMMAS and body.count(b",") > _MAX_COMMAS


def _listed(body: bytes, enveloped: bool) -> list[msgspec.Raw]:  # decided above
    return _envelope_decoder.decode(body).repositories if enveloped else _list_decoder.decode(body)


def _total(body: bytes) -> int | None:
    """Return how many repositories an App's list says that there are, if that is a number."""
    return whole_number(bytes(_envelope_decoder.decode(body).total_count).decode())
