"""A connection to GitHub's REST API for one user: credentials, and the meaning of answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from functools import partial
from hashlib import blake2b
from typing import Any, ParamSpec, TypeVar

from sync.core.clock import Clock, ClockCheck, utc_now
from sync.core.errors import ConfigError, Forbidden, RateLimited, RestError
from sync.core.origin import host_of
from sync.core.redaction import is_token
from sync.forges.credentials import Credentials
from sync.forges.github import protocol
from sync.forges.github.credentials import Anonymous, TokenHolder
from sync.forges.github.refusals import classify_answer
from sync.forges.limits import Limits, RateLimit
from sync.forges.records import READING
from sync.rest import RenewingAuth, Response, RestClient, RetryPolicy
from sync.rest.auth.checks import clean_secret

P = ParamSpec("P")
T = TypeVar("T")


class GitHubSession(RestClient):
    """A connection to GitHub, signed in as one user; see `GitHubClient` for its parameters."""

    paging = protocol.PAGING

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
        rewrite_links: bool = False,
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
            headers=protocol.headers_of(api_url),
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
        self.rewrite_links = rewrite_links
        self.limits = limits or Limits()
        self._deprecation_told = False
        self.clock_check = ClockCheck()
        self._executor: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._thread = threading.local()

    # Who

    @property
    def token(self) -> str | None:
        """The token, or None. Setting it changes the credentials of later requests."""
        return self._token

    @token.setter
    def token(self, token: str | None) -> None:
        self._token = None if token is None else clean_secret(token, "the token", self)
        self._sign_in()

    @property
    def username(self) -> str | None:
        """The login of the user whose repositories are listed if there is no token."""
        return self._username

    @username.setter
    def username(self, username: str | None) -> None:
        if username is not None and (not protocol.is_login(username) or is_token(username)):
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
        """The scope of a quota: the host, or an App on it, since installations have their own."""
        app = self.credentials.app
        return f"{self.host} by App {app}" if app else self.host

    @property
    def limits(self) -> Limits:
        """The rate limits of its user; may be replaced by those that other clients share."""
        return self._limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        limits.keep_pace(protocol.pace())
        self._limits = limits

    @property
    def rate_limit(self) -> RateLimit | None:
        """The quota by the last answers; None if there is none, or before the first request."""
        return self.limits.quota

    @property
    def host(self) -> str:
        """The host within which ids are unique: `github.com`, or an Enterprise Server."""
        return host_of(self.base_url)

    def page_key(self, url: str) -> str:
        """Return the key of the ETag of the page at `url`: credentials, reading and address."""
        return f"{self._key_of_credentials} {READING} {url}"

    @property
    def identity_key(self) -> str:
        """The key of the ETag that `identify` returns."""
        return f"{self._key_of_credentials} identity"

    @property
    def key_of_rights(self) -> str:
        """A fingerprint of who asks: an App, whose tokens last an hour, or a token."""
        app = self.credentials.app
        return f"app {app}" if app else self._key_of_credentials

    @property
    def _key_of_credentials(self) -> str:
        fingerprint = blake2b((self.credentials.secret or "").encode(), digest_size=8).hexdigest()
        return f"{self.api_version} {fingerprint}"

    def in_background(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Run `function` on `args` in one of `concurrency` threads, with the log context."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(self.concurrency, thread_name_prefix="github")
        call = partial(function, *args, **kwargs)
        return self._executor.submit(copy_context().run, call)

    def close(self) -> None:
        """Cut the requests in flight and close every connection."""
        super().close()
        if isinstance(self.auth, RenewingAuth):
            self.auth.close()
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)

    # How GitHub answers

    def turn(self) -> AbstractContextManager[None]:
        return self.limits.turn(
            reserve=self.reserve,
            clock=self.clock,
            require_running=self.require_running,
            paced=getattr(self._thread, "paced", False),
            on_pace=self.stats.count_pace_wait,
        )

    @contextmanager
    def paced(self) -> Iterator[None]:
        """Hold back this thread's requests inside, rather than have GitHub refuse the pace.

        For many small requests; the few of a listing only count.
        """
        self._thread.paced = True
        try:
            yield
        finally:
            self._thread.paced = False

    def on_response(self, response: Response) -> None:
        now = self.clock()
        self.limits.note_answer(response.elapsed)
        skew = protocol.clock_skew(response, now)
        quota = protocol.rate_limit(response, now)
        sunset = response.headers.get("Sunset")
        deprecated = sunset is not None or "Deprecation" in response.headers
        if quota is not None and response.status != 401:  # that is the anonymous quota
            self.limits.note_quota(quota, now)
        with self._lock:
            self.clock_check.add(skew)
            tell = deprecated and not self._deprecation_told
            self._deprecation_told = self._deprecation_told or deprecated
        if tell:
            self.log.warning("api.deprecated", version=self.api_version, sunset=sunset)

    def classify(self, response: Response) -> RestError | None:
        now = self.clock()
        error = classify_answer(response, now)
        if isinstance(error, RateLimited):
            self.limits.note_limit(
                error, now=now, elapsed=response.elapsed, concurrency=self.concurrency
            )
        elif error is None:
            self.limits.note_good(self.concurrency)
        elif type(error) is Forbidden and self.credentials.hint:
            error = error.recast(Forbidden, f"{error.message} ({self.credentials.hint})")
        return error

    def log_fields(self, response: Response) -> dict[str, Any]:
        return {
            "request_id": response.headers.get("X-GitHub-Request-Id"),
            "rate_limit_remaining": protocol.remaining(response.headers),
        }
