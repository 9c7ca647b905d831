"""OAuth 2 (RFC 6749) and OAuth 1.0a (RFC 5849), by way of requests-oauthlib.

The library knows the protocols. What OAuth 2 asks a token endpoint for goes
through a RestClient of ours, which has deadlines, retries, a size cap, and
takes nothing from the environment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase

from sync.clock import Clock, utc_now
from sync.errors import BadCredentials, ConfigError, RestError, UnexpectedAnswer
from sync.origin import validate_base_url
from sync.redaction import MASK, printable, protect_passing, scrub
from sync.rest.auth import BasicAuth, RenewingAuth, Token, clean_name, clean_secret
from sync.rest.auth.secrets import rsa_private_key
from sync.rest.client import RestClient
from sync.rest.response import Response
from sync.rest.retry import IDEMPOTENT, RetryPolicy

# Asking for a token again has no second effect: the first one is not used.
_PATIENCE = RetryPolicy(attempts=3, methods=IDEMPOTENT | {"POST"})

_REFUSALS = ("invalid_", "unauthorized_", "bad_", "incorrect_")  # the last two are GitHub's own
_LONGEST = 366 * 86400.0  # seconds

Placement = Literal["header", "body"]
OnRenewed = Callable[[Token, str], None]
SIGNATURE_METHODS = ("HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT", "RSA-SHA1", "RSA-SHA256")


class _OAuth2(RenewingAuth):
    """What grants of OAuth 2 have in common: a client, and the endpoint that it asks.

    `client_id` and `client_secret` are what the service calls the program, `scope` what
    is asked for, a text or several. `token_url` is the token endpoint (RFC 6749, 3.2):
    https, or http to a loopback address. `placement` is where client id and secret are
    sent: in an `Authorization` header, as the RFC prefers, or in the body. They are sent
    to `token_url` alone. That a token is refused is BadCredentials, whatever the status.
    Raises ConfigError.
    See `RestClient` for `timeout`, `stop`, `clock` and `retry`.
    """

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
        self.client_id = clean_name(client_id, "the client id")
        self._secret = client_secret and clean_secret(client_secret, "the client secret")
        self._scope = [scope] if isinstance(scope, str) else list(scope)
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
            clock=clock,
        )

    def close(self) -> None:
        """Close the connection to the token endpoint."""
        self._client.close()

    def _body(self, client: Any) -> str:
        """Return the body that asks for a token; `client` is oauthlib's."""
        raise NotImplementedError

    def _granted(self, client: Any) -> dict[str, Any]:
        """Ask the token endpoint, and return its answer as oauthlib reads it."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return _read(
            client, self._client.post(self._path, data=self._body(client), headers=headers)
        )

    def _token_of(self, answer: dict[str, Any]) -> Token:
        return _token(answer, self._clock())


class ClientCredentials(_OAuth2):
    """Signs in as a program, not as a person (RFC 6749, 4.4).

    The token is obtained with the first request, renewed before it ends, and once more
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
            client_secret=clean_secret(client_secret, "the client secret"),
            scope=scope,
            placement=placement,
            timeout=timeout,
            stop=stop,
            clock=clock,
            retry=retry,
        )

    def obtain(self) -> Token:
        from oauthlib.oauth2 import BackendApplicationClient

        return self._token_of(self._granted(BackendApplicationClient(self.client_id)))

    def _body(self, client: Any) -> str:
        secret = {"client_secret": self._secret} if self._in_body else {}
        body = client.prepare_request_body(
            scope=self._scope or None, include_client_id=self._in_body, **secret
        )
        return str(body)


class RefreshToken(_OAuth2):
    """Signs in as a person who has allowed it once (RFC 6749, 6).

    `refresh_token` was given then, maybe with an `access_token` that holds until
    `expires_at` (UTC). Some servers give a new refresh token with each access token:
    `on_renewed` is called with both, to be kept in the place of the former.
    """

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
        self._refresh_token = clean_secret(refresh_token, "the refresh token")
        self._on_renewed = on_renewed
        if access_token is not None:
            value = clean_secret(access_token, "the access token")
            self.start_with(Token(value=value, expires_at=expires_at))

    def obtain(self) -> Token:
        from oauthlib.oauth2 import WebApplicationClient

        answer = self._granted(WebApplicationClient(self.client_id))
        token, renewed = self._token_of(answer), answer.get("refresh_token")
        if isinstance(renewed, str) and renewed != self._refresh_token:
            self._refresh_token = renewed
            if self._on_renewed is not None:
                self._on_renewed(token, renewed)
        return token

    def _body(self, client: Any) -> str:
        told = {"client_id": self.client_id, "client_secret": self._secret}
        told = {name: text for name, text in told.items() if self._in_body and text}
        body = client.prepare_refresh_body(
            refresh_token=self._refresh_token, scope=self._scope or None, **told
        )
        return str(body)


def _read(client: Any, response: Response) -> dict[str, Any]:
    """Return what a token endpoint answered. Raises BadCredentials, UnexpectedAnswer."""
    from oauthlib.oauth2 import OAuth2Error

    reason = ""
    kind: type[RestError] = UnexpectedAnswer
    answer: dict[str, Any] = {}
    try:
        answer = dict(client.parse_request_body_response(response.body.decode()))
        for name in ("access_token", "refresh_token"):
            if name == "access_token" or answer.get(name) is not None:
                answer[name] = clean_name(answer[name], f"the {name}")
                protect_passing(answer[name])
    except OAuth2Error as error:
        told = str(error.description or error.error)
        reason = f"no access token: {printable(scrub(told))[:300]}"
        kind = BadCredentials if str(error.error).startswith(_REFUSALS) else kind
    except ConfigError as error:
        reason = f"no access token: {error}"
    except (ArithmeticError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        reason = "the answer holds no access token"
    if reason:  # outside of the handlers: an original may quote the answer
        raise response.error(kind, reason)
    return answer


def _token(answer: dict[str, Any], now: datetime) -> Token:
    seconds = answer.get("expires_in")
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        return Token(value=answer["access_token"])
    # A year at most: a mistaken number must not overflow.
    expires_at = now + timedelta(seconds=min(max(float(seconds), 0.0), _LONGEST))
    return Token(value=answer["access_token"], expires_at=expires_at)


class OAuth1Auth(AuthBase):
    """Signs each request with two pairs of keys and secrets (OAuth 1.0a, RFC 5849).

    For services that still want it. `client_key` and `client_secret` are of the program,
    `resource_owner_key` and `resource_owner_secret` (token and token secret) of whoever
    has agreed. `signature_method` is `HMAC-SHA1`, `HMAC-SHA256` or
    `PLAINTEXT`; with `RSA-SHA1` and `RSA-SHA256`, `rsa_key` is a private key in PEM
    (extra `oauth1`). Raises ConfigError.
    """

    def __init__(
        self,
        client_key: str,
        client_secret: str = "",
        resource_owner_key: str = "",
        resource_owner_secret: str = "",
        *,
        signature_method: str = "HMAC-SHA1",
        rsa_key: str | None = None,
    ) -> None:
        from requests_oauthlib import OAuth1

        secrets = (client_secret, resource_owner_key, resource_owner_secret)
        cleaned = [clean_secret(each, "a key of OAuth 1") if each else None for each in secrets]
        if signature_method not in SIGNATURE_METHODS:
            raise ConfigError(f"a signature method is one of {', '.join(SIGNATURE_METHODS)}")
        if signature_method.startswith("RSA") != (rsa_key is not None):
            raise ConfigError("an RSA key goes with an RSA signature method, and with no other")
        if rsa_key is not None:
            rsa_private_key(rsa_key, "the key that signs")
        self._sign = OAuth1(
            clean_name(client_key, "the client key"),
            *cleaned,
            signature_method=signature_method,
            rsa_key=rsa_key,
            decoding=None,
        )

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        signed: PreparedRequest = self._sign(request)
        return signed

    def __repr__(self) -> str:
        return f"OAuth1Auth({MASK})"
