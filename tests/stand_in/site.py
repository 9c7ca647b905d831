"""The two addresses of GitHub's site, beside its API, at which programs get their tokens.

https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tests.stand_in.authorizations import Authorizations, Grant, Ungranted
from tests.support.inside.sandbox import ENTERPRISE_PATH, SITE, Answer, Host, Request, encode

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_DEVICE, _TOKEN = "/login/device/code", "/login/oauth/access_token"
_HELP = "https://docs.github.com"
_ERRORS = "/developers/apps/authorizing-oauth-apps#error-codes-for-the-device-flow"
_TROUBLE = "/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/#"
_WORDS = {
    "authorization_pending": ("The authorization request is still pending.", _ERRORS),
    "slow_down": ("Too many requests have been made in the same timeframe.", ""),
    "expired_token": ("This 'device_code' has expired.", _ERRORS),
    "access_denied": ("The authorization request was denied.", _ERRORS),
    "incorrect_device_code": ("The device_code provided is not valid.", _ERRORS),
    "unsupported_grant_type": ("The grant type provided is not supported.", _ERRORS),
    "device_flow_disabled": ("Device Flow must be explicitly enabled for this App", ""),
    "incorrect_client_credentials": (
        "The client_id and/or client_secret passed are incorrect.",
        f"{_TROUBLE}incorrect-client-credentials",
    ),
    "bad_verification_code": (
        "The code passed is incorrect or expired.",
        f"{_TROUBLE}bad-verification-code",
    ),
    "bad_refresh_token": ("The refresh token passed is incorrect or expired.", ""),
}


def respond(host: Host, programs: Authorizations, request: Request) -> Answer | None:
    """Answers a request for a code or a token; None when it is for anything else."""
    if request.path not in (_DEVICE, _TOKEN):
        return None
    if request.method != "POST":
        return _answer(host, request, {"error": "Not Found"}, HTTPStatus.NOT_FOUND)
    asked, status = _parameters(request), HTTPStatus.OK
    try:
        said = (
            _device(host, programs, asked) if request.path == _DEVICE else _token(programs, asked)
        )
    except Ungranted as error:
        said = _refusal(error)
        if request.path == _DEVICE:
            status = HTTPStatus.BAD_REQUEST
            if error.word == "incorrect_client_credentials":
                status, said = HTTPStatus.NOT_FOUND, {"error": "Not Found"}
    return _answer(host, request, said, status)


def _device(host: Host, programs: Authorizations, asked: Mapping[str, str]) -> dict[str, Any]:
    device = programs.new_device(asked.get("client_id", ""), asked.get("scope", ""))
    return {
        "device_code": device.device_code,
        "user_code": device.user_code,
        "verification_uri": f"{host.url.removesuffix(ENTERPRISE_PATH)}/login/device",
        "expires_in": device.client.code_life,
        "interval": device.interval,
    }


def _token(programs: Authorizations, asked: Mapping[str, str]) -> dict[str, Any]:
    client, kind = asked.get("client_id", ""), asked.get("grant_type", "")
    if kind == DEVICE_GRANT:
        return _granted(programs.poll(client, asked.get("device_code", "")))
    if kind == "refresh_token":
        refresh = asked.get("refresh_token", "")
        return _granted(programs.renew(client, asked.get("client_secret"), refresh))
    if kind not in ("", "authorization_code"):
        raise Ungranted("unsupported_grant_type")
    # Codes come from the pages of the web flow, which are not here.
    programs.client(client, asked.get("client_secret"))
    raise Ungranted("bad_verification_code")


def _granted(grant: Grant) -> dict[str, Any]:
    said: dict[str, Any] = {"access_token": grant.access}
    if grant.refresh:
        said |= {"expires_in": grant.client.token_life, "refresh_token": grant.refresh}
        said |= {"refresh_token_expires_in": grant.client.refresh_life}
    return said | {"token_type": "bearer", "scope": ",".join(grant.scopes)}


def _refusal(error: Ungranted) -> dict[str, Any]:
    description, where = _WORDS[error.word]
    said: dict[str, Any] = {"error": error.word, "error_description": description}
    said["error_uri"] = _HELP + where
    return said if error.interval is None else said | {"interval": error.interval}


def _parameters(request: Request) -> dict[str, str]:
    # They may be in the address or in the body, there as a form or as JSON.
    found = dict(request.query)
    if "json" not in request.headers.get("content-type", ""):
        return found | dict(parse_qsl(request.body.decode(errors="replace")))
    try:
        given = json.loads(request.body)
    except ValueError:
        return found
    given = given if isinstance(given, dict) else {}
    return found | {name: value for name, value in given.items() if isinstance(value, str)}


def _answer(host: Host, request: Request, said: dict[str, Any], status: int) -> Answer:
    as_json = "application/json" in request.headers.get("accept", "")
    kind = "application/json" if as_json else "application/x-www-form-urlencoded"
    headers = {
        "Server": SITE,
        "Date": format_datetime(host.now(), usegmt=True),
        "Content-Type": f"{kind}; charset=utf-8",
        "Cache-Control": "max-age=0, private, must-revalidate",
    }
    body = encode(said) if as_json else urlencode(said).encode()
    return Answer(status=status, headers=headers, body=body)
