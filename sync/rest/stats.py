"""Counts of a client's requests and waits, for the run that uses it."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sync.rest.response import Response

_subject: ContextVar[str] = ContextVar("subject", default="")


@contextmanager
def counted_as(subject: str) -> Iterator[None]:
    """Count the answers to requests in this block, of this thread, as about `subject`, too."""
    before = _subject.set(subject)
    try:
        yield
    finally:
        _subject.reset(before)


class RequestStats:
    """Counts of one client, safe to update from several threads.

    `requests` counts answers, redirects included; `not_modified` counts answers with
    status 304; `by_status` counts answers by status. `wait_seconds` is the time spent
    so far in waits for retries and rate limits, `pace_seconds` that in waits which keep the
    pace below a limit; time in which several threads wait counts once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.by_status: Counter[int] = Counter()
        self._by_subject: dict[str, Counter[int]] = {}
        self.bytes = 0
        self._waits = _Waits()
        self._limit_waits = _Waits()
        self._pace_waits = _Waits()

    @property
    def requests(self) -> int:
        return self.by_status.total()

    @property
    def not_modified(self) -> int:
        return self.by_status[304]

    def add(self, response: Response) -> None:
        """Count an answer."""
        with self._lock:
            self.by_status[response.status] += 1
            self._by_subject.setdefault(_subject.get(), Counter())[response.status] += 1
            self.bytes += len(response.body)

    def about(self, subject: str) -> Counter[int]:
        """Return the answers about a subject, by status; see `counted_as`."""
        with self._lock:
            return Counter(self._by_subject.get(subject, ()))

    @property
    def wait_seconds(self) -> float:
        with self._lock:
            return self._waits.passed

    @property
    def pace_seconds(self) -> float:
        with self._lock:
            return self._pace_waits.passed

    def count_pace_wait(self, seconds: float) -> None:
        """Count a wait of `seconds` that begins now, and keeps the pace below a limit."""
        with self._lock:
            self._pace_waits.add(seconds)

    def count_wait(self, seconds: float) -> None:
        """Count a wait of `seconds` that begins now."""
        with self._lock:
            self._waits.add(seconds)

    def count_limit_wait(self, seconds: float, *, at_most: float = math.inf) -> bool:
        """Count a wait for a rate limit; False, without counting, if the sum exceeds `at_most`.

        One step under the lock, so that several threads cannot each take the remaining time.
        """
        with self._lock:
            if self._limit_waits.total + self._limit_waits.added_by(seconds) > at_most:
                return False
            self._limit_waits.add(seconds)
            self._waits.add(seconds)
            return True

    def cut_short(self) -> None:
        """Subtract the remaining time of waits that end early, now."""
        with self._lock:
            self._waits.cut_short()
            self._limit_waits.cut_short()


class _Waits:
    """The time covered by waits of one or more threads; `total` includes their remaining time."""

    def __init__(self) -> None:
        self.total = 0.0
        self._covered_until = -math.inf

    @property
    def passed(self) -> float:
        return self.total - self._to_come()

    def added_by(self, seconds: float) -> float:
        return max(seconds - self._to_come(), 0.0)

    def add(self, seconds: float) -> None:
        self.total += self.added_by(seconds)
        self._covered_until = max(self._covered_until, time.monotonic() + seconds)

    def cut_short(self) -> None:
        self.total -= self._to_come()
        self._covered_until = min(self._covered_until, time.monotonic())

    def _to_come(self) -> float:
        return max(self._covered_until - time.monotonic(), 0.0)
