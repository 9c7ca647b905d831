"""The events of a client: `http.request`, `http.request_failed`, `http.retry_scheduled`,
`rate_limit.waiting`. No credentials in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sync.core.errors import (
    Blocked,
    Computing,
    Conflict,
    Forbidden,
    NotFound,
    RateLimited,
    RestError,
)
from sync.core.redaction import scrub
from sync.rest.response import Response

# Answers that a caller who gives up at once makes something of.
_TAKEN_AS_ANSWERS = (Forbidden, Conflict, Computing)


def log_request(log: Any, response: Response, attempt: int, more: Mapping[str, Any]) -> None:
    """Log an answer of any status; `more` are extra fields of the service."""
    log.debug(
        "http.request",
        method=response.method,
        url=scrub(response.url),
        status=response.status,
        duration_ms=round(response.elapsed * 1000, 1),
        bytes=len(response.body),
        attempt=attempt,
        **more,
    )


def log_failure(
    log: Any, error: RestError, attempt: int, delay: float | None, *, given_up: bool = False
) -> None:
    """Log a failed attempt, and the wait before the next one; `delay` is None if there is none.

    `given_up`: whether the caller wanted no other attempt.
    """
    held_back = isinstance(error, RateLimited) and not error.sent
    if not held_back:
        # The caller may have asked whether something exists, and logs it if that is a failure.
        expected = isinstance(error, (NotFound, Blocked))
        expected = expected or (given_up and isinstance(error, _TAKEN_AS_ANSWERS))
        say = log.debug if expected else log.warning
        say(
            "http.request_failed",
            method=error.method,
            url=error.url,
            status=error.status,
            error=error.code,
            message=error.message,
            attempt=attempt,
            request_id=error.request_id,
        )
    if delay is None:
        return
    if isinstance(error, RateLimited):
        log_wait(log, delay, error.retry_at, secondary=error.secondary)
    else:
        log.warning(
            "http.retry_scheduled",
            method=error.method,
            url=error.url,
            seconds=round(delay, 2),
            attempt=attempt + 1,
        )


def log_wait(log: Any, seconds: float, until: datetime | None, *, secondary: bool = False) -> None:
    """Log that requests wait for a rate limit; `secondary` if it limits the pace."""
    log.warning(
        "rate_limit.waiting",
        seconds=round(seconds, 1),
        until=until.isoformat() if until else None,
        secondary=secondary,
    )
