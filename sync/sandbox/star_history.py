"""The stars of a repository by the day on which they were given, as far as they are left.

No I/O here. https://docs.github.com/rest/activity/starring#get-repository-star-history
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

_DAY = timedelta(days=1)


@dataclass(kw_only=True)
class Stars:
    """The retained stars: `older(day)`, which are `older_total` in all, and those in `by_day`."""

    older: Callable[[date], int] = lambda _day: 0
    older_total: int = 0
    by_day: dict[date, int] = field(default_factory=dict)

    def of(self, day: date) -> int:
        """The stars that were given on a day and are left."""
        return self.older(day) + self.by_day.get(day, 0)

    def total(self) -> int:
        """All stars that are left."""
        return self.older_total + sum(self.by_day.values())

    def settle(self, count: int, created: date, day: date) -> None:
        """Makes the total equal to the counter: on `day`, new stars are given.

        Where the counter has fallen, the newest stars are taken back, and none before `created`.
        """
        missing = count - self.total()
        if missing > 0:
            self.by_day[day] = self.by_day.get(day, 0) + missing
        while missing < 0 and day >= created:
            taken = min(self.of(day), -missing)
            if taken:
                self.by_day[day] = self.by_day.get(day, 0) - taken
            missing, day = missing + taken, day - _DAY


def weeks(created: date, today: date) -> int:
    """The number of weeks from that of the creation to the present one."""
    return max((_sunday(today) - _sunday(created)).days // 7, 0) + 1


def history(stars: Stars, today: date, start: int, stop: int) -> list[dict[str, Any]]:
    """These weeks of the history, by number; 0 is the present one, whose future days hold 0."""
    found = []
    for number in range(start, stop):
        sunday = _sunday(today) - number * 7 * _DAY
        days = [sunday + at * _DAY for at in range(7)]
        counts = [stars.of(day) if day <= today else 0 for day in days]
        begins = datetime(sunday.year, sunday.month, sunday.day, tzinfo=UTC)
        found.append({"days": counts, "total": sum(counts), "week": int(begins.timestamp())})
    return found


def _sunday(day: date) -> date:
    return day - (day.weekday() + 1) % 7 * _DAY
