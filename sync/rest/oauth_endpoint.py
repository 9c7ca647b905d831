"""The request to an OAuth 2 endpoint for a token, and its answer (RFC 6749, 5; RFC 8628, 3)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from sync.core.errors import ConfigError, NotJson, UnexpectedAnswer
from sync.core.redaction import printable, protect_short_lived, scrub
from sync.rest.auth.checks import clean_value
from sync.rest.client import RestClient
from sync.rest.response import Response
from sync.rest.retry import IDEMPOTENT

# Methods that may be retried: a token whose answer was lost does no harm.
REPEATABLE = IDEMPOTENT | {"POST"}
_LONGEST_LIFE = 366 * 86400  # seconds: a mistaken number must not overflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """An issued token, and how to renew it if it expires; times in UTC.

    https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens
    """

    token: str = field(repr=False)
    scopes: tuple[str, ...]
    expires_at: datetime | None = None
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthAnswer:
    """The answer of an OAuth 2 endpoint: its JSON `members`, and its error.

    `error` and `description` are safe to show, and empty if there is no error.
    """

    response: Response
    members: dict[str, Any] = field(repr=False)

    @property
    def error(self) -> str:
        """The error's code, such as `invalid_grant`."""
        return self._shown("error")

    @property
    def description(self) -> str:
        """The error's reason, for people."""
        return self._shown("error_description")

    def _shown(self, name: str) -> str:
        text = self.members.get(name)
        return printable(scrub(text))[:300] if isinstance(text, str) else ""

    def granted(self, now: datetime) -> Granted:
        """Return the token that was issued at `now`. Raises UnexpectedAnswer if there is none."""
        try:
            return _granted(self.members, now)
        except ConfigError as error:  # a mistake of the server, not of the configuration
            raise self.response.error(UnexpectedAnswer, f"no access token: {error}") from None


def ask_oauth_endpoint(client: RestClient, path: str, fields: Mapping[str, str]) -> OAuthAnswer:
    """Send the form `fields` to the endpoint at `path`. Raises RestErrors."""
    return read_answer(client.post(path, data=fields))


def read_answer(response: Response) -> OAuthAnswer:
    """Read a JSON object, or a form (from old services); anything else has no members."""
    told: object = None
    with suppress(NotJson):  # the error quotes the answer, which may hold a token
        told = response.json()
    if told is None:
        told = dict(parse_qsl(response.body.decode("utf-8", "replace")))
    return OAuthAnswer(response=response, members=told if isinstance(told, dict) else {})


def _granted(members: dict[str, Any], now: datetime) -> Granted:
    if "access_token" not in members:
        raise ConfigError("the answer contains none")
    token = clean_value(members["access_token"], "the access_token")
    refresh = members.get("refresh_token")
    refresh = clean_value(refresh, "the refresh_token") if refresh else None
    protect_short_lived(token, refresh or "")
    scope = members.get("scope")
    life = _life(members.get("expires_in"))
    return Granted(
        token=token,
        scopes=tuple(scope.replace(",", " ").split()) if isinstance(scope, str) else (),
        expires_at=now + life if life is not None else None,
        refresh_token=refresh,
    )


def _life(seconds: Any) -> timedelta | None:
    """Return how long a token is valid; None if unknown."""
    if not seconds or seconds is True:
        return None
    with suppress(TypeError, ValueError):
        return timedelta(seconds=min(max(int(seconds), 0), _LONGEST_LIFE))
    raise ConfigError("expires_in is not a number of seconds")
