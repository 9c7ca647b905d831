"""Tokens that are renewed: before they expire, and once if the server refuses them."""

from __future__ import annotations

import threading
from abc import abstractmethod
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from requests import PreparedRequest
from requests.auth import AuthBase

from sync.core.clock import Clock, utc_now
from sync.core.errors import (
    BadCredentials,
    ConfigError,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    RateLimited,
    RestError,
)
from sync.core.redaction import MASK, protect_short_lived
from sync.rest.auth.checks import clean_value

# A token is renewed when this share of its life is left, or this time, whichever is shorter.
_EARLY_SHARE = 0.1
_EARLIEST = timedelta(minutes=5)
_SOON = timedelta(seconds=30)  # until the next attempt, while the old token is still valid
# Refusals by a token endpoint: they say nothing about the request that needs the token.
_REFUSALS = (Conflict, Forbidden, InvalidRequest, NotFound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An access token, and when it expires (UTC); None if unknown."""

    value: str = field(repr=False)
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.expires_at is not None and self.expires_at.tzinfo is None:
            raise ConfigError("the expiry of a token needs a time zone, such as UTC")


class RenewingAuth(AuthBase):
    """Sends `Authorization: Bearer …` with a token that is obtained when it is needed.

    Safe to use from several threads and clients: one thread obtains a token, the others
    wait for it. The token is renewed before it expires, and once if the server refuses
    it. A subclass implements `obtain`; its errors reach the caller of the request, a
    refusal as BadCredentials. Clients do not close this object, except for GitHubClient:
    call `close`, or use it as a context manager. `clock` returns the present time in UTC.
    """

    def __init__(self, *, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._renew_at: datetime | None = None

    @abstractmethod
    def obtain(self) -> Token:
        """Return a new token. Raises RestErrors."""

    def close(self) -> None:
        """Close the connections to the token endpoint; the base class has none."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start_with(self, token: Token) -> None:
        """Use `token`, which was obtained earlier, until it expires."""
        with self._lock:
            self._take(token, self._clock())

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._current()}"
        return request

    def refused(self, request: PreparedRequest) -> None:
        """Discard the token of `request`, since the server refused it (401).

        The next request obtains a new token, unless another thread has renewed it meanwhile.
        """
        with self._lock:
            sent = request.headers.get("Authorization")
            if self._token is not None and sent == f"Bearer {self._token.value}":
                self._token = None

    def _current(self) -> str:
        with self._lock:
            now = self._clock()
            due = self._renew_at is not None and now >= self._renew_at
            if self._token is None:
                return self._take(self._obtained(), now)
            if due:
                return self._before_its_end(self._token, now)
            return self._token.value

    def _before_its_end(self, token: Token, now: datetime) -> str:
        """Return a new token, or the old one if the renewal fails while it is still valid."""
        try:
            return self._take(self._obtained(), now)
        except RestError as error:
            passes = error.is_transient or isinstance(error, RateLimited)
            if not passes or token.expires_at is None or now >= token.expires_at:
                raise
        self._renew_at = min(now + _SOON, token.expires_at)
        return token.value

    def _obtained(self) -> Token:
        """Return a new token. Raises BadCredentials if the token endpoint refuses."""
        try:
            return self.obtain()
        except _REFUSALS as error:
            raise error.recast(BadCredentials, f"no access token: {error.message}") from None

    def _take(self, token: Token, now: datetime) -> str:
        value = clean_value(token.value, "the access token")
        protect_short_lived(value)
        self._token, self._renew_at = replace(token, value=value), _renewal(token, now)
        return value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({MASK})"


def _renewal(token: Token, now: datetime) -> datetime | None:
    if token.expires_at is None:
        return None
    life = max(token.expires_at - now, timedelta())
    return token.expires_at - min(life * _EARLY_SHARE, _EARLIEST)
