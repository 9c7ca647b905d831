"""An HTTP answer as a plain value, and its meaning. No I/O here."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urljoin

import msgspec

from sync.core import errors
from sync.core.deadline import LONGEST_WAIT
from sync.core.redaction import printable, scrub

T = TypeVar("T")
E = TypeVar("E", bound=errors.RestError)

# A longer time is cut to this, so that a wrong header cannot put a client to sleep for years.
LONGEST_RETRY_AFTER = LONGEST_WAIT

TOO_MANY = (420, 429)  # 420: some services used it before 429 existed

_ERRORS: dict[int, type[errors.RestError]] = {
    400: errors.InvalidRequest,
    401: errors.BadCredentials,
    403: errors.Forbidden,
    404: errors.NotFound,
    408: errors.TimedOut,
    409: errors.Conflict,
    410: errors.NotFound,
    422: errors.InvalidRequest,
    451: errors.Forbidden,
}

# No `<` in a target: otherwise a long run of `<` takes quadratic time.
_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[\w*!-]+\s*=\s*(?:"[^"]*"|[^\s";,]+))*)')
# The members of a header that was sent several times; a date contains a comma.
_MEMBER = re.compile(r"[A-Za-z]{3,9},[^,]+|[^,]+")
_PARAMETER = re.compile(r';\s*([\w*!-]+)\s*=\s*(?:"([^"]*)"|([^\s";,]+))')


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Response:
    """An answer, with its whole body.

    `headers` is case-insensitive. `url` is the address after redirects. `elapsed` is in
    seconds.
    """

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed: float = 0.0

    def __repr__(self) -> str:
        return f"Response({self.method} {scrub(self.url)!r}, {self.status}, {len(self.body)} bytes)"

    def json(self) -> Any:
        """Return the decoded body. Raises NotJson."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise self.error(errors.NotJson, f"the answer is not JSON ({reason}): {self.excerpt()}")

    def decode(self, kind: type[T]) -> T:
        """Return the decoded body as `kind`: any type that msgspec knows, such as a Struct.

        Raises NotJson, and UnexpectedAnswer if the JSON has another shape.
        """
        value = self.json()
        try:
            return msgspec.convert(value, kind)
        except (msgspec.ValidationError, OverflowError, ValueError) as error:
            reason = str(error)
        raise self.error(errors.UnexpectedAnswer, f"unexpected JSON: {reason[:300]}")

    def excerpt(self, limit: int = 200) -> str:
        """Return the beginning of the body, safe to log, at most `limit` characters."""
        # Scrubbed before cutting: half a token would not be recognised.
        text = self.body[: limit * 8].decode("utf-8", "replace")
        return printable(scrub(" ".join(text.split()))[:limit]) or "(empty)"

    def error(self, kind: type[E], message: str, **more: Any) -> E:
        """Return an error of `kind` with a `message`, which names this request.

        `more` are further arguments of that kind.
        """
        named: dict[str, Any] = {
            "method": self.method,
            "url": scrub(self.url),
            "status": self.status,
        }
        return kind(message, **named, **more)

    @property
    def links(self) -> dict[str, str]:
        """The `Link` header (RFC 8288) as rel -> absolute URL; the first of each rel counts."""
        return parse_links(self.headers.get("Link", ""), self.url)

    @property
    def date(self) -> datetime | None:
        """The server's own clock, from the `Date` header, in UTC."""
        return next(filter(None, map(parse_http_date, members(self.headers.get("Date", "")))), None)


def members(text: str) -> list[str]:
    """Return the values of a header: gateways may repeat it, and libraries join them."""
    return [member.strip() for member in _MEMBER.findall(text)]


def parse_links(header: str, base_url: str) -> dict[str, str]:
    """Parse a `Link` header into rel -> absolute URL.

    One link may have several rels, in any order; junk between links is ignored.
    """
    links: dict[str, str] = {}
    for match in _LINK.finditer(header):
        try:
            target = urljoin(base_url, match[1])
        except ValueError:
            continue
        rels = [p[2] or p[3] for p in _PARAMETER.finditer(match[2]) if p[1].lower() == "rel"]
        for rel in (rels[0] or "").lower().split() if rels else ():  # the first counts
            links.setdefault(rel, target)
    return links


def parse_http_date(text: str) -> datetime | None:
    """Parse an HTTP date; None if it is not one."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def parse_retry_after(response: Response, now: datetime) -> datetime | None:
    """Return the time at which the server allows a retry, by the local clock `now`.

    `Retry-After` is seconds or a date (RFC 9110). A date is compared with the answer's
    `Date`, so a wrong local clock does no harm. A time in the past means now, a time too
    far away is clamped, junk is None; of several times the latest counts.
    """
    told = (
        _seconds(each, response, now) for each in members(response.headers.get("Retry-After", ""))
    )
    seconds = max((each for each in told if each is not None), default=None)
    if seconds is None:
        return None
    return now + timedelta(seconds=min(max(seconds, 0.0), LONGEST_RETRY_AFTER.total_seconds()))


def _seconds(text: str, response: Response, now: datetime) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        moment = parse_http_date(text)
        return (moment - (response.date or now)).total_seconds() if moment else None
    return None if math.isnan(seconds) else seconds


def server_message(response: Response) -> str:
    """Return the server's error message on one line, at most 300 characters."""
    try:
        data = msgspec.json.decode(response.body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        html = "html" in response.headers.get("Content-Type", "").lower()
        return "an HTML page" if html else response.excerpt()
    parts = []
    if isinstance(data, dict):
        told = [data.get(key) for key in ("message", "error_description", "detail", "error")]
        problems = data.get("errors")
        told += problems if isinstance(problems, list) else [problems]
        parts = [p.get("message") or p.get("code") if isinstance(p, dict) else p for p in told]
    text = "; ".join(dict.fromkeys(part for part in parts if isinstance(part, str) and part))
    return printable(scrub(text[:3000])[:300]) or response.excerpt()


def classify(response: Response, now: datetime) -> errors.RestError | None:
    """Return the error that an answer stands for, or None if it is usable (2xx, 304).

    A 503 with `Retry-After` is treated like a rate limit.
    """
    status = response.status
    if 200 <= status < 300 or status == 304:
        return None
    message = f"{status}: {server_message(response)}"
    retry_at = parse_retry_after(response, now)
    if status in TOO_MANY or (status >= 500 and retry_at is not None):
        return response.error(errors.RateLimited, message, retry_at=retry_at)
    if status >= 500:
        return response.error(errors.ServerError, message)
    default = errors.InvalidRequest if status >= 400 else errors.UnexpectedAnswer
    return response.error(_ERRORS.get(status, default), message)
