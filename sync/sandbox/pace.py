"""The pace of GitHub's secondary rate limits: points and seconds of answers in a minute.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sync.sandbox.host import Host
from sync.sandbox.users import Holder, Token

_MINUTE = timedelta(minutes=1)
_READING = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The points and seconds of a minute, and the seconds that each answer is taken to need."""

    points: int
    seconds: float
    answer: float


@dataclass(kw_only=True)
class _Minute:
    answers: deque[tuple[datetime, int, float]] = field(default_factory=deque)
    points: int = 0
    seconds: float = 0.0

    def add(self, moment: datetime, points: int, seconds: float) -> None:
        self.answers.append((moment, points, seconds))
        self.points, self.seconds = self.points + points, self.seconds + seconds

    def forget(self, until: datetime) -> None:
        while self.answers and self.answers[0][0] <= until:
            _, points, seconds = self.answers.popleft()
            self.points, self.seconds = self.points - points, self.seconds - seconds


class Pace:
    """What each holder of tokens has used in the last minute. No limit holds until it is set.

    `delay` returns the seconds by which answers are delayed, which count too.
    """

    def __init__(self, host: Host, delay: Callable[[], float] = lambda: 0.0) -> None:
        self._host = host
        self.delay = delay
        self._limit: Limit | None = None
        self._of: dict[Holder | None, _Minute] = {}

    def set(self, points: int | None = 900, *, seconds: float = 90.0, answer: float = 0.0) -> None:
        """Allows so many points and seconds of answers in a minute; with None, any number.

        A request that reads is a point, one that writes five. `answer` is the time in seconds
        that each answer is taken to need, besides the sandbox's `delay`.
        """
        self._limit = (
            None if points is None else Limit(points=points, seconds=seconds, answer=answer)
        )
        self._of.clear()

    def admits(self, token: Token | None, method: str) -> bool:
        """Whether a request is within the pace; it then counts, a refused one does not."""
        if (limit := self._limit) is None:
            return True
        now = self._host.now()
        used = self._of.setdefault(token.holder if token else None, _Minute())
        used.forget(now - _MINUTE)
        points, seconds = 1 if method in _READING else 5, limit.answer + self.delay()
        needed = round(used.seconds + seconds, 6)  # a sum of many small ones is not exact
        if used.points + points > limit.points or needed > limit.seconds:
            return False
        used.add(now, points, seconds)
        return True
