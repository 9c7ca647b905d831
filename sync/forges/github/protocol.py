"""Facts of GitHub's protocol: headers, quotas, addresses. No I/O here."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sync import __version__
from sync.core.origin import authority
from sync.core.redaction import holds_secret
from sync.forges.limits import RateLimit
from sync.forges.pace import Pace
from sync.forges.paging import Paging
from sync.forges.secret_fields import SecretFields
from sync.rest.entity_tag import said_once
from sync.rest.response import LONGEST_RETRY_AFTER, members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sync.rest.response import Response

USER_AGENT = f"repoledger/{__version__}"
PUBLIC_API = "https://api.github.com"
CURRENT_VERSION = "2026-03-10"
# All servers since 2022 support this version; an Enterprise Server may support no newer one.
OLDEST_VERSION = "2022-11-28"
TOKEN_PATH = "/login/oauth/access_token"  # of the site, not of the API  # noqa: S105
PAGING = Paging(size=100, size_name="per_page")  # GitHub gives no larger pages
SECRET_FIELDS = SecretFields("temp_clone_token")

# The limits of a user's minute: a GET is a point; all answers together may take 90 s.
# https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
_POINTS, _ANSWER_TIME, _MINUTE = 900, 90.0, 60.0
_USED = 0.95  # of the points: the rest is for the user's other programs

_SCOPE = re.compile(r"[A-Za-z0-9_:.-]{1,64}")
_EXPIRY = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}) (?:UTC|([+-][0-9]{2}:?[0-5][0-9]))"
)
_DATE_RESOLUTION = timedelta(seconds=1)  # of the header Date
_FIRST_TIME = 1_000_000_000  # a smaller number is a length of time, not seconds since 1970
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})(?:\[bot\])?")


def api_version(api_url: str) -> str:
    """Return the API version to request from the server at `api_url`."""
    return OLDEST_VERSION if api_url.endswith("/api/v3") else CURRENT_VERSION


def headers_of(api_url: str) -> dict[str, str]:
    """Return the headers of each request to the API at `api_url`."""
    return {
        "Accept": "application/vnd.github+json",
        "User-Agent": USER_AGENT,
        "X-GitHub-Api-Version": api_version(api_url.rstrip("/")),
    }


def site_of(api_url: str) -> str:
    """Return the address of the web site of the API at `api_url`, where people sign in."""
    host = authority(api_url)
    if host == "api.github.com" or (host.startswith("api.") and host.endswith(".ghe.com")):
        host = host.removeprefix("api.")
    return f"{urlsplit(api_url).scheme}://{host}"


def is_login(text: object) -> bool:
    """Tell whether `text` can be the login of a user or organization."""
    return isinstance(text, str) and _LOGIN.fullmatch(text) is not None


def rate_limit(response: Response, now: datetime) -> RateLimit | None:
    """Return the quota in the headers, by the local clock `now`.

    None where the server sets no limit (Enterprise Server by default). The reset is read
    relative to the answer's `Date`.
    """
    headers = response.headers
    named = ("Limit", "Remaining", "Reset")
    told = [*zip(*(_numbers(headers, f"X-RateLimit-{name}") for name in named), strict=False)]
    if not told or {*members(headers.get("X-RateLimit-Resource", "core"))} != {"core"}:
        return None
    limit, left, reset = min(told, key=lambda quota: quota[1])  # a gateway may add its quota
    return RateLimit(limit=limit, remaining=left, reset=_on_our_clock(reset, response, now))


def pace() -> Pace:
    """Return a new pace that keeps to GitHub's limits of a minute."""
    return Pace(points=int(_POINTS * _USED), seconds=_ANSWER_TIME, window=_MINUTE)


def remaining(headers: Mapping[str, str]) -> int | None:
    """Return the remaining requests of GitHub's quota, or of another one in the headers."""
    return min(_of_any_quota(headers, "Remaining"), default=None)


def reset_of(response: Response, now: datetime) -> datetime | None:
    """Return when all quotas in the headers have been reset, by the local clock `now`."""
    resets = _of_any_quota(response.headers, "Reset")
    return max((_on_our_clock(reset, response, now) for reset in resets), default=None)


def _of_any_quota(headers: Mapping[str, str], name: str) -> list[int]:
    names = (f"X-RateLimit-{name}", f"RateLimit-{name}")  # of GitHub, and of the IETF draft
    return [number for each in names for number in _numbers(headers, each)]


def _numbers(headers: Mapping[str, str], name: str) -> list[int]:
    told = (whole_number(member) for member in members(headers.get(name, "")))
    return [number for number in told if number is not None]


def _on_our_clock(reset: int, response: Response, now: datetime) -> datetime:
    # GitHub sends a time, the IETF draft the seconds until then.
    is_time = reset >= _FIRST_TIME
    seconds = max(reset - (response.date or now).timestamp(), 0.0) if is_time else reset
    return now + timedelta(seconds=min(seconds, LONGEST_RETRY_AFTER.total_seconds()))


def clock_skew(response: Response, now: datetime) -> float | None:
    """Return how far the local clock is ahead of the server's, in seconds; None if unknown."""
    return (now - response.date).total_seconds() if response.date else None


def span(response: Response, asked: datetime, ended: datetime) -> tuple[datetime, datetime]:
    """Return the earliest and the latest time at which an answer can have been made.

    By the server's clock; by this machine's, if the server does not tell its own. `asked` and
    `ended` are the times of request and answer by this machine's clock.
    """
    skew = clock_skew(response, ended)
    if skew is None:
        return asked, ended
    ahead = timedelta(seconds=skew)
    return asked - ahead, ended - ahead + _DATE_RESOLUTION


def left_out(response: Response) -> int:
    """Return the number of organizations left out of a 200 because of single sign-on."""
    kind, _, told = response.headers.get("X-GitHub-SSO", "").partition(";")
    if not kind.startswith("partial-results"):
        return 0
    return max(len(re.findall(r"[0-9]+", told)), 1)


def likely_api_url(url: str) -> str | None:
    """Return the API's address if `url` seems to be that of the web site; None if not.

    https://docs.github.com/enterprise-server/rest/using-the-rest-api/getting-started-with-the-rest-api
    """
    parts, host = urlsplit(url), authority(url)
    if host in ("github.com", "www.github.com", "api.github.com"):
        meant = PUBLIC_API
    elif host.endswith(".ghe.com"):
        meant = f"https://api.{host.removeprefix('api.')}"
    elif parts.path == "/api/v3":
        return None
    else:
        meant = f"{parts.scheme}://{host}/api/v3"
    return None if meant == f"{parts.scheme}://{host}{parts.path}" else meant


def scopes(headers: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the scopes of a classic token; None where the header is absent (other kinds)."""
    header = headers.get("X-OAuth-Scopes")
    if header is None:
        return None
    named = (scope.strip() for scope in header.split(","))
    sound = (scope for scope in named if _SCOPE.fullmatch(scope) and not holds_secret(scope))
    return tuple(dict.fromkeys(sound))


def token_expiry(headers: Mapping[str, str]) -> datetime | None:
    """Return when the token expires, in UTC; None if it never does, or the header is invalid.

    GitHub writes `2026-12-01 10:00:00 UTC` or `2026-12-01 12:00:00 +0200`.
    """
    told = _EXPIRY.fullmatch(
        said_once(headers.get("github-authentication-token-expiration", "").strip())
    )
    if told is None:
        return None
    moment, offset = told.groups()
    try:
        return datetime.fromisoformat(f"{moment}{offset or 'Z'}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def token_kind(token: str | None) -> str:
    """Return the kind of the credential `token`, by its prefix."""
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
    """Return a header's number; None if it is absent or not a plain decimal number."""
    if text is None or len(text) > 15 or not (text.isascii() and text.isdigit()):
        return None
    return int(text)
