"""A clock that stands still until it is moved. No I/O here."""

from __future__ import annotations

from datetime import datetime, timedelta

_DAY = timedelta(days=1)


class Calendar:
    """A clock of `days` days, of which the last ends at `end`; give it to the stand-in as `now`.

    A day is the 24 hours before its sync, so its end is at the same time of day as `end`.
    """

    def __init__(self, days: int, end: datetime) -> None:
        self._days = days
        self._end = end
        self._now = self.end_of(-1)

    def __call__(self) -> datetime:
        return self._now

    def end_of(self, day: int) -> datetime:
        """The time at which a day ends, by its number from 0."""
        return self._end - (self._days - 1 - day) * _DAY

    def move(self, day: int, share: float = 1.0) -> None:
        """Moves the clock into a day: to a share of it, or to its end. It never goes back."""
        self._now = max(self._now, self.end_of(day) - (1 - share) * _DAY)
