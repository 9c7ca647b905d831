"""Turns a request into a complete answer, with every header that GitHub sends."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus

from sync.sandbox.account_json import SITE
from sync.sandbox.call import Call
from sync.sandbox.host import Host
from sync.sandbox.messages import (
    ENTERPRISE_PATH,
    Answer,
    RefusedError,
    Reply,
    Request,
    digest,
    encode,
)
from sync.sandbox.routes import Routes
from sync.sandbox.users import Token
from sync.sandbox.world import World

VERSIONS = ("2026-03-10", "2022-11-28")
_DEFAULT_VERSION = "2022-11-28"
_DEPRECATION_LINK = (
    "<https://docs.github.com/en/rest/about-the-rest-api/api-versions>; "
    'rel="deprecation"; type="text/html"'
)
_NO_USER_AGENT = (
    b"\r\nRequest forbidden by administrative rules. Please make sure your request has a "
    b"User-Agent header (https://docs.github.com/en/rest/overview/"
    b"resources-in-the-rest-api#user-agent-required). Check https://developer.github.com "
    b"for other possible causes.\r\n"
)
_NO_PAGE = b"<!DOCTYPE html><html><head><title>Page not found</title></head></html>"


class Api:
    """The API, which tests extend with routes, ways to sign in, and pages beside it.

    `find_token` finds the token of an Authorization header, by its scheme and value. The
    functions in `beside` may answer a request before the API does.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.routes = Routes()
        self.find_token: Callable[[str, str], Token | None] = self._find_token
        self.beside: list[Callable[[Request], Answer | None]] = []

    def answer(self, request: Request, *, request_id: str) -> Answer:
        """Answers a request; the caller holds the lock on the world."""
        for page in self.beside:
            if (answer := page(request)) is not None:
                return answer
        host = self.world.host
        if not request.headers.get("user-agent", "").strip():
            return Answer(status=403, headers={"Content-Type": "text/html"}, body=_NO_USER_AGENT)
        if host.enterprise:
            if not request.path.startswith(f"{ENTERPRISE_PATH}/"):
                return Answer(status=404, headers={"Content-Type": "text/html"}, body=_NO_PAGE)
            request = replace(request, path=request.path.removeprefix(ENTERPRISE_PATH))
        return self._answer(request, request_id)

    def _answer(self, request: Request, request_id: str) -> Answer:
        world, host = self.world, self.world.host
        version = request.headers.get("x-github-api-version") or _DEFAULT_VERSION
        free = request.path == "/rate_limit" or host.enterprise
        token = None
        try:
            _check_version(version, VERSIONS[-1:] if host.enterprise else VERSIONS)
            token = self._authenticate(request)
            quota = world.quotas.get(token)
            if not free and quota.remaining == 0:
                free = True
                raise _exhausted(token, request, host.now(), request_id)
            if not host.enterprise and not world.pace.admits(token, request.method):
                free = True
                raise _paced(request_id)
            call = Call(world=world, request=request, token=token, version=version)
            reply = self.routes.answer(call)
        except RefusedError as error:
            quota = world.quotas.get(token)
            reply = Reply(status=error.status, headers=error.headers, body=encode(error.body))
        headers = _common_headers(host, token, version, request_id)
        headers |= (token.headers(reply.scopes) if token else {}) | reply.headers
        answer = _conditional(request, token, version, reply, headers)
        # GitHub counts a 304 only for requests without a token.
        if not free and not (answer.status == HTTPStatus.NOT_MODIFIED and token):
            quota.used += 1
        if not host.enterprise:
            answer.headers.update(quota.headers())
        return answer

    def _authenticate(self, request: Request) -> Token | None:
        given = request.headers.get("authorization", "")
        if not given:
            return None
        scheme, _, rest = given.strip().partition(" ")
        for value in _values(scheme.lower(), rest):
            if token := self.find_token(scheme.lower(), value):
                return token
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "Bad credentials")

    def _find_token(self, _scheme: str, value: str) -> Token | None:
        return self.world.users.token(value)


def _values(scheme: str, rest: str) -> list[str]:
    if scheme in ("bearer", "token"):
        return [rest.strip()]
    if scheme != "basic":
        return []
    try:
        values = base64.b64decode(rest, validate=True).decode().split(":", 1)
    except (binascii.Error, UnicodeDecodeError):
        return []
    # GitHub ignores the user name that comes with a token.
    return values[::-1]


def _check_version(version: str, known: Sequence[str]) -> None:
    if version in known:
        return
    names = " and ".join(
        f'"{name}"' + (" (most recent)" if i == 0 else "") for i, name in enumerate(known)
    )
    raise RefusedError(
        HTTPStatus.BAD_REQUEST,
        "Bad Request",
        errors=f'The version you specified in the "X-GitHub-API-Version" request header, '
        f'"{version}", is not a supported version. The following versions are currently '
        f"supported: {names}.",
    )


def _exhausted(
    token: Token | None, request: Request, now: datetime, request_id: str
) -> RefusedError:
    if token:
        holder = token.holder
        message = (
            f"API rate limit exceeded for {holder.what} ID {holder.id}. If you reach out to GitHub "
            f"Support for help, please include the request ID {request_id} and timestamp "
            f"{now:%Y-%m-%d %H:%M:%S} UTC."
        )
    else:
        message = (
            f"API rate limit exceeded for {request.client}. (But here's the good news: "
            "Authenticated requests get a higher rate limit. Check out the documentation "
            "for more details.)"
        )
    hint = "/using-the-rest-api/rate-limits-for-the-rest-api"
    return RefusedError(HTTPStatus.FORBIDDEN, message, hint=hint)


def _paced(request_id: str) -> RefusedError:
    message = (
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
        "If you reach out to GitHub Support for help, please include the request ID "
        f"{request_id}."
    )
    hint = "/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"
    error = RefusedError(HTTPStatus.FORBIDDEN, message, hint=hint)
    error.headers["Retry-After"] = "60"
    return error


def _common_headers(
    host: Host, token: Token | None, version: str, request_id: str
) -> dict[str, str]:
    scope = "private" if token else "public"
    headers = {
        "Server": SITE,
        "Date": format_datetime(host.now(), usegmt=True),
        "Content-Type": "application/json; charset=utf-8",
        "Cache-Control": f"{scope}, max-age=60, s-maxage=60",
        "Vary": "Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding",
        "X-GitHub-Media-Type": "github.v3; format=json",
        "X-GitHub-Request-Id": request_id,
        "X-Content-Type-Options": "nosniff",
    }
    if version in VERSIONS:
        headers["X-GitHub-Api-Version-Selected"] = version
    if version == "2022-11-28":
        headers["Deprecation"] = "Tue, 10 Mar 2026 00:00:00 GMT"
        headers["Sunset"] = "Fri, 10 Mar 2028 00:00:00 GMT"
    return headers


def _conditional(
    request: Request, token: Token | None, version: str, reply: Reply, headers: dict[str, str]
) -> Answer:
    links = [*reply.links, *([_DEPRECATION_LINK] if "Sunset" in headers else [])]
    headers |= {"Link": ", ".join(links)} if links else {}
    if reply.status != HTTPStatus.OK or request.path in ("/rate_limit", "/zen"):
        headers.pop("Cache-Control", None)
        return Answer(status=reply.status, headers=headers, body=reply.body)
    who = token.value if token else ""
    tag = digest(reply.fingerprint or reply.body, version.encode(), who.encode()).hex()
    given = [
        part.strip().removeprefix("W/")
        for part in request.headers.get("if-none-match", "").split(",")
    ]
    if f'"{tag}"' in given or "*" in given:
        del headers["Content-Type"]
        return Answer(status=HTTPStatus.NOT_MODIFIED, headers=headers | {"ETag": f'"{tag}"'})
    return Answer(status=reply.status, headers=headers | {"ETag": f'W/"{tag}"'}, body=reply.body)
