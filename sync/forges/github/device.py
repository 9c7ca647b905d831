"""Signs in by the device flow: a person enters a code at GitHub (RFC 8628).

https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sync.core.clock import Clock, utc_now
from sync.core.errors import (
    BadCredentials,
    Interrupted,
    InvalidRequest,
    NotFound,
    RestError,
    UnexpectedAnswer,
)
from sync.core.redaction import printable, protect_short_lived, scrub
from sync.forges.github import protocol
from sync.rest import Response, RestClient, RetryPolicy
from sync.rest.auth.checks import clean_value
from sync.rest.oauth_endpoint import (
    REPEATABLE,
    Granted,
    OAuthAnswer,
    ask_oauth_endpoint,
    read_answer,
)

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
# The default interval, and the time that slow_down adds if it names no interval; in seconds.
_INTERVAL = 5.0
_SLOWER = 5.0
_LONGEST_INTERVAL = 120.0

_ENDS = {
    "expired_token": "the code has expired; log in again",
    "access_denied": "the login was refused at GitHub",
    "incorrect_client_credentials": "GitHub knows no App or OAuth app with this client id",
    "device_flow_disabled": "the App does not allow the device flow; enable it in its settings",
    "incorrect_device_code": "GitHub does not know the code any more; log in again",
    "unsupported_grant_type": "the server does not support the device flow",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """The code that a person enters: `user_code`, at `verification_uri`, until `expires_at` (UTC).

    `interval` is the time to wait between two polls, in seconds.
    https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow
    """

    user_code: str
    verification_uri: str
    expires_at: datetime
    interval: float
    device_code: str = field(repr=False)


class _Site(RestClient):
    """The site of the login. A 400 that names an error is a usable answer (RFC 6749, 5.2)."""

    def classify(self, response: Response) -> RestError | None:
        error = super().classify(response)
        named = isinstance(error, InvalidRequest) and read_answer(response).error
        return None if named else error


class DeviceFlow:
    """Gets a token for a person, by the App or OAuth app with the id `client_id`.

    `scope` are the requested scopes, separated by spaces; an App has none. `api_url` is
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
        self._client_id = clean_value(client_id, "the client id")
        self._scope = scope
        self._stop = stop or threading.Event()
        self._clock = clock
        self._site = _Site(
            protocol.site_of(api_url),
            headers={"User-Agent": protocol.USER_AGENT},
            timeout=timeout,
            stop=self._stop,
            clock=clock,
            retry=replace(retry or RetryPolicy(), methods=REPEATABLE),
        )

    def start(self) -> DeviceCode:
        """Request a code. Raises BadCredentials if the app does not allow it, and RestErrors."""
        answer = self._ask("/login/device/code", {"scope": self._scope} if self._scope else {})
        if answer.error:
            raise self._refusal(answer.error, answer.description)
        told = answer.members
        texts = [told.get(key) for key in ("user_code", "verification_uri", "device_code")]
        if not all(isinstance(text, str) and text for text in texts):
            raise UnexpectedAnswer("the answer contains no code", url=self._site.base_url)
        user_code, uri, device_code = map(str, texts)
        protect_short_lived(device_code)
        if not uri.lower().startswith(("https://", "http://")):
            raise UnexpectedAnswer("the answer contains no web address", url=self._site.base_url)
        life = timedelta(seconds=_number(told.get("expires_in"), 900.0, 3600.0))
        return DeviceCode(
            user_code=printable(scrub(user_code))[:40],
            verification_uri=printable(scrub(uri))[:200],
            expires_at=self._clock() + life,
            interval=_number(told.get("interval"), _INTERVAL, _LONGEST_INTERVAL),
            device_code=device_code,
        )

    def wait(self, code: DeviceCode) -> Granted:
        """Wait until the person has entered `code`, and return the token.

        Raises BadCredentials if they refuse, or the code expires; Interrupted; and RestErrors.
        """
        interval = max(code.interval, 1.0)
        fields = {"device_code": code.device_code, "grant_type": _GRANT}
        deadline = time.monotonic() + (code.expires_at - self._clock()).total_seconds()
        while True:
            if self._stop.wait(interval):
                raise Interrupted("stopped while waiting for you to enter the code")
            answer = self._ask(protocol.TOKEN_PATH, fields)
            if not answer.error:
                return answer.granted(self._clock())
            if answer.error == "slow_down":
                told = answer.members.get("interval")
                asked = _number(told, interval + _SLOWER, _LONGEST_INTERVAL)
                interval = max(asked, interval + _SLOWER)
            elif answer.error != "authorization_pending":
                raise self._refusal(answer.error, answer.description)
            if time.monotonic() > deadline:
                raise self._refusal("expired_token")

    def close(self) -> None:
        """Close the connection."""
        self._site.close()

    def _ask(self, path: str, fields: dict[str, str]) -> OAuthAnswer:
        try:
            return ask_oauth_endpoint(self._site, path, {"client_id": self._client_id, **fields})
        except (InvalidRequest, NotFound) as error:
            unknown = isinstance(error, NotFound)
            message = _ENDS["incorrect_client_credentials"] if unknown else error.message
            raise BadCredentials(message, url=error.url, status=error.status) from None

    def _refusal(self, error: str, description: str = "") -> BadCredentials:
        message = _ENDS.get(error) or f"{error}: {description or 'no reason given'}"
        return BadCredentials(message[:300], url=self._site.base_url)


def _number(value: object, default: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        return default
    return float(min(value, most))  # an integer may be too large for a float
