"""Credentials that end, and are renewed: before they do, and once if the server refuses them."""

from __future__ import annotations

import threading
from abc import abstractmethod
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from requests import PreparedRequest
from requests.auth import AuthBase

from sync.clock import Clock, utc_now
from sync.errors import (
    BadCredentials,
    ConfigError,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    RateLimited,
    RestError,
)
from sync.redaction import MASK, protect_passing
from sync.rest.auth.secrets import clean_name
from sync.rest.retry import PASSING

# How long before its end a token is renewed: this share of its life, but not more than that.
_EARLY_SHARE = 0.1
_EARLIEST = timedelta(minutes=5)
_SOON = timedelta(seconds=30)  # until it is tried again, while the former token still holds
# Answers of whoever gives tokens: those that may pass, and those that say nothing of what the
# token was wanted for.
_PASSING = (*PASSING, RateLimited)
_REFUSALS = (Conflict, Forbidden, InvalidRequest, NotFound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An access token, and when it ends (UTC); None if nobody knows."""

    value: str = field(repr=False)
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.expires_at is not None and self.expires_at.tzinfo is None:
            raise ConfigError("the time at which a token ends needs a time zone, such as UTC")


class RenewingAuth(AuthBase):
    """Sends `Authorization: Bearer …` with a token that is obtained when it is needed.

    Safe to use from several threads: one obtains a token, the others wait for
    it, and several clients may share one. It is renewed before its end, and once
    if the server refuses it. A subclass says in `obtain` how; what that raises
    reaches the caller of the request, a refusal as BadCredentials. Clients do not
    close it, except for GitHubClient; `close`, or use it as a context manager.
    `clock` tells the present time in UTC.
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
        """Close what tokens are obtained by; nothing here."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start_with(self, token: Token) -> None:
        """Use `token`, which was obtained earlier, as long as it holds."""
        with self._lock:
            self._take(token, self._clock())

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._current()}"
        return request

    def refused(self, request: PreparedRequest) -> None:
        """Take note that the server did not accept what `request` was sent with (401).

        The next request will have a new token, unless it has been renewed since.
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
        """Return a new token; as long as the former holds, that one if none can be had now."""
        try:
            return self._take(self._obtained(), now)
        except _PASSING:
            if token.expires_at is None or now >= token.expires_at:
                raise
        self._renew_at = min(now + _SOON, token.expires_at)
        return token.value

    def _obtained(self) -> Token:
        """Return a new token. That there is none is no answer to the request that needs it."""
        refused: RestError | None = None
        try:
            return self.obtain()
        except _REFUSALS as error:
            refused = error
        raise refused.recast(BadCredentials, f"no access token: {refused.message}")

    def _take(self, token: Token, now: datetime) -> str:
        value = clean_name(token.value, "the access token")
        protect_passing(value)
        self._token, self._renew_at = replace(token, value=value), _renewal(token, now)
        return value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({MASK})"


def _renewal(token: Token, now: datetime) -> datetime | None:
    if token.expires_at is None:
        return None
    life = max(token.expires_at - now, timedelta())
    return token.expires_at - min(life * _EARLY_SHARE, _EARLIEST)
