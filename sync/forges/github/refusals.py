"""Classifies refusals by GitHub, or by a gateway before it. No I/O here."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from sync.core import errors
from sync.core.redaction import printable, scrub
from sync.forges.github.protocol import remaining, reset_of, token_expiry
from sync.rest.response import TOO_MANY, classify, parse_retry_after, server_message

if TYPE_CHECKING:
    from datetime import datetime

    from sync.rest.response import Response

# Messages about rate limits, by GitHub and by gateways.
_PACE = re.compile(r"(?i)secondary rate|abuse detection|login attempts exceeded")
_LIMIT = re.compile(
    r"(?i)rate\W?limit|abuse detection|too many requests|login attempts exceeded"
    r"|quota.{0,20} exceeded|exceeded .{0,40}quota|throttl(?:ed|ing)"
)
# What GitHub's errors refer to; those of old Enterprise Servers, to developer.github.com.
_DOCUMENTATION = re.compile(r"https://(?:docs|developer)\.github\.com(?:/\S*)?")
_TAG = re.compile(r"<[^<>]*>")
_LONGEST_PAGE = 65_536
_LONGEST_MESSAGE = 4_096


def classify_answer(response: Response, now: datetime) -> errors.RestError | None:
    """Return the error that an answer of GitHub stands for, or None.

    GitHub reports a spent quota by 403 or 429 and `x-ratelimit-remaining: 0`, and a
    secondary limit by 403 or 429, with or without `Retry-After`. A gateway may drop
    headers, send an HTML page with a message, or use another status.
    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    error = classify(response, now)
    if isinstance(error, errors.BadCredentials):
        ended, why = token_expiry(response.headers), "is wrong, has expired or was revoked"
        if ended is not None and ended <= (response.date or now):
            why = f"has expired on {ended:%Y-%m-%d}"
        advice = f"the token {why}; make a new one"
        return response.error(errors.BadCredentials, f"{error.message} ({advice})")
    if response.status == 404 and error is not None and _is_signed(response):
        return error.recast(errors.Gone, error.message)
    if response.status in (403, 451) and _is_blocked(response):
        return response.error(errors.Blocked, f"{response.status}: {server_message(response)}")
    if error is None:
        return _limit(response, now) if _is_message_of_limit(response) else None
    if response.status < 500 and response.status not in (403, *TOO_MANY):
        return error
    limit = _limit(response, now)
    if limit is None and response.status == 403:
        return _with_advice(error, response)
    return limit or error


def _limit(response: Response, now: datetime) -> errors.RateLimited | None:
    """Return the rate limit that a refusal reports, by headers or by its text; None if none."""
    status, message, words = response.status, server_message(response), _words(response)
    retry_at = parse_retry_after(response, now)
    left = remaining(response.headers) if status < 500 else None
    paced = _PACE.search(words) is not None
    # A page about a failure may mention limits, as in a link.
    by_words = paced or (status < 500 and _LIMIT.search(words) is not None)
    if status not in TOO_MANY and left != 0 and not by_words and retry_at is None:
        return None
    if retry_at is None and (left == 0 or (left is None and not paced)):
        retry_at = reset_of(response, now)
    spent = left == 0 or (by_words and not paced)
    return response.error(
        errors.RateLimited,
        f"{status}: {message}{' about a limit' if by_words and message == 'an HTML page' else ''}",
        retry_at=retry_at,
        secondary=not spent and (paced or status < 500),
    )


def _words(response: Response) -> str:
    """Return the text of an answer: GitHub's message, or that of an HTML page."""
    if _json(response) is not None:
        return server_message(response)
    text = _TAG.sub(" ", response.body[:_LONGEST_PAGE].decode("utf-8", "replace"))
    return " ".join(unescape(text).split())


def _is_message_of_limit(response: Response) -> bool:
    """Tell whether a 200 is a message about a rate limit instead of the requested data."""
    if response.status != 200 or len(response.body) > _LONGEST_MESSAGE:
        return False
    told = _json(response)
    is_message = isinstance(told, dict) and "message" in told and "id" not in told
    return is_message and _LIMIT.search(server_message(response)) is not None


def _json(response: Response) -> object:
    try:
        return response.json()
    except errors.NotJson:
        return None


def _is_signed(response: Response) -> bool:
    """Tell whether a refusal is GitHub's own: it refers to GitHub's documentation.

    The words of its message do not matter. A gateway answers in HTML, in JSON of another shape,
    or with nothing.
    https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
    """
    told = _json(response)
    if not isinstance(told, dict):
        return False
    message, url = told.get("message"), told.get("documentation_url")
    if not isinstance(message, str) or not isinstance(url, str):
        return False
    return _DOCUMENTATION.fullmatch(url) is not None


def _is_blocked(response: Response) -> bool:
    """Tell whether an answer says that a repository was taken down.

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
