"""A REST client that knows no service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Self, TypeVar

import requests
from requests.auth import AuthBase
from structlog import get_logger

from sync.core import origin
from sync.core.clock import Clock, utc_now
from sync.core.errors import (
    ConfigError,
    Interrupted,
    RateLimited,
    RestError,
    UnexpectedAnswer,
)
from sync.core.redaction import protect_while, scrub
from sync.core.waiting import TICK
from sync.rest.auth.renewing import RenewingAuth
from sync.rest.auth.simple import validate_auth
from sync.rest.body import repeatable, repeatable_files
from sync.rest.events import log_failure, log_request, log_wait
from sync.rest.headers import validate_headers
from sync.rest.libraries import scrub_logs
from sync.rest.redirects import LONGEST, redirected
from sync.rest.response import Response, classify
from sync.rest.retry import RetryPolicy
from sync.rest.stats import RequestStats
from sync.rest.transport import Transport
from sync.rest.verbs import Verbs

T = TypeVar("T")

MAX_BODY = 32 * 1024 * 1024


class RestClient(Verbs):
    """A session with one JSON service over HTTP.

    All parameters are validated at once, not at the first call: `base_url`
    (https, or http to a loopback address), `auth` (an AuthBase such as
    BearerAuth, or a (username, password) pair) and `headers`, which are sent with
    every request. `timeout` is the longest time for one whole answer, in
    seconds; `max_body` the largest decoded body, in bytes; `pool_size` the number of
    connections in the pool. `retry` decides which errors are retried, and when. Setting
    `stop` ends every wait and every request in flight with Interrupted; `grace` is the
    time that a request in flight may still take then, in seconds. `clock`
    returns the present time in UTC. Raises ConfigError.

    Requests never leave the origin of `base_url`. A client may be used from
    several threads; clients share nothing.
    `on_wait` is called before each wait for a rate limit, with the end of the wait (UTC).
    A subclass for a service overrides `classify`, `log_fields`, `page_items`,
    `next_page`, `turn` and `on_response`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: AuthBase | tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        max_body: int = MAX_BODY,
        pool_size: int = 4,
        retry: RetryPolicy | None = None,
        stop: threading.Event | None = None,
        grace: float = 0.0,
        clock: Clock = utc_now,
    ) -> None:
        self.base_url = origin.validate_base_url(base_url)
        if not timeout > 0:
            raise ConfigError("the timeout must be more than 0 seconds")
        self.stop = stop or threading.Event()
        self.retry = retry or RetryPolicy()
        self.clock = clock
        self.stats = RequestStats()
        self.log = get_logger("sync.rest")
        self.on_wait: Callable[[datetime], None] | None = None
        self._auth: AuthBase = validate_auth(auth)
        checked = validate_headers(headers or {}, partial(protect_while, self))
        scrub_logs()
        self._transport = Transport(
            self.base_url,
            timeout=timeout,
            max_body=max_body,
            pool_size=pool_size,
            stop=self.stop,
            grace=grace,
        )
        self.session = self._transport.session
        self.session.headers.update({"Accept": "application/json", "Accept-Encoding": "gzip"})
        self.session.headers.update(checked)

    # Credentials

    @property
    def auth(self) -> AuthBase:
        """The credentials; may be replaced at any time, and are validated then."""
        return self._auth

    @auth.setter
    def auth(self, auth: AuthBase | tuple[str, str] | None) -> None:
        self._auth = validate_auth(auth)

    # Life

    def close(self) -> None:
        """Close every connection. Requests in flight end with Interrupted."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r}, auth={self._auth!r})"

    # Requests

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Any = None,
        files: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a request and return its answer: 2xx, or 304 to a conditional request.

        `method` is any HTTP method, such as GET. `path` is relative to the base URL, or an
        absolute URL of the same origin. `params` (the query), `json`, `data`, `files`
        and `headers` are those of `requests.request`. Waits and retries as `self.retry`
        decides. Raises a RestError for any other status, and if no answer arrives;
        Interrupted when `stop` is set meanwhile.
        """
        request = requests.Request(
            method.upper(),
            origin.resolve(self.base_url, path),
            params=params,
            json=json,
            data=repeatable(data),
            files=repeatable_files(files),
            headers=dict(validate_headers(headers or {})),
        )
        return self._persist(request, lambda response: response)

    def fetch(
        self,
        path: str,
        decode: Callable[[Response], T],
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        give_up: Callable[[RestError, int], bool] | None = None,
    ) -> T:
        """Send a GET request and return its answer, decoded by `decode`.

        A NotJson that `decode` raises counts as a failed attempt and is retried, since a
        truncated body looks like that. `give_up` is called with the error and the
        attempt's number from 1; True ends the attempts early.
        """
        request = requests.Request(
            "GET",
            origin.resolve(self.base_url, path),
            params=params,
            headers=dict(validate_headers(headers or {})),
        )
        return self._persist(request, decode, give_up)

    def _persist(
        self,
        request: requests.Request,
        decode: Callable[[Response], T],
        give_up: Callable[[RestError, int], bool] | None = None,
    ) -> T:
        """Send `request` until it succeeds or the retry policy gives up."""
        attempt = 1
        while True:
            try:
                return decode(self._attempt(request, attempt))
            except RestError as error:
                given_up = give_up is not None and give_up(error, attempt)
                delay = None if given_up else self._delay(error, attempt)
                log_failure(self.log, error, attempt, delay, given_up=given_up)
                if delay is None:
                    raise
                for_limit = isinstance(error, RateLimited)
                sent = not isinstance(error, RateLimited) or error.sent
            self._wait(delay, for_limit=for_limit)
            attempt += sent  # a request that was held back was no attempt

    def _delay(self, error: RestError, attempt: int) -> float | None:
        """Return the policy's delay, counted; `max_wait` limits the sum of waits for limits."""
        delay = self.retry.delay(error, attempt, self.clock())
        if delay is None:
            return None
        if not isinstance(error, RateLimited):
            self.stats.count_wait(delay)
            return delay
        allowed = self.stats.count_limit_wait(delay, at_most=self.retry.max_wait)
        return delay if allowed else None

    def wait_for_limit(self, seconds: float) -> None:
        """Wait `seconds` for the end of a rate limit, counted in `stats`, and logged.

        Raises Interrupted when `stop` is set or the client closed.
        """
        self.stats.count_limit_wait(seconds)
        log_wait(self.log, seconds, self.clock() + timedelta(seconds=seconds))
        self._wait(seconds, for_limit=True)

    def _wait(self, seconds: float, *, for_limit: bool) -> None:
        deadline = time.monotonic() + seconds
        if for_limit and self.on_wait is not None:
            self.on_wait(self.clock() + timedelta(seconds=seconds))
        while (left := deadline - time.monotonic()) > 0:
            self.stop.wait(min(left, TICK))
            try:
                self.require_running()
            except Interrupted:
                self.stats.cut_short()
                raise

    def require_running(self) -> None:
        """Raise Interrupted if `stop` is set or the client is closed."""
        if self.stop.is_set() or self._transport.closed.is_set():
            raise Interrupted("stopped while waiting for a retry")

    # For subclasses

    def classify(self, response: Response) -> RestError | None:
        """Return the error that `response` stands for, or None if it is usable."""
        return classify(response, self.clock())

    def turn(self) -> AbstractContextManager[None]:
        """Return a context manager that is entered while a request is in flight.

        Entering may wait for a free slot, or raise RateLimited to hold the request back.
        """
        return nullcontext()

    def on_response(self, response: Response) -> None:
        """Read each `response`, of any status, before it is classified."""

    def log_fields(self, response: Response) -> dict[str, Any]:
        """Return more fields for the event `http.request` of `response`."""
        return {"request_id": response.headers.get("X-Request-Id")}

    # One attempt

    def _attempt(self, request: requests.Request, attempt: int) -> Response:
        with self.turn():
            request.auth = auth = self._auth
            prepared = self._prepare(request)
            response = self._send(prepared, auth, attempt)
            if response.status == 401 and isinstance(auth, RenewingAuth):
                # The token may have expired early. Once: a second refusal is final.
                auth.refused(prepared)
                response = self._send(self._prepare(request), auth, attempt)
            error = self.classify(response)
        if error is not None:
            error.request_id = self.log_fields(response).get("request_id")
            raise error
        return response

    def _prepare(self, request: requests.Request) -> requests.PreparedRequest:
        reason = ""
        try:
            prepared = self.session.prepare_request(request)
        except (requests.RequestException, ValueError, UnicodeError) as error:
            # Error messages of requests may quote a header, and so a token.
            reason = type(error).__name__
        if not reason:
            # Also the headers that `auth` added: they may differ in each request.
            validate_headers(prepared.headers)
            return prepared
        raise ConfigError(f"the request to {scrub(str(request.url))} cannot be sent ({reason})")

    def _send(self, prepared: requests.PreparedRequest, auth: AuthBase, attempt: int) -> Response:
        """Send, following redirects within the origin."""
        for _ in range(LONGEST + 1):
            response = self._transport.send(prepared)
            self.stats.add(response)
            self.on_response(response)
            log_request(self.log, response, attempt, self.log_fields(response))
            target = redirected(self.base_url, prepared, response)
            if target is None:
                return response
            prepared = auth(target)  # a signature of the address has to be made again
        raise UnexpectedAnswer(
            f"more than {LONGEST} redirects", method=response.method, url=scrub(response.url)
        )
