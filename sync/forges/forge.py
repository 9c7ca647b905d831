"""The interface of a forge's client, as runs, checks and the daemon use it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from datetime import datetime
from types import TracebackType
from typing import Literal, ParamSpec, Protocol, Self, TypeVar

from sync.core.clock import Clock, ClockCheck
from sync.forges.answers import AnsweredParts, CachedPage, ChildPage, Found, Identity, Page
from sync.forges.credentials import Credentials
from sync.forges.limits import Limits, RateLimit
from sync.forges.paging import Paging
from sync.resources.figures import Figures
from sync.resources.resource import Resource
from sync.rest.retry import RetryPolicy
from sync.rest.stats import RequestStats

P = ParamSpec("P")
T = TypeVar("T")

Visibility = Literal["public", "private", "all"]
AFFILIATIONS = ("owner", "collaborator", "organization_member")


class Forge(Protocol):
    """A client of a forge, such as GitHub, for one user.

    Its listings are complete, or raise. `repository_if_changed` raises `Gone` only if the
    forge itself says so, and `Blocked` if it has taken a repository down; any other error says
    nothing about the repository. Keys of pages and of the identity differ by credentials.
    """

    paging: Paging
    limits: Limits
    credentials: Credentials
    concurrency: int
    reserve: float
    base_url: str
    api_version: str
    stats: RequestStats
    retry: RetryPolicy
    clock: Clock
    clock_check: ClockCheck
    stop: threading.Event
    on_wait: Callable[[datetime], None] | None

    @property
    def host(self) -> str:
        """The host within which ids are unique."""

    @property
    def quota_host(self) -> str:
        """The scope of a user's quota."""

    @property
    def username(self) -> str | None:
        """The login, as given."""

    @property
    def token(self) -> str | None:
        """The token, or None."""

    @property
    def signs_in(self) -> bool:
        """Whether it sends credentials."""

    @property
    def rate_limit(self) -> RateLimit | None:
        """The quota by the last answers; None if there is none."""

    @property
    def identity_key(self) -> str:
        """The key of the ETag of an identity."""

    @property
    def key_of_rights(self) -> str:
        """A fingerprint of who asks, by which a refusal counts for a token and no other."""

    def page_key(self, url: str) -> str:
        """Return the key of the ETag of the page at `url`."""

    def check(self) -> Identity:
        """Return its identity, by one request. Raises RestErrors."""

    def identify(self, etag: str | None = None) -> Identity:
        """Return its identity; with `etag`, by a conditional request. Raises RestErrors."""

    def repository_pages(
        self,
        *,
        visibility: Visibility = ...,
        affiliation: tuple[str, ...] = ...,
        cached: Mapping[str, CachedPage] | None = None,
    ) -> Iterator[Page]:
        """Yield the pages of the user's repositories. Raises RestErrors."""

    def first_page(self, *, visibility: Visibility, affiliation: tuple[str, ...]) -> Page:
        """Return only the first page. Raises RestErrors."""

    def repository_if_changed(self, repository_id: int, etag: str | None) -> Found:
        """Return a repository by its id, unless `etag` still matches. Raises RestErrors."""

    def children(
        self, resource: Resource, repository_id: int, known: Mapping[str, CachedPage]
    ) -> tuple[ChildPage, ...]:
        """Return every page of a repository's resource. Raises RestErrors."""

    def figures(
        self,
        figures: Figures,
        repository_id: int,
        known: Mapping[str, CachedPage],
        url: str | None = None,
    ) -> AnsweredParts:
        """Return the answers about figures of a repository; with `url`, that page alone.

        Raises RestErrors if there is none.
        """

    def probe(self, resource: Resource | Figures, repository_id: int) -> None:
        """Send the first request for a resource of a repository. Raises what GitHub refuses."""

    def in_background(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Run `function` in one of `concurrency` threads."""

    def wait_for_limit(self, seconds: float) -> None:
        """Wait `seconds`, as for a rate limit. Raises Interrupted."""

    def close(self) -> None:
        """Cut the requests in flight and close every connection."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
