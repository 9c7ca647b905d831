"""Decides whether and when a request is retried. No I/O here.

The client then waits on an event, so that a stop ends the wait at once.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sync.core.errors import RateLimited, RestError

# Methods that may be retried when it is unknown whether they took effect (RFC 9110, 9.2.2).
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Bounded exponential back-off with jitter, and waits for rate limits.

    `attempts`: the largest number of attempts for a request. `base` and `cap`: the first
    and the longest pause, in seconds. `max_wait`: the longest time that a client
    waits for rate limits in all, in seconds; beyond it the RateLimited error
    reaches the caller.
    `pace_wait`: the first pause for a rate limit without an end, in seconds; it doubles
    each time. `methods` are the HTTP methods that may be retried. `random` returns
    numbers in [0, 1).
    """

    attempts: int = 5
    base: float = 1.0
    cap: float = 30.0
    max_wait: float = 900.0
    pace_wait: float = 60.0
    methods: frozenset[str] = IDEMPOTENT
    random: Callable[[], float] = random.random

    def delay(self, error: RestError, attempt: int, now: datetime) -> float | None:
        """Return the seconds to wait before attempt `attempt` + 1, or None to give up.

        `attempt` is the number, from 1, of the attempt that ended in `error`; `now` is in UTC.
        """
        if attempt >= self.attempts:
            return None
        if isinstance(error, RateLimited):
            return self._rate_limit_delay(error, attempt, now)
        if not error.is_transient or getattr(error, "permanent", False):
            return None
        if error.method not in self.methods:
            return None
        ceiling = min(self.cap, self.base * 2.0 ** (attempt - 1))
        return ceiling * (0.5 + 0.5 * self.random())

    def _rate_limit_delay(self, error: RateLimited, attempt: int, now: datetime) -> float | None:
        if error.retry_at is None:
            seconds = self.pace_wait * 2.0 ** (attempt - 1)
        else:
            # One second longer, since clocks are read in whole seconds.
            seconds = max((error.retry_at - now).total_seconds(), 0.0) + 1.0
        return seconds if seconds <= self.max_wait else None
