"""GitHub's answers as values: who is asking, a page, a repository. No I/O here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from sync.errors import NotJson, RestError, UnexpectedAnswer
from sync.github import protocol, records
from sync.github.app import Installed
from sync.github.records import Item, Rejected, User
from sync.github.text import replace_unstorable
from sync.redaction import scrub
from sync.rest import Response

MAX_ITEMS = 1_000  # ten times what is asked for: past that it is no page of a listing
_MAX_COMMAS = 1_000_000  # counted before anything is decoded: a list of that many values is no page


class _Envelope(msgspec.Struct):
    repositories: list[msgspec.Raw]


_envelope_decoder = msgspec.json.Decoder(_Envelope)
_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a client is at GitHub, as far as one request tells.

    `user` is None if the answer was 304: the same as when `etag` was given.
    `scopes` is None for tokens that have none (fine-grained, App) and without
    a token. `expires_at` is UTC, None if the token does not end.
    `clock_skew` is how far the local clock is ahead of the server's, in seconds.
    `installed` is where an App is installed that signs in.
    https://docs.github.com/rest/users/users#get-the-authenticated-user
    """

    user: User | None
    etag: str | None
    token_kind: str
    scopes: tuple[str, ...] | None
    expires_at: datetime | None
    rate_limit: protocol.RateLimit | None
    clock_skew: float | None
    installed: Installed | None = None


def identity(response: Response, user: User | None, kind: str, now: datetime) -> Identity:
    """Return what an answer tells of who asked, with credentials of a `kind`."""
    return Identity(
        user=user,
        etag=protocol.entity_tag(response.headers),
        token_kind=kind,
        scopes=protocol.scopes(response.headers),
        expires_at=protocol.token_expiry(response.headers),
        rate_limit=protocol.rate_limit(response, now),
        clock_skew=(now - response.date).total_seconds() if response.date else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedPage:
    """What is remembered of a page: enough to ask whether it changed, and to go on if not.

    `ids` are those of the repositories on it, as far as they were stored.
    """

    etag: str
    item_count: int
    next_url: str | None
    ids: Sequence[int] = ()


class Sieve(NamedTuple):
    """What is let through of a listing: "public", "private" or "all" repositories.

    With `ours`, GitHub does not take the parameter: others are to be expected,
    and the list stands in an object (`/installation/repositories`).
    """

    visibility: str
    ours: bool = False

    def leaves_out(self, item: Item) -> bool:
        """Tell whether a repository is not wanted."""
        if self.visibility == "public":
            return item.record.private
        return self.ours and self.visibility == "private" and not item.record.private


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a listing.

    `items` and `rejected` are empty when `not_modified`: the page is as it
    was, with `item_count` items. `ids` are those of `items` and, where they can be
    read, of `rejected`, or those that were remembered. `skipped_ids` are those of
    repositories that are not wanted, such as private ones in a public listing;
    `sifted` is whether there may be such. `replaced` counts characters
    that no database stores. `last_url` is the end of the list, if the server told.
    `left_out` organizations are missing for want of single sign-on.
    `size` is that of the answer in bytes.
    """

    url: str
    key: str
    etag: str | None
    not_modified: bool
    item_count: int
    next_url: str | None
    last_url: str | None
    ids: Sequence[int] = ()
    items: tuple[Item, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    skipped_ids: tuple[int, ...] = ()
    sifted: bool = False
    replaced: int = 0
    left_out: int = 0
    size: int = 0

    @property
    def partial(self) -> bool:
        """Whether it is less than the whole page."""
        return self.left_out > 0

    @property
    def skipped(self) -> int:
        """The number of repositories that are not wanted."""
        return len(self.skipped_ids)


def decode_page(
    response: Response, url: str, key: str, known: CachedPage | None, sieve: Sieve
) -> Page:
    """Return the page that `response` gives; `known` is what it was asked to differ from.

    Raises NotJson and UnexpectedAnswer. An item that is no valid repository is
    rejected alone. What `sieve` does not let through is left out: some servers pass
    over the parameter `visibility`.
    """
    links = response.links
    next_url, last_url = links.get("next"), links.get("last")
    left_out = protocol.left_out(response)
    if response.status == 304 and known is not None:
        return Page(
            url=url,
            key=key,
            etag=known.etag,
            not_modified=True,
            item_count=known.item_count,
            next_url=next_url or known.next_url,
            last_url=last_url,
            ids=known.ids,
            left_out=left_out,
        )
    body, replaced = replace_unstorable(response.body)
    raws = _decode_list(response, body, enveloped=sieve.ours)
    items, rejected, hidden = _decode_items(raws, sieve)
    return Page(
        url=url,
        key=key,
        etag=protocol.entity_tag(response.headers),
        not_modified=False,
        item_count=len(raws),
        next_url=next_url,
        last_url=last_url,
        ids=[*(item.record.id for item in items), *(r.id for r in rejected if r.id is not None)],
        items=items,
        rejected=rejected,
        skipped_ids=hidden,
        sifted=sieve.ours,
        replaced=replaced,
        left_out=left_out,
        size=len(response.body),
    )


def _decode_items(
    raws: Sequence[msgspec.Raw], sieve: Sieve
) -> tuple[tuple[Item, ...], tuple[Rejected, ...], tuple[int, ...]]:
    """Return repositories, what is none, and the ids of those that are not wanted."""
    decoded = [records.decode_item(bytes(raw), position) for position, raw in enumerate(raws)]
    items = tuple(item for item in decoded if isinstance(item, Item))
    rejected = tuple(item for item in decoded if isinstance(item, Rejected))
    if sieve.visibility == "public":
        rejected = tuple(map(_without_private, rejected))
    hidden = tuple(item.record.id for item in items if sieve.leaves_out(item))
    shown = tuple(item for item in items if not sieve.leaves_out(item)) if hidden else items
    return shown, rejected, hidden


def _without_private(rejected: Rejected) -> Rejected:
    """Return an item without its payload, unless that says that it is public."""
    return rejected if rejected.private is False else replace(rejected, payload=None)


def decode_user(response: Response) -> User:
    """Return the user or organization that `response` gives. Raises NotJson, UnexpectedAnswer."""
    try:
        return records.decode_user(replace_unstorable(response.body)[0])
    except msgspec.ValidationError as error:
        problem: RestError = response.error(UnexpectedAnswer, f"not a user: {scrub(str(error))}")
    except (msgspec.DecodeError, RecursionError):
        problem = response.error(NotJson, f"the answer is not JSON: {response.excerpt()}")
    raise problem


def decode_repository(response: Response) -> Item:
    """Return the repository that `response` gives. Raises NotJson, UnexpectedAnswer."""
    item = records.decode_item(replace_unstorable(response.body)[0])
    if isinstance(item, Item):
        return item
    try:
        msgspec.json.decode(response.body)
        problem: RestError = response.error(UnexpectedAnswer, f"not a repository: {item.reason}")
    except (msgspec.DecodeError, RecursionError, ValueError):
        # No excerpt: it may be of one that is private now, and would be logged.
        problem = response.error(NotJson, "the answer is not JSON")
    raise problem


def _decode_list(response: Response, body: bytes, *, enveloped: bool) -> list[msgspec.Raw]:
    kind: type[RestError] = UnexpectedAnswer
    try:
        if response.status != 200:
            problem = f"status {response.status}"
        elif _has_too_many_values(body) or len(raws := _listed(body, enveloped)) > MAX_ITEMS:
            problem = f"more than {MAX_ITEMS:,} items"
        else:
            return raws
    except msgspec.ValidationError:
        problem = "JSON of another shape"
    except (msgspec.DecodeError, RecursionError):
        problem, kind = "no JSON", NotJson
    raise response.error(
        kind, f"expected a list of repositories, got {problem}: {response.excerpt()}"
    )


def _has_too_many_values(body: bytes) -> bool:
    return len(body) > _MAX_COMMAS and body.count(b",") > _MAX_COMMAS


def _listed(body: bytes, enveloped: bool) -> list[msgspec.Raw]:  # decided above
    return _envelope_decoder.decode(body).repositories if enveloped else _list_decoder.decode(body)
