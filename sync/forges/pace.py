"""The pace of a user's requests: how long the next one has to wait. No I/O here."""

from __future__ import annotations

from collections import deque
from heapq import merge

# The last answers, by which the time of the next ones is estimated.
_LAST = 200


class Pace:
    """The requests of the last minute, and the wait until there is room for one more.

    In any `window`, in seconds, there are at most `points` requests, with answers that took at
    most `seconds` in all. Times are monotonic seconds, given by the caller. Not safe to use from
    several threads at a time: its owner has a lock.

    The whole duration of an answer counts, the network's share included, as GitHub advises: how
    much of it the server took cannot be told from outside.
    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api

    A request counts from when it is sent until a window after its answer, since the server may
    have begun to count it at any moment in between.
    """

    def __init__(self, *, points: int, seconds: float, window: float) -> None:
        self.points = points
        self.seconds = seconds
        self.window = window
        self._recent: deque[tuple[float, float]] = deque()  # end and answer time, oldest first
        self._under_way = 0
        self._durations: deque[float] = deque(maxlen=_LAST)

    def wait(self, now: float) -> float:
        """Return the seconds until one more request may be sent; 0 if it may be sent now.

        It is an estimate while requests are in flight: ask again at each end of one.
        """
        while self._recent and self._recent[0][0] + self.window <= now:
            self._recent.popleft()
        here = self._under_way + 1
        points = len(self._recent) + here - self.points
        seconds = sum(spent for _, spent in self._recent) + here * self._expected() - self.seconds
        if points <= 0 and seconds <= 0:
            return 0.0
        for ended, spent in self._recent:
            points, seconds = points - 1, seconds - spent
            if points <= 0 and seconds <= 0:
                return ended + self.window - now
        if self._recent:
            return self._recent[-1][0] + self.window - now
        # An answer that is expected to take more than all the time may still be requested alone.
        return self.window if self._under_way else 0.0

    def begin(self) -> None:
        """Note that a request is sent; each ends by `end`, whatever becomes of it."""
        self._under_way += 1

    def end(self) -> None:
        """Note that a request is no longer in flight."""
        self._under_way -= 1

    def note_answer(self, now: float, duration: float) -> None:
        """Note an answer that arrived at `now`, `duration` seconds after its request was sent."""
        self._durations.append(duration)
        self._recent.append((now, duration))

    def note_failure(self, now: float) -> None:
        """Note a request that ended at `now` without an answer; the server may have counted it."""
        self._recent.append((now, self._expected()))

    def settled(self, now: float) -> Pace:
        """Return a copy in which the requests in flight end `now`.

        It is for `merge`: the answers to them may be noted only here, not in the copy.
        """
        copy = Pace(points=self.points, seconds=self.seconds, window=self.window)
        copy.merge(self)
        for _ in range(self._under_way):
            copy.note_failure(now)
        return copy

    def merge(self, other: Pace) -> None:
        """Add the ended requests of `other`, which belongs to the same user."""
        self._recent = deque(merge(self._recent, other._recent))
        self._durations.extend(other._durations)

    def _expected(self) -> float:
        """Return the answer time that a request in flight is expected to take."""
        times = self._durations
        return sum(times) / len(times) if times else 0.0
