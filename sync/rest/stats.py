"""What a client has done so far, counted for the run that uses it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from sync.rest.response import Response


class RequestStats:
    """Counts of one client, safe to update from several threads.

    `requests` counts answers (a redirect is one), `not_modified` those with
    status 304, `by_status` all of them. `wait_seconds` is the time spent
    waiting before a retry or for a rate limit; waits of several threads at the
    same time count as long as the longest.
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

    def limit_seconds_with(self, seconds: float) -> float:
        """Return how long all waits for rate limits will be with another of `seconds`."""
        with self._lock:
            return self._limit_waits.total + self._limit_waits.added_by(seconds)

    @contextmanager
    def waiting(self, seconds: float, *, for_limit: bool = False) -> Iterator[None]:
        """Count a wait of `seconds`, as far as it is longer than those under way."""
        tallies = (self._waits, self._limit_waits) if for_limit else (self._waits,)
        me = threading.get_ident()
        with self._lock:
            for tally in tallies:
                tally.total += tally.added_by(seconds)
                tally.current[me] = seconds
        try:
            yield
        finally:
            with self._lock:
                for tally in tallies:
                    del tally.current[me]


class _Waits:
    """The waits of several threads: how long in all, and those under way by thread."""

    def __init__(self) -> None:
        self.total = 0.0
        self.current: dict[int, float] = {}

    def added_by(self, seconds: float) -> float:
        return max(seconds - max(self.current.values(), default=0.0), 0.0)
