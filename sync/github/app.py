"""Signing in as an installation of a GitHub App.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec

from sync import __version__
from sync.clock import Clock, utc_now
from sync.errors import BadCredentials, ConfigError, Forbidden, NotFound, NotJson, RestError
from sync.github import protocol
from sync.github.records import Moment, User
from sync.redaction import MASK, printable, protect_passing, scrub
from sync.rest import RenewingAuth, Response, RestClient, RetryPolicy, Token
from sync.rest.auth.secrets import rsa_private_key
from sync.rest.retry import IDEMPOTENT

# GitHub's advice: a minute in the past, because clocks differ; it allows ten minutes at most.
_ISSUED_BEFORE = timedelta(seconds=60)
_LIFE = timedelta(minutes=9)
# A token that nobody has heard of does no harm: asking for it again has no second effect.
_REPEATABLE = IDEMPOTENT | {"POST"}
_SUSPENDED = "the App's installation is suspended"


class AppAuth(RenewingAuth):
    """Signs in as an App itself: a JSON Web Token, signed with its private key (RS256).

    `app_id` is the App's id or client id, `private_key` its key in PEM, `clock` tells the
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
        self._key = rsa_private_key(private_key, "the App's private key", "as GitHub gives it")

    def obtain(self) -> Token:
        import jwt

        now = self._clock()
        expires_at = now + _LIFE
        claims = {"iat": now - _ISSUED_BEFORE, "exp": expires_at, "iss": self._issuer}
        return Token(value=jwt.encode(claims, self._key, "RS256"), expires_at=expires_at)


class _AppApi(RestClient):
    """GitHub as it answers to an App itself."""

    def classify(self, response: Response) -> RestError | None:
        return protocol.classify_answer(response, self.clock())


class _Listed(msgspec.Struct):
    id: int
    account: dict[str, Any]  # an enterprise's has other fields than a user's


class _Granted(msgspec.Struct):
    token: str
    expires_at: Moment


class Installed(msgspec.Struct, frozen=True):
    """Where an App is installed, and what it was given there."""

    id: int
    account: User
    permissions: dict[str, str] = {}
    repository_selection: str = "?"
    suspended_at: str | None = None


class InstallationAuth(RenewingAuth):
    """Signs in as an App where it is installed: with a token of an hour, renewed before it ends.

    Without the id `installation_id` it is the only one that the App has. `api_url` is that
    of GitHubClient. See `AppAuth` and `RestClient` for the other parameters. Raises
    ConfigError, if only when a token is needed.
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
            headers={
                "Accept": "application/vnd.github+json",
                "User-Agent": f"repoledger/{__version__}",
                "X-GitHub-Api-Version": protocol.api_version(api_url.rstrip("/")),
            },
            timeout=timeout,
            retry=replace(retry or RetryPolicy(), methods=_REPEATABLE),
            stop=stop,
            clock=clock,
        )

    def obtain(self) -> Token:
        path = f"/app/installations/{self._found()}/access_tokens"
        granted = _granted(self._ask("POST", path, json={}))
        protect_passing(granted.token)
        return Token(value=granted.token, expires_at=granted.expires_at)

    def ask(self) -> tuple[Response, Installed]:
        """Ask about the installation, as the App itself. Raises RestErrors."""
        response = self._ask("GET", f"/app/installations/{self._found()}")
        installed: Installed = response.decode(Installed)
        if installed.suspended_at is not None:
            raise response.error(BadCredentials, _SUSPENDED)
        return response, installed

    def _ask(self, method: str, path: str, **options: Any) -> Response:
        """Ask as the App. Any refusal is one of the credentials.

        What asks for a repository must not take "Not Found" for the repository's.
        """
        refused: RestError | None = None
        try:
            return self._api.request(method, path, **options)
        except (BadCredentials, Forbidden, NotFound) as error:
            refused = error
        message = refused.message
        if isinstance(refused, Forbidden) and "suspended" in message:
            message = _SUSPENDED
        elif isinstance(refused, BadCredentials):
            # What GitHub says of a time in the token has brackets of its own.
            clock = "claim ('exp')" in message or "claim ('iat')" in message
            why = "this machine's clock" if clock else "the App's id or private key"
            message = f"{message.rpartition(' (')[0]} ({why} is wrong)"
        elif message == "404: Not Found":
            message = f"404: the App has no installation {self.installation_id} any more"
        raise refused.recast(BadCredentials, message)

    def close(self) -> None:
        """Close the connection that tokens come by."""
        self._api.close()

    def _found(self) -> int:
        if self.installation_id is None:
            response = self._ask("GET", "/app/installations", params={"per_page": 100})
            found = response.decode(list[_Listed])
            if not found:
                raise response.error(BadCredentials, "the App is installed nowhere")
            if len(found) > 1:
                places = (f"{each.id} ({each.account.get('login')})" for each in found[:10])
                where = ", ".join(places)
                raise ConfigError(
                    "the App has several installations, so installation_id has to say which: "
                    f"{printable(scrub(where))}"
                )
            self.installation_id = found[0].id
        return self.installation_id

    def __repr__(self) -> str:
        return f"InstallationAuth({self.app_id!r}, {self.installation_id!r}, {MASK})"


def _granted(response: Response) -> _Granted:
    with suppress(NotJson):
        return response.decode(_Granted)
    # Outside of the handler: the original quotes the answer, which may hold a token.
    raise response.error(NotJson, "the answer is not JSON")
