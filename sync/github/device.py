"""Signing in by the device flow: a code that a person enters at GitHub (RFC 8628).

https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sync import __version__
from sync.clock import Clock, utc_now
from sync.errors import (
    BadCredentials,
    ConfigError,
    Interrupted,
    InvalidRequest,
    NotFound,
    NotJson,
    RestError,
    UnexpectedAnswer,
)
from sync.github import protocol
from sync.redaction import printable, protect, scrub
from sync.rest import RestClient, RetryPolicy
from sync.rest.auth import clean_name, clean_secret
from sync.rest.retry import IDEMPOTENT

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
# GitHub's, where it names none; and what slow_down adds, where it names no new one.
_INTERVAL = 5.0
_SLOWER = 5.0
_LONGEST_INTERVAL = 120.0
# Asking again harms nothing: GitHub gives the token once it is allowed, and counts the pace itself.
_REPEATABLE = IDEMPOTENT | {"POST"}

_ENDS = {
    "expired_token": "the code has expired; begin anew",
    "access_denied": "it was refused at GitHub",
    "incorrect_client_credentials": "GitHub knows no App or OAuth app of this client id",
    "device_flow_disabled": "the App does not allow the device flow; its settings switch it on",
    "incorrect_device_code": "GitHub does not know the code any more; begin anew",
    "unsupported_grant_type": "the server does not know the device flow",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """What a person has to do: enter `user_code` at `verification_uri`, until `expires_at` (UTC).

    `interval` is how long to wait between two questions, in seconds.
    https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow
    """

    user_code: str
    verification_uri: str
    expires_at: datetime
    interval: float
    device_code: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A token that was given, and how to renew it if it ends; times in UTC.

    https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens
    """

    token: str = field(repr=False)
    scopes: tuple[str, ...]
    expires_at: datetime | None = None
    refresh_token: str | None = field(default=None, repr=False)


class DeviceFlow:
    """Gets a token for a person, by way of the App or OAuth app called `client_id`.

    `scope` is what is asked for, separated by spaces; an App asks for none. `api_url` is
    that of GitHubClient. See `RestClient` for `timeout`, `stop`, `clock` and `retry`.
    Raises ConfigError.
    https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow
    """

    def __init__(
        self,
        client_id: str,
        *,
        api_url: str = protocol.PUBLIC_API,
        scope: str = "",
        timeout: float = 30.0,
        stop: threading.Event | None = None,
        clock: Clock = utc_now,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._client_id = clean_name(client_id, "the client id")
        self._scope = scope
        self._stop = stop or threading.Event()
        self._clock = clock
        self._site = RestClient(
            protocol.site_of(api_url),
            headers={"User-Agent": f"repoledger/{__version__}"},
            timeout=timeout,
            stop=self._stop,
            clock=clock,
            retry=replace(retry or RetryPolicy(), methods=_REPEATABLE),
        )

    def start(self) -> DeviceCode:
        """Ask for a code. Raises BadCredentials if the app does not allow it, and RestErrors."""
        told = self._ask("/login/device/code", {"scope": self._scope} if self._scope else {})
        if "error" in told:
            raise self._refusal(told)
        texts = [told.get(key) for key in ("user_code", "verification_uri", "device_code")]
        if not all(isinstance(text, str) and text for text in texts):
            raise UnexpectedAnswer("the answer holds no code", url=self._site.base_url)
        user_code, uri, device_code = map(str, texts)
        protect(device_code)
        if not uri.lower().startswith(("https://", "http://")):
            raise UnexpectedAnswer("the code is for no web address", url=self._site.base_url)
        life = timedelta(seconds=_number(told.get("expires_in"), 900.0, 3600.0))
        return DeviceCode(
            user_code=printable(scrub(user_code))[:40],
            verification_uri=printable(scrub(uri))[:200],
            expires_at=self._clock() + life,
            interval=_number(told.get("interval"), _INTERVAL, _LONGEST_INTERVAL),
            device_code=device_code,
        )

    def wait(self, code: DeviceCode) -> Granted:
        """Wait until the person has decided what `code` was shown for.

        Raises BadCredentials if they refuse, or do nothing until the code ends;
        Interrupted; and RestErrors.
        """
        interval = max(code.interval, 1.0)
        fields = {"device_code": code.device_code, "grant_type": _GRANT}
        deadline = time.monotonic() + (code.expires_at - self._clock()).total_seconds()
        while True:
            if self._stop.wait(interval):
                raise Interrupted("stopped while waiting for you to enter the code")
            told = self._ask("/login/oauth/access_token", fields)
            if isinstance(told.get("access_token"), str):
                return self._granted(told)
            error = told.get("error")
            if error == "slow_down":
                asked = _number(told.get("interval"), interval + _SLOWER, _LONGEST_INTERVAL)
                interval = max(asked, interval + _SLOWER)
            elif error != "authorization_pending":
                raise self._refusal(told)
            if time.monotonic() > deadline:
                raise self._refusal({"error": "expired_token"})

    def close(self) -> None:
        """Close the connection."""
        self._site.close()

    def _ask(self, path: str, fields: dict[str, str]) -> dict[str, Any]:
        data = {"client_id": self._client_id, **fields}
        refused: RestError | None = None
        try:
            told = self._site.post(path, data=data).json()
        except (InvalidRequest, NotFound) as error:
            refused = error
        except NotJson:  # it quotes the answer, which may hold a token all the same
            told = None
        if refused is not None:
            unknown = isinstance(refused, NotFound)
            what = "incorrect_client_credentials" if unknown else "device_flow_disabled"
            message = _ENDS[what] if unknown or what in refused.message else refused.message
            raise BadCredentials(message, url=refused.url, status=refused.status)
        if not isinstance(told, dict):
            raise UnexpectedAnswer("not what GitHub answers", url=self._site.base_url)
        return told

    def _granted(self, told: dict[str, Any]) -> Granted:
        reason = ""
        try:
            return granted(told, self._clock())
        except ConfigError as error:  # the server's mistake, and not one of the configuration
            reason = str(error)
        raise UnexpectedAnswer(reason, url=self._site.base_url)

    def _refusal(self, told: dict[str, Any]) -> RestError:
        error = str(told.get("error"))
        message = (
            _ENDS.get(error) or f"{error}: {told.get('error_description') or 'no reason told'}"
        )
        return BadCredentials(printable(scrub(message))[:300], url=self._site.base_url)


def granted(told: dict[str, Any], now: datetime) -> Granted:
    """Return what an answer of the token endpoint gives."""
    token = clean_secret(told["access_token"], "the access token")
    refresh = told.get("refresh_token")
    ends = told.get("expires_in")
    return Granted(
        token=token,
        scopes=tuple(filter(None, str(told.get("scope") or "").replace(",", " ").split())),
        expires_at=now + timedelta(seconds=_number(ends, 0.0, 366 * 86400.0)) if ends else None,
        refresh_token=clean_secret(refresh, "the refresh token") if refresh else None,
    )


def _number(value: object, default: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        return default
    return float(min(value, most))  # an integer may be too large for a float
