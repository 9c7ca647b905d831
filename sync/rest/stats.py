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
        self.wait_seconds = 0.0
        self._waits: dict[int, float] = {}

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

    @contextmanager
    def waiting(self, seconds: float) -> Iterator[None]:
        """Count a wait of `seconds`, unless a longer one is under way."""
        me = threading.get_ident()
        with self._lock:
            longest = max(self._waits.values(), default=0.0)
            self.wait_seconds += max(seconds - longest, 0.0)
            self._waits[me] = seconds
        try:
            yield
        finally:
            with self._lock:
                del self._waits[me]
