"""Signing in as an installation of a GitHub App.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from sync.core.clock import Clock, utc_now
from sync.core.errors import (
    BadCredentials,
    ConfigError,
    Forbidden,
    NotFound,
    NotJson,
    RestError,
)
from sync.core.extras import needed_for
from sync.core.redaction import MASK, printable, protect_short_lived, scrub
from sync.forges.answers import Installed
from sync.forges.github import protocol
from sync.forges.github.refusals import classify_answer
from sync.resources.fields import Moment
from sync.rest import RenewingAuth, Response, RestClient, RetryPolicy, Token
from sync.rest.auth.keys import rsa_private_key
from sync.rest.oauth_endpoint import REPEATABLE

# GitHub's advice: a minute in the past, since clocks differ; ten minutes are the limit.
_ISSUED_BEFORE = timedelta(seconds=60)
_LIFE = timedelta(minutes=9)
_SUSPENDED = "the App's installation is suspended"


class AppAuth(RenewingAuth):
    """Signs in as an App itself: a JSON Web Token, signed with its private key (RS256).

    `app_id` is the App's id or client id, `private_key` its key in PEM; `clock` returns the
    time in UTC. Raises ConfigError.
    https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
    """

    def __init__(self, app_id: int | str, private_key: str, *, clock: Clock = utc_now) -> None:
        super().__init__(clock=clock)
        self._issuer = str(app_id)
        if not self._issuer.isascii() or not self._issuer.isprintable() or not self._issuer:
            raise ConfigError(
                "an App's id is a number, or a client id such as Iv1.0123456789abcdef"
            )
        with needed_for("signing in as a GitHub App", "pyjwt", "cryptography"):
            import jwt

            key = rsa_private_key(private_key, "the App's private key", "as you download it")
        self._sign = partial(jwt.encode, key=key, algorithm="RS256")

    def obtain(self) -> Token:
        now = self._clock()
        expires_at = now + _LIFE
        claims = {"iat": now - _ISSUED_BEFORE, "exp": expires_at, "iss": self._issuer}
        return Token(value=self._sign(claims), expires_at=expires_at)


class _AppApi(RestClient):
    """The endpoints of GitHub that an App itself uses."""

    def classify(self, response: Response) -> RestError | None:
        return classify_answer(response, self.clock())


class _Listed(msgspec.Struct):
    id: int
    account: dict[str, Any]  # an enterprise has other fields than a user


class _Granted(msgspec.Struct):
    token: str
    expires_at: Moment


class InstallationAuth(RenewingAuth):
    """Signs in as an installation of an App: with a token of an hour, renewed before it expires.

    Without the id `installation_id` it is the App's only installation. `api_url` is that
    of GitHubClient. See `AppAuth` and `RestClient` for the other parameters. Raises
    ConfigError, some of it only when a token is needed.
    https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app
    """

    def __init__(
        self,
        app_id: int | str,
        private_key: str,
        installation_id: int | None = None,
        *,
        api_url: str = protocol.PUBLIC_API,
        timeout: float = 30.0,
        stop: threading.Event | None = None,
        clock: Clock = utc_now,
        retry: RetryPolicy | None = None,
    ) -> None:
        super().__init__(clock=clock)
        self.app_id = app_id
        self.installation_id = installation_id
        self._api = _AppApi(
            api_url,
            auth=AppAuth(app_id, private_key, clock=clock),
            headers=protocol.headers_of(api_url),
            timeout=timeout,
            retry=replace(retry or RetryPolicy(), methods=REPEATABLE),
            stop=stop,
            clock=clock,
        )

    def obtain(self) -> Token:
        path = f"/app/installations/{self._found()}/access_tokens"
        granted = _granted(self._ask("POST", path, json={}))
        protect_short_lived(granted.token)
        return Token(value=granted.token, expires_at=granted.expires_at)

    def ask(self) -> tuple[Response, Installed]:
        """Ask about the installation, as the App itself. Raises RestErrors."""
        response = self._ask("GET", f"/app/installations/{self._found()}")
        installed: Installed = response.decode(Installed)
        if installed.suspended_at is not None:
            raise response.error(BadCredentials, _SUSPENDED)
        return response, installed

    def _ask(self, method: str, path: str, **options: Any) -> Response:
        """Send a request as the App. Raises BadCredentials for any refusal.

        A "Not Found" here must not be taken for that of a repository.
        """
        try:
            return self._api.request(method, path, **options)
        except (BadCredentials, Forbidden, NotFound) as error:
            raise error.recast(BadCredentials, self._reason(error)) from None

    def _reason(self, refused: RestError) -> str:
        message = refused.message
        if isinstance(refused, Forbidden) and "suspended" in message:
            return _SUSPENDED
        if isinstance(refused, BadCredentials):
            # GitHub's message about a time in the token contains brackets.
            clock = "claim ('exp')" in message or "claim ('iat')" in message
            why = "this machine's clock" if clock else "the App's id or private key"
            return f"{message.rpartition(' (')[0]} ({why} is wrong)"
        if message == "404: Not Found":
            return f"404: the App has no installation {self.installation_id} any more"
        return message

    def close(self) -> None:
        """Close the connection for tokens."""
        self._api.close()

    def _found(self) -> int:
        if self.installation_id is None:
            response = self._ask("GET", "/app/installations", params=protocol.PAGING.query)
            found = response.decode(list[_Listed])
            if not found:
                raise response.error(BadCredentials, "the App is installed nowhere")
            if len(found) > 1:
                places = (f"{each.id} ({each.account.get('login')})" for each in found[:10])
                where = ", ".join(places)
                raise ConfigError(
                    "the App has several installations; choose one by installation_id: "
                    f"{printable(scrub(where))}"
                )
            self.installation_id = found[0].id
        return self.installation_id

    def __repr__(self) -> str:
        return f"InstallationAuth({self.app_id!r}, {self.installation_id!r}, {MASK})"


def _granted(response: Response) -> _Granted:
    with suppress(NotJson):
        return response.decode(_Granted)
    # Outside of the handler: the original error quotes the answer, which may hold a token.
    raise response.error(NotJson, "the answer is not JSON")
