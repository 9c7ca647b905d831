"""What a client has done so far, counted for the run that uses it."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter

from sync.rest.response import Response


class RequestStats:
    """Counts of one client, safe to update from several threads.

    `requests` counts answers (a redirect is one), `not_modified` those with
    status 304, `by_status` all of them. `wait_seconds` is the time spent
    waiting before a retry or for a rate limit; the time during which several
    threads wait counts once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.by_status: Counter[int] = Counter()
        self.bytes = 0
        self._waits = _Waits()
        self._limit_waits = _Waits()

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
            self.bytes += len(response.body)

    @property
    def wait_seconds(self) -> float:
        return self._waits.total

    def count_wait(self, seconds: float) -> None:
        """Count a wait of `seconds` that begins now."""
        with self._lock:
            self._waits.add(seconds)

    def count_limit_wait(self, seconds: float, *, at_most: float = math.inf) -> bool:
        """Count a wait for a rate limit; False, and nothing counted, if all would exceed `at_most`.

        Decided and counted in one step, so that several threads cannot each take what is left.
        """
        with self._lock:
            if self._limit_waits.total + self._limit_waits.added_by(seconds) > at_most:
                return False
            self._limit_waits.add(seconds)
            self._waits.add(seconds)
            return True

    def cut_short(self) -> None:
        """Take back what was counted of waits that are given up now."""
        with self._lock:
            self._waits.cut_short()
            self._limit_waits.cut_short()


class _Waits:
    """The time covered by waits, of one thread or several."""

    def __init__(self) -> None:
        self.total = 0.0
        self._covered_until = -math.inf

    def added_by(self, seconds: float) -> float:
        already = max(self._covered_until - time.monotonic(), 0.0)
        return max(seconds - already, 0.0)

    def add(self, seconds: float) -> None:
        self.total += self.added_by(seconds)
        self._covered_until = max(self._covered_until, time.monotonic() + seconds)

    def cut_short(self) -> None:
        now = time.monotonic()
        self.total -= max(self._covered_until - now, 0.0)
        self._covered_until = min(self._covered_until, now)
