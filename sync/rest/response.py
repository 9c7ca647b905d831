"""An HTTP answer as a plain value, and what it means. No I/O here."""

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

from sync import errors
from sync.redaction import printable, scrub

T = TypeVar("T")
E = TypeVar("E", bound=errors.RestError)

# The longest wait that a server can ask for. A longer one is cut to this, so
# that a mistaken header cannot put a client to sleep for years.
LONGEST_RETRY_AFTER = timedelta(days=1)

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

# No `<` inside of a target: without that, a long run of them takes quadratic time.
_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[\w*!-]+\s*=\s*(?:"[^"]*"|[^\s";,]+))*)')
_PARAMETER = re.compile(r';\s*([\w*!-]+)\s*=\s*(?:"([^"]*)"|([^\s";,]+))')


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Response:
    """An answer whose body has been read whole.

    `headers` is case-insensitive. `url` is the address that answered, after
    redirects. `elapsed` is in seconds.
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

        Raises NotJson, and UnexpectedAnswer if it is JSON of another shape.
        """
        value = self.json()
        try:
            return msgspec.convert(value, kind)
        except (msgspec.ValidationError, OverflowError, ValueError) as error:
            reason = str(error)
        raise self.error(errors.UnexpectedAnswer, f"not what was expected: {reason[:300]}")

    def excerpt(self, limit: int = 200) -> str:
        """Return the beginning of the body, safe to log, at most `limit` characters."""
        # Scrubbed before it is cut: half a token would not be recognised.
        text = self.body[: limit * 8].decode("utf-8", "replace")
        return printable(scrub(" ".join(text.split()))[:limit]) or "(empty)"

    def error(self, kind: type[E], message: str, **more: Any) -> E:
        """Return an error of `kind` with a `message`, which names this request.

        `more` is what that kind takes besides.
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
        return parse_http_date(self.headers.get("Date", ""))


def parse_links(header: str, base_url: str) -> dict[str, str]:
    """Parse a `Link` header into rel -> absolute URL.

    Rels come in any order; one link may carry several; junk between links is
    passed over.
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
    """Return when the server wants to be asked again, in terms of the local clock `now`.

    `Retry-After` is seconds or a date (RFC 9110). A date is compared with the
    answer's own `Date`, so a wrong local clock does no harm. A moment in the
    past means now, one too far away is clamped, junk is None.
    """
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        moment = parse_http_date(text)
        if moment is None:
            return None
        seconds = (moment - (response.date or now)).total_seconds()
    if math.isnan(seconds):
        return None
    return now + timedelta(seconds=min(max(seconds, 0.0), LONGEST_RETRY_AFTER.total_seconds()))


def server_message(response: Response) -> str:
    """Return what the server says about an error, on one line, at most 300 characters."""
    try:
        data = msgspec.json.decode(response.body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        html = "html" in response.headers.get("Content-Type", "").lower()
        return "an HTML page" if html else response.excerpt()
    parts = []
    if isinstance(data, dict):
        parts = [data.get(key) for key in ("message", "error_description", "detail", "error")]
        problems = data.get("errors")
        if isinstance(problems, list):
            parts += [p.get("message") or p.get("code") for p in problems if isinstance(p, dict)]
    text = "; ".join(dict.fromkeys(part for part in parts if isinstance(part, str) and part))
    return printable(scrub(text[:3000])[:300]) or response.excerpt()


def classify(response: Response, now: datetime) -> errors.RestError | None:
    """Return the error that an answer stands for, or None if it is usable (2xx, 304)."""
    status = response.status
    if 200 <= status < 300 or status == 304:
        return None
    message = f"{status}: {server_message(response)}"
    if status == 429:
        retry_at = parse_retry_after(response, now)
        return response.error(errors.RateLimited, message, retry_at=retry_at)
    if status >= 500:
        return response.error(errors.ServerError, message)
    default = errors.InvalidRequest if status >= 400 else errors.UnexpectedAnswer
    return response.error(_ERRORS.get(status, default), message)
