"""A forge's answers as values: the client's identity, a page, a repository. No I/O here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec

from sync.core.errors import RestError
from sync.forges.limits import RateLimit
from sync.forges.records import Decoded, Item, Rejected, User


class Installed(msgspec.Struct, frozen=True):
    """An installation of an App, and its rights."""

    id: int
    account: User
    permissions: dict[str, str] = {}
    repository_selection: str = "?"
    suspended_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The identity of a client at GitHub, from the answer to one request.

    `user` is None if the answer was 304: the user of `etag` is unchanged.
    `scopes` is None for tokens without scopes (fine-grained, App) and without a token.
    `expires_at` is UTC, None if the token does not expire.
    `clock_skew` is how far the local clock is ahead of the server's, in seconds.
    `installed` is the installation, if an App signs in.
    https://docs.github.com/rest/users/users#get-the-authenticated-user
    """

    user: User | None
    etag: str | None
    token_kind: str
    scopes: tuple[str, ...] | None
    expires_at: datetime | None
    rate_limit: RateLimit | None
    clock_skew: float | None
    installed: Installed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedPage:
    """A remembered page: its ETag for a conditional request, and the link to the next page.

    `ids` are those of its stored repositories.
    """

    etag: str
    item_count: int
    next_url: str | None
    ids: Sequence[int] = ()


class VisibilityFilter(NamedTuple):
    """Lets "public", "private" or "all" repositories of a listing through.

    `ours`: this endpoint has no `visibility` parameter, so unwanted repositories are
    filtered here; and its list is inside an object (`/installation/repositories`).
    """

    visibility: str
    ours: bool = False

    def leaves_out(self, item: Item) -> bool:
        """Tell whether the filter leaves a repository out."""
        if self.visibility == "public":
            return item.record.private
        return self.ours and self.visibility == "private" and not item.record.private


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a listing.

    If `not_modified`, `items` and `rejected` are empty: the page is unchanged, with
    `item_count` items. `ids` are those of `items` and, where readable, of `rejected`; of an
    unchanged page, the remembered ids. `skipped_ids` are those of repositories that the
    filter left out, such as private ones in a public listing; `sifted` is whether there may
    be such repositories. `replaced` is the number of replaced characters, which no database
    stores. `last_url` is the address of the last page, if the server gave it; `linked` is
    whether the server gave links at all, or said that there are no other pages. `total` is
    the number of items in the whole list, if the server gave it. `left_out` is the number of
    organizations missing because of single sign-on. `size` is the memory it takes, in bytes,
    roughly.
    """

    url: str
    key: str
    etag: str | None
    not_modified: bool
    item_count: int
    next_url: str | None
    last_url: str | None
    linked: bool = True
    total: int | None = None
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
        """Whether items of the page are missing."""
        return self.left_out > 0

    @property
    def skipped(self) -> int:
        """The number of repositories that the filter left out."""
        return len(self.skipped_ids)


class Found(NamedTuple):
    """The answer to a request by id: repository and ETag; `item` is None if unchanged."""

    item: Item | None
    etag: str | None


class ChildPage(NamedTuple):
    """One page of a repository's resource: its items; none if the page is unchanged.

    `ids` are those of the items; of an unchanged page, the remembered ids. `withheld` are those
    of items that are never stored, such as private forks.
    """

    key: str
    etag: str | None
    not_modified: bool
    next_url: str | None
    ids: tuple[int, ...] = ()
    items: tuple[Decoded, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    withheld: tuple[int, ...] = ()


class AnsweredPart(NamedTuple):
    """The answer to one request for figures of a repository.

    `body`: JSON; None if it is the same as the remembered one. It was made between `at` and
    `until`, by the server's clock if it tells it. `next_url`: the page that follows.
    """

    part: str
    key: str
    etag: str | None
    body: bytes | None
    at: datetime
    until: datetime
    next_url: str | None = None


class AnsweredParts(NamedTuple):
    """The answers to the requests for figures, up to the first error."""

    parts: tuple[AnsweredPart, ...]
    error: RestError | None = None
