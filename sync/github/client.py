"""A client for GitHub's REST API, on top of the generic one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from typing import Any, Literal, ParamSpec, TypeVar

from sync import __version__
from sync.clock import Clock, utc_now
from sync.errors import ConfigError, RateLimited, RestError
from sync.github import protocol
from sync.github.answers import (
    CachedPage,
    Identity,
    Page,
    decode_repository,
    decode_user,
    identity,
)
from sync.github.credentials import Anonymous, Credentials, Installation, TokenHolder
from sync.github.limits import Limits
from sync.github.listing import Itinerary, walk
from sync.github.pages import Pages
from sync.github.records import Item, Repository, User
from sync.rest import RenewingAuth, Response, RestClient, RetryPolicy
from sync.rest.auth import clean_secret

P = ParamSpec("P")
T = TypeVar("T")

Visibility = Literal["public", "private", "all"]
AFFILIATIONS = ("owner", "collaborator", "organization_member")


class GitHubClient(RestClient):
    """A session with GitHub for one user.

    With `token`, it lists what that user's token sees; `basic` sends `username`
    and token as GitHub's older scheme does. With `username` alone it reads that
    user's public repositories without credentials. `credentials` are those that
    need more, such as an App's `Installation`. All are validated when set, here
    or later. Several clients live side by side.

    `api_url` is `https://api.github.com`, or `https://HOST/api/v3` for an
    Enterprise Server. `concurrency` is the number of pages in flight.
    `reserve` is the share of the hourly quota that is left alone, `limits` what
    is shared with other clients of the same user: give them one `Limits`. See
    `RestClient` for `timeout`, `retry`, `stop`, `clock` and the errors.
    https://docs.github.com/rest/authentication/authenticating-to-the-rest-api
    """

    def __init__(
        self,
        *,
        token: str | None = None,
        username: str | None = None,
        basic: bool = False,
        credentials: Credentials | None = None,
        api_url: str = protocol.PUBLIC_API,
        concurrency: int = 4,
        reserve: float = 0.0,
        limits: Limits | None = None,
        timeout: float = 30.0,
        retry: RetryPolicy | None = None,
        stop: threading.Event | None = None,
        clock: Clock = utc_now,
    ) -> None:
        if not 1 <= concurrency <= 100:
            raise ConfigError("concurrency must be from 1 to 100; GitHub allows no more")
        if not 0 <= reserve < 1:
            raise ConfigError("reserve must be at least 0 and less than 1")
        self.api_version = protocol.api_version(api_url.rstrip("/"))
        super().__init__(
            api_url,
            headers={
                "Accept": "application/vnd.github+json",
                "User-Agent": f"repoledger/{__version__}",
                "X-GitHub-Api-Version": self.api_version,
            },
            timeout=timeout,
            pool_size=concurrency,
            retry=retry,
            stop=stop,
            clock=clock,
        )
        if credentials is not None and token is not None:
            raise ConfigError("give a token or credentials, not both")
        if basic and not (token and username):
            raise ConfigError("Basic authentication needs a username and a token")
        self._basic = basic
        self._given = credentials
        self._token: str | None = None
        self.username = username
        self.token = token
        self.concurrency = concurrency
        self.reserve = reserve
        self.limits = limits or Limits()
        self._deprecation_told = False
        self._executor: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    # Who

    @property
    def token(self) -> str | None:
        """The token, or None. Setting it exchanges the credentials of later requests."""
        return self._token

    @token.setter
    def token(self, token: str | None) -> None:
        self._token = None if token is None else clean_secret(token, "the token")
        self._sign_in()

    @property
    def username(self) -> str | None:
        """The login of the user whose repositories are listed if there is no token."""
        return self._username

    @username.setter
    def username(self, username: str | None) -> None:
        if username is not None and not protocol.is_login(username):
            raise ConfigError("the username is not a GitHub login (letters, digits and hyphens)")
        self._username = username
        self._sign_in()

    def _sign_in(self) -> None:
        if self._token is not None:
            name = self._username if self._basic else None
            self.credentials: Credentials = TokenHolder(self._token, name)
        else:
            self.credentials = self._given or Anonymous(self._username)
        self.auth = self.credentials.auth

    @property
    def signs_in(self) -> bool:
        """Whether it sends credentials."""
        return self.credentials.signs_in

    @property
    def quota_host(self) -> str:
        """Where a user has one quota: an App's installation has another than the user there."""
        app = self.credentials.app
        return f"{self.host} by App {app}" if app else self.host

    @property
    def rate_limit(self) -> protocol.RateLimit | None:
        """The quota as the last answers told it; None where there is none, or nothing was asked."""
        return self.limits.quota

    @property
    def host(self) -> str:
        """The host that ids are unique on: `github.com`, or an Enterprise Server's."""
        return protocol.host_of(self.base_url)

    # What

    def check(self) -> Identity:
        """Test the API and the credentials with one request, before real use.

        Raises BadCredentials, Forbidden, ConnectFailed and other RestErrors.
        https://docs.github.com/rest/users/users#get-the-authenticated-user
        """
        return self.identify()

    def identify(self, etag: str | None = None) -> Identity:
        """Return who this client is; conditional on `etag` if it is given.

        https://docs.github.com/rest/users/users#get-the-authenticated-user
        """
        kind = self.credentials.kind
        if isinstance(self.credentials, Installation):
            response, where = self.credentials.installation.ask()
            told = identity(response, where.account, kind, self.clock())
            # Tag and quota are those of the App itself.
            return replace(told, etag=None, rate_limit=None, installed=where)

        def decode(response: Response) -> Identity:
            user = None if response.status == 304 else decode_user(response)
            told = identity(response, user, kind, self.clock())
            return replace(told, etag=told.etag or etag)

        return self.fetch(
            self.credentials.whose, decode, headers={"If-None-Match": etag} if etag else None
        )

    def get_authenticated_user(self) -> User:
        """Return the user whom the token belongs to. Raises BadCredentials.

        https://docs.github.com/rest/users/users#get-the-authenticated-user
        """
        return self.fetch("/user", decode_user)

    def get_user(self, login: str) -> User:
        """Return the user or organization called `login`. Raises NotFound.

        https://docs.github.com/rest/users/users#get-a-user
        """
        if not protocol.is_login(login):
            raise ConfigError("the login is not a GitHub login (letters, digits and hyphens)")
        return self.fetch(f"/users/{login}", decode_user)

    def get_repository(self, repository_id: int) -> Repository:
        """Return the repository whose id is `repository_id`, whatever it is called now.

        Raises NotFound. GitHub's page tells of the same by name, and of what it answers.
        https://docs.github.com/rest/repos/repos#get-a-repository
        """
        return self.repository_by_id(repository_id).record

    def repository_by_id(self, repository_id: int) -> Item:
        """Return the same as it would stand in a listing. Raises Blocked besides.

        https://docs.github.com/rest/repos/repos#get-a-repository
        """
        return self.fetch(f"/repositories/{int(repository_id)}", decode_repository)

    def repository_pages(
        self,
        *,
        visibility: Visibility = "public",
        affiliation: tuple[str, ...] = AFFILIATIONS,
        cached: Mapping[str, CachedPage] | None = None,
    ) -> Iterator[Page]:
        """Yield the pages of the user's repositories, 100 each, oldest repository first.

        Sorted by creation, ascending, a listing only grows at its end: nothing
        new can push an unseen repository onto a page already read. `visibility` and
        `affiliation` say which repositories are meant, in GitHub's words. A private
        repository in a public listing is left out, and counted. `cached`
        holds what is remembered of pages, by their key (see `page_key`): they
        are asked for conditionally. `concurrency` pages are in flight at a
        time, and as many again are kept ready: memory does not grow with the
        listing. Raises RestErrors.
        https://docs.github.com/rest/repos/repos#list-repositories-for-the-authenticated-user
        """
        # Where GitHub does not filter, the same address means another page to each.
        prefix = self.page_key("" if self.credentials.filters else f"{visibility} ")
        known = {
            key.removeprefix(prefix): page
            for key, page in (cached or {}).items()
            if key.startswith(prefix)
        }
        pages = Pages(self.fetch, known, prefix, self.credentials.sieve(visibility))
        first = self.base_url + self.credentials.listing(visibility, affiliation)
        return walk(Itinerary(first, known), pages, self.in_background, 2 * self.concurrency)

    def first_page(self, *, visibility: Visibility, affiliation: tuple[str, ...]) -> Page:
        """Return the first page alone, asked for as a run does. Raises RestErrors.

        https://docs.github.com/rest/repos/repos#list-repositories-for-the-authenticated-user
        """
        url = self.base_url + self.credentials.listing(visibility, affiliation)
        return Pages(self.fetch, {}, "", self.credentials.sieve(visibility))(url)

    def page_key(self, url: str) -> str:
        """Return what the ETag of the page at `url` holds for: URL, credentials, API version."""
        fingerprint = blake2b((self.credentials.secret or "").encode(), digest_size=8).hexdigest()
        return f"{self.api_version} {fingerprint} {url}"

    def in_background(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Run `function` on `args` in one of `concurrency` threads, with the log context."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(self.concurrency, thread_name_prefix="github")
        call = partial(function, *args, **kwargs)
        return self._executor.submit(copy_context().run, call)

    def close(self) -> None:
        """Cut what is under way and close every connection."""
        super().close()
        if isinstance(self.auth, RenewingAuth):
            self.auth.close()
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)

    # How GitHub answers

    def turn(self) -> AbstractContextManager[None]:
        return self.limits.turn(
            reserve=self.reserve, clock=self.clock, require_running=self.require_running
        )

    def on_response(self, response: Response) -> None:
        quota = protocol.rate_limit(response, self.clock())
        sunset = response.headers.get("Sunset")
        deprecated = sunset is not None or "Deprecation" in response.headers
        if quota is not None and response.status != 401:  # that is the anonymous quota
            self.limits.note_quota(quota)
        with self._lock:
            tell = deprecated and not self._deprecation_told
            self._deprecation_told = self._deprecation_told or deprecated
        if tell:
            self.log.warning("api.deprecated", version=self.api_version, sunset=sunset)

    def classify(self, response: Response) -> RestError | None:
        now = self.clock()
        error = protocol.classify_answer(response, now)
        if isinstance(error, RateLimited):
            self.limits.note_limit(
                error, now=now, elapsed=response.elapsed, concurrency=self.concurrency
            )
        elif error is None:
            self.limits.note_good(self.concurrency)
        return error

    def log_fields(self, response: Response) -> dict[str, Any]:
        remaining = protocol.whole_number(response.headers.get("X-RateLimit-Remaining"))
        return {
            "request_id": response.headers.get("X-GitHub-Request-Id"),
            "rate_limit_remaining": remaining,
        }
