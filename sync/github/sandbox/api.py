"""Pure: turns a request into a complete answer, with every header that GitHub sends."""

from __future__ import annotations

import base64
import binascii
import gzip
from dataclasses import replace
from datetime import UTC
from email.utils import format_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from . import login
from .apps import App, Installation
from .call import Call
from .objects import SITE
from .refusals import suspended
from .routes import dispatch
from .views import Viewer, digest, encode
from .wire import ENTERPRISE_PATH, Answer, RefusedError, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .accounts import Quota
    from .state import State
    from .wire import Request

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
_MOST_GZIPPED = 256
_WORTH_GZIP = 512


def respond(state: State, request: Request, *, request_id: str) -> Answer:
    """Answers a request. Call it with the state's lock held."""
    if (answer := login.respond(state, request)) is not None:
        return answer
    if not request.headers.get("user-agent", "").strip():
        return Answer(status=403, headers={"Content-Type": "text/html"}, body=_NO_USER_AGENT)
    if state.enterprise:
        if not request.path.startswith(f"{ENTERPRISE_PATH}/"):
            return Answer(status=404, headers={"Content-Type": "text/html"}, body=_NO_PAGE)
        request = replace(request, path=request.path.removeprefix(ENTERPRISE_PATH))
    version = request.headers.get("x-github-api-version") or _DEFAULT_VERSION
    viewer = Viewer()
    free = request.path == "/rate_limit" or state.enterprise
    try:
        _check_version(version, VERSIONS[-1:] if state.enterprise else VERSIONS)
        viewer = _authenticate(state, request)
        quota = state.quota(viewer.token)
        if not free and quota.remaining == 0:
            free = True
            raise _exhausted(viewer, request, state.now(), request_id)
        call = Call(state=state, request=request, viewer=viewer, version=version)
        reply = dispatch(call)
    except RefusedError as error:
        quota = state.quota(viewer.token)
        reply = Reply(status=error.status, headers=error.headers, body=encode(error.body))
    headers = _common_headers(state, viewer, version, request_id) | reply.headers
    headers |= _scopes(viewer, reply)
    answer = _conditional(request, viewer, version, reply, headers)
    # GitHub counts a 304 only for those without a token.
    if not free and not (answer.status == HTTPStatus.NOT_MODIFIED and viewer.token):
        quota.used += 1
    if not state.enterprise:
        answer.headers.update(_quota_headers(quota))
    return answer


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


def _authenticate(state: State, request: Request) -> Viewer:
    given = request.headers.get("authorization", "")
    if not given:
        return Viewer()
    scheme, _, rest = given.strip().partition(" ")
    values = [rest.strip()]
    if scheme.lower() == "basic":
        try:
            values = base64.b64decode(rest, validate=True).decode().split(":", 1)
        except (binascii.Error, UnicodeDecodeError):
            values = []
    elif scheme.lower() not in ("bearer", "token"):
        values = []
    # GitHub does not look at the user name that comes with a token.
    for value in reversed(values):
        if held := state.token(value):
            if isinstance(held.holder, Installation) and held.holder.suspended_at:
                raise suspended()
            return Viewer(token=held)
    if scheme.lower() == "bearer" and rest.count(".") == 2:
        return Viewer(token=state.signed_in(rest.strip()))
    raise RefusedError(HTTPStatus.UNAUTHORIZED, "Bad credentials")


def _exhausted(viewer: Viewer, request: Request, now: datetime, request_id: str) -> RefusedError:
    if viewer.token:
        holder = viewer.token.holder
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


def _common_headers(state: State, viewer: Viewer, version: str, request_id: str) -> dict[str, str]:
    scope = "private" if viewer.token else "public"
    headers = {
        "Server": SITE,
        "Date": format_datetime(state.now(), usegmt=True),
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


def _scopes(viewer: Viewer, reply: Reply) -> dict[str, str]:
    if (token := viewer.token) is None:
        return {}
    if isinstance(token.holder, App):
        headers = {}
    elif token.fine_grained:
        headers = {"X-Accepted-GitHub-Permissions": "metadata=read"}
    else:
        headers = {
            "X-OAuth-Scopes": ", ".join(sorted(token.scopes)),
            "X-Accepted-OAuth-Scopes": reply.scopes,
        }
    if token.expires:
        ends = token.expires.astimezone(UTC)
        headers["GitHub-Authentication-Token-Expiration"] = f"{ends:%Y-%m-%d %H:%M:%S} UTC"
    return headers


def _conditional(
    request: Request, viewer: Viewer, version: str, reply: Reply, headers: dict[str, str]
) -> Answer:
    links = [*reply.links, *([_DEPRECATION_LINK] if "Sunset" in headers else [])]
    headers |= {"Link": ", ".join(links)} if links else {}
    if reply.status != HTTPStatus.OK or request.path in ("/rate_limit", "/zen"):
        headers.pop("Cache-Control", None)
        return Answer(status=reply.status, headers=headers, body=reply.body)
    who = viewer.token.value if viewer.token else ""
    tag = digest(reply.fingerprint or reply.body, version.encode(), who.encode()).hex()
    given = [
        part.strip().removeprefix("W/")
        for part in request.headers.get("if-none-match", "").split(",")
    ]
    if f'"{tag}"' in given or "*" in given:
        del headers["Content-Type"]
        return Answer(status=HTTPStatus.NOT_MODIFIED, headers=headers | {"ETag": f'"{tag}"'})
    return Answer(status=reply.status, headers=headers | {"ETag": f'W/"{tag}"'}, body=reply.body)


def _quota_headers(quota: Quota) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(quota.limit),
        "X-RateLimit-Remaining": str(quota.remaining),
        "X-RateLimit-Used": str(quota.used),
        "X-RateLimit-Reset": str(int(quota.reset.timestamp())),
        "X-RateLimit-Resource": "core",
    }


def gzipped(kept: dict[str, bytes], request: Request, answer: Answer) -> Answer:
    """The answer compressed, when the client takes that. Bodies with an ETag are `kept`.

    It is apart from `respond` because it takes long and needs no lock.
    """
    accepted = request.headers.get("accept-encoding", "").lower()
    offers = [offer.replace(" ", "").split(";") for offer in accepted.split(",")]
    wanted = any(
        name in ("gzip", "*") and "q=0" not in params and "q=0.0" not in params
        for name, *params in offers
    )
    tag = answer.headers.get("ETag")
    if not wanted or tag is None or len(answer.body) < _WORTH_GZIP:
        return answer
    packed = kept.get(tag)
    if packed is None:
        packed = gzip.compress(answer.body, compresslevel=1, mtime=0)
        if len(kept) >= _MOST_GZIPPED:
            kept.clear()
        kept[tag] = packed
    return replace(answer, headers=answer.headers | {"Content-Encoding": "gzip"}, body=packed)
