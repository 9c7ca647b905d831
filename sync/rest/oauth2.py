"""OAuth 2 (RFC 6749): tokens for a program, and for a person who has authorized it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from sync.core.clock import Clock, utc_now
from sync.core.errors import BadCredentials, ConfigError, UnexpectedAnswer
from sync.core.origin import validate_base_url
from sync.rest.auth.checks import clean_secret, clean_value
from sync.rest.auth.renewing import RenewingAuth, Token
from sync.rest.auth.simple import BasicAuth
from sync.rest.client import RestClient
from sync.rest.oauth_endpoint import REPEATABLE, Granted, ask_oauth_endpoint
from sync.rest.retry import RetryPolicy

_PATIENCE = RetryPolicy(attempts=3, methods=REPEATABLE)
_REFUSALS = ("invalid_", "unauthorized_", "bad_", "incorrect_")  # the last two are GitHub's own

Placement = Literal["header", "body"]
OnRenewed = Callable[[Token, str], None]


class _OAuth2(RenewingAuth):
    """The common part of the OAuth 2 grants: the program's client id, and the token endpoint.

    `client_id` and `client_secret` identify the program to the service; `scope` is one
    requested scope, or several. `token_url` is the token endpoint (RFC 6749, 3.2):
    https, or http to a loopback address. `placement` is where client id and secret are
    sent: in an `Authorization` header, as the RFC prefers, or in the body. They are sent
    only to `token_url`. A refusal by the endpoint is BadCredentials, with any status.
    Raises ConfigError.
    See `RestClient` for `timeout`, `stop`, `clock` and `retry`.
    """

    _grace = 0.0  # see `RestClient`

    def __init__(
        self,
        *,
        token_url: str,
        client_id: str,
        client_secret: str | None,
        scope: str | Iterable[str],
        placement: Placement,
        timeout: float,
        stop: threading.Event | None,
        clock: Clock,
        retry: RetryPolicy,
    ) -> None:
        super().__init__(clock=clock)
        if placement not in ("header", "body"):
            raise ConfigError('the placement of client credentials is "header" or "body"')
        self.client_id = clean_value(client_id, "the client id")
        self._secret = client_secret and clean_secret(client_secret, "the client secret", self)
        self._scope = scope if isinstance(scope, str) else " ".join(scope)
        self._in_body = placement == "body" or self._secret is None
        validate_base_url(token_url, "the token endpoint")
        endpoint = urlsplit(token_url)
        self._path = endpoint.path
        self._client = RestClient(
            f"{endpoint.scheme}://{endpoint.netloc}",
            auth=None if self._in_body else BasicAuth(self.client_id, self._secret or ""),
            timeout=timeout,
            retry=retry,
            stop=stop,
            grace=self._grace,
            clock=clock,
        )

    def close(self) -> None:
        """Close the connection to the token endpoint."""
        self._client.close()

    def _ask(self, grant_type: str, **grant: str) -> Granted:
        """Ask the token endpoint for a token. Raises RestErrors."""
        client = {"client_id": self.client_id, "client_secret": self._secret}
        told = {**grant, "scope": self._scope, **(client if self._in_body else {})}
        fields = {name: text for name, text in told.items() if text}
        answer = ask_oauth_endpoint(self._client, self._path, {"grant_type": grant_type, **fields})
        if answer.error:
            refused = answer.error.startswith(_REFUSALS)
            raise answer.response.error(
                BadCredentials if refused else UnexpectedAnswer,
                f"no access token: {answer.description or answer.error}",
            )
        return answer.granted(self._clock())


class ClientCredentials(_OAuth2):
    """Signs in as a program, not as a person (RFC 6749, 4.4).

    The token is obtained with the first request, renewed before it expires, and renewed once
    if the server refuses it.
    """

    def __init__(
        self,
        *,
        token_url: str,
        client_id: str,
        client_secret: str,
        scope: str | Iterable[str] = (),
        placement: Placement = "header",
        timeout: float = 30.0,
        stop: threading.Event | None = None,
        clock: Clock = utc_now,
        retry: RetryPolicy = _PATIENCE,
    ) -> None:
        super().__init__(
            token_url=token_url,
            client_id=client_id,
            client_secret=clean_secret(client_secret, "the client secret", self),
            scope=scope,
            placement=placement,
            timeout=timeout,
            stop=stop,
            clock=clock,
            retry=retry,
        )

    def obtain(self) -> Token:
        return _token(self._ask("client_credentials"))


class RefreshToken(_OAuth2):
    """Signs in as a person who has authorized the program (RFC 6749, 6).

    `refresh_token` was issued then, maybe with an `access_token` that is valid until
    `expires_at` (UTC). Some servers issue a new refresh token with each access token, and
    accept the old one no longer. Therefore `on_renewed` is called with both new tokens, for
    you to save, and a stop leaves a renewal in flight a few seconds to finish.
    """

    _grace = 5.0

    def __init__(
        self,
        *,
        token_url: str,
        client_id: str,
        refresh_token: str,
        client_secret: str | None = None,
        access_token: str | None = None,
        expires_at: datetime | None = None,
        scope: str | Iterable[str] = (),
        on_renewed: OnRenewed | None = None,
        placement: Placement = "header",
        timeout: float = 30.0,
        stop: threading.Event | None = None,
        clock: Clock = utc_now,
        retry: RetryPolicy = _PATIENCE,
    ) -> None:
        super().__init__(
            token_url=token_url,
            client_id=client_id,
            client_secret=client_secret,
            scope=scope,
            placement=placement,
            timeout=timeout,
            stop=stop,
            clock=clock,
            retry=retry,
        )
        self._refresh_token = clean_secret(refresh_token, "the refresh token", self)
        self._on_renewed = on_renewed
        if access_token is not None:
            value = clean_secret(access_token, "the access token", self)
            self.start_with(Token(value=value, expires_at=expires_at))

    def obtain(self) -> Token:
        granted = self._ask("refresh_token", refresh_token=self._refresh_token)
        token, renewed = _token(granted), granted.refresh_token
        if renewed is not None and renewed != self._refresh_token:
            self._refresh_token = renewed
            if self._on_renewed is not None:
                self._on_renewed(token, renewed)
        return token


def _token(granted: Granted) -> Token:
    return Token(value=granted.token, expires_at=granted.expires_at)
