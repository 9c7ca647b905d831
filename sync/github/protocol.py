"""Facts of GitHub's protocol: headers, limits, what a refusal means. No I/O here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sync import errors
from sync.redaction import printable, scrub
from sync.rest.response import LONGEST_RETRY_AFTER, classify, parse_retry_after, server_message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sync.rest.response import Response

PUBLIC_API = "https://api.github.com"
CURRENT_VERSION = "2026-03-10"
# What every server since 2022 knows; an Enterprise Server may know nothing newer.
OLDEST_VERSION = "2022-11-28"
PER_PAGE = 100  # GitHub's maximum

# RFC 9110, 8.8.3, without the bytes that are no ASCII.
_ENTITY_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,250}"')
_SCOPE = re.compile(r"[A-Za-z0-9_:.-]{1,64}")
_EXPIRY = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}) (?:UTC|([+-][0-9]{2}:?[0-5][0-9]))"
)
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})(?:\[bot\])?")


def api_version(api_url: str) -> str:
    """Return the API version to ask the server at `api_url` for."""
    return OLDEST_VERSION if api_url.endswith("/api/v3") else CURRENT_VERSION


def host_of(api_url: str) -> str:
    """Return the host that ids of the API at `api_url` are unique on."""
    host = urlsplit(api_url).netloc.lower()
    return "github.com" if host == "api.github.com" else host


def site_of(api_url: str) -> str:
    """Return the address at which people sign in, of the GitHub whose API is at `api_url`."""
    parts = urlsplit(api_url)
    host = parts.netloc
    if host == "api.github.com" or (host.startswith("api.") and host.endswith(".ghe.com")):
        host = host.removeprefix("api.")
    return f"{parts.scheme}://{host}"


def is_login(text: object) -> bool:
    """Tell whether `text` can be the login of a user or organization."""
    return isinstance(text, str) and _LOGIN.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """A quota as the last answer told it: requests an hour, what is left, when it starts anew.

    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """

    limit: int
    remaining: int
    reset: datetime


def rate_limit(response: Response, now: datetime) -> RateLimit | None:
    """Return the quota that the headers tell, in terms of the local clock `now`.

    None where the server sets no limit (Enterprise Server by default). The
    reset is taken relative to the answer's own `Date`.
    """
    headers = response.headers
    limit = whole_number(headers.get("X-RateLimit-Limit"))
    remaining = whole_number(headers.get("X-RateLimit-Remaining"))
    reset = whole_number(headers.get("X-RateLimit-Reset"))
    if limit is None or remaining is None or reset is None:
        return None
    if headers.get("X-RateLimit-Resource", "core") != "core":
        return None
    server_now = (response.date or now).timestamp()
    seconds = min(max(reset - server_now, 0.0), LONGEST_RETRY_AFTER.total_seconds())
    return RateLimit(limit=limit, remaining=remaining, reset=now + timedelta(seconds=seconds))


def lower_of(before: RateLimit | None, now: RateLimit) -> RateLimit:
    """Return the newer quota, or the lower of the same hour: answers arrive out of order."""
    if before is not None and abs(before.reset - now.reset) <= timedelta(seconds=5):
        return now if now.remaining <= before.remaining else before
    return now


def classify_answer(response: Response, now: datetime) -> errors.RestError | None:
    """Return the error that an answer of GitHub's stands for, or None.

    GitHub tells of a spent quota with 403 or 429 and `x-ratelimit-remaining: 0`,
    and of a limit on the pace with 403 or 429, with or without `Retry-After`.
    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    error = classify(response, now)
    if isinstance(error, errors.BadCredentials):
        ended, why = token_expiry(response.headers), "is wrong, has expired or was revoked"
        if ended is not None and ended <= now:
            why = f"has expired on {ended:%Y-%m-%d}"
        advice = f"the token {why}; make a new one"
        return response.error(errors.BadCredentials, f"{error.message} ({advice})")
    if response.status in (403, 451) and _is_blocked(response):
        return response.error(errors.Blocked, f"{response.status}: {server_message(response)}")
    if response.status not in (403, 429) or error is None:
        return error
    retry_at = parse_retry_after(response, now)
    quota = rate_limit(response, now)
    spent = quota is not None and quota.remaining == 0
    message = server_message(response)
    paced = "secondary rate limit" in message.lower() or "abuse" in message.lower()
    if response.status == 403 and not (spent or paced or retry_at):
        return _with_advice(error, response)
    if retry_at is None and spent and quota is not None:
        retry_at = quota.reset
    return errors.RateLimited(
        f"{response.status}: {message}",
        retry_at=retry_at,
        secondary=not spent,
        method=response.method,
        url=response.url,
        status=response.status,
    )


def _json(response: Response) -> object:
    try:
        return response.json()
    except errors.NotJson:
        return None


def _is_blocked(response: Response) -> bool:
    """Tell whether it says that a repository was taken down.

    https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
    """
    told = _json(response)
    if not isinstance(told, dict):
        return False
    return "block" in told or told.get("message") == "Repository access blocked"


def _with_advice(error: errors.RestError, response: Response) -> errors.RestError:
    sso = response.headers.get("X-GitHub-SSO", "")
    if sso.startswith("required"):
        return response.error(
            errors.Forbidden,
            f"{error.message} (the token is not authorised for the organization's single sign-on; "
            "authorise it in GitHub's token settings)",
        )
    needed = printable(scrub(response.headers.get("X-Accepted-GitHub-Permissions", ""))[:300])
    if needed:
        return response.error(errors.Forbidden, f"{error.message} (needed: {needed})")
    return error


def entity_tag(headers: Mapping[str, str]) -> str | None:
    """Return the answer's ETag; None if it has none, or one that cannot be kept and sent back."""
    tag = headers.get("ETag", "")
    return tag if is_entity_tag(tag) else None


def is_entity_tag(text: str) -> bool:
    """Tell whether `text` is an entity tag, at most 255 characters long, with no secret in it."""
    return _ENTITY_TAG.fullmatch(text) is not None and scrub(text) == text


def left_out(response: Response) -> int:
    """Return how many organizations were left out of a 200 for want of single sign-on."""
    kind, _, told = response.headers.get("X-GitHub-SSO", "").partition(";")
    if not kind.startswith("partial-results"):
        return 0
    return max(len(re.findall(r"[0-9]+", told)), 1)


def likely_api_url(url: str) -> str | None:
    """Return the address that was probably meant, if `url` may be a web site, not its API.

    https://docs.github.com/enterprise-server/rest/using-the-rest-api/getting-started-with-the-rest-api
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if host in ("github.com", "www.github.com", "api.github.com"):
        meant = PUBLIC_API
    elif host.endswith(".ghe.com"):
        meant = f"https://api.{host.removeprefix('api.')}"
    elif parts.path == "/api/v3":
        return None
    else:
        meant = f"{parts.scheme}://{parts.netloc}/api/v3"
    return None if meant == url else meant


def scopes(headers: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the scopes of a classic token; None where the header is absent (other kinds)."""
    header = headers.get("X-OAuth-Scopes")
    if header is None:
        return None
    named = (scope.strip() for scope in header.split(","))
    return tuple(scope for scope in named if _SCOPE.fullmatch(scope) and scrub(scope) == scope)


def token_expiry(headers: Mapping[str, str]) -> datetime | None:
    """Return when the token ends, in UTC; None if it never does or the header is odd.

    GitHub writes `2026-12-01 10:00:00 UTC` or `2026-12-01 12:00:00 +0200`.
    """
    told = _EXPIRY.fullmatch(headers.get("github-authentication-token-expiration", "").strip())
    if told is None:
        return None
    moment, offset = told.groups()
    try:
        return datetime.fromisoformat(f"{moment}{offset or 'Z'}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def token_kind(token: str | None) -> str:
    """Return what kind of credential `token` is, by its prefix."""
    if token is None:
        return "no token"
    kinds = {
        "github_pat_": "fine-grained token",
        "ghp_": "classic token",
        "gho_": "OAuth token",
        "ghu_": "GitHub App user token",
        "ghs_": "GitHub App installation token",
    }
    return next((kind for prefix, kind in kinds.items() if token.startswith(prefix)), "token")


def whole_number(text: str | None) -> int | None:
    """Return a header's number; None if it is absent or no plain decimal number."""
    if text is None or len(text) > 15 or not (text.isascii() and text.isdigit()):
        return None
    return int(text)
