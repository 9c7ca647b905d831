"""The traffic of a repository: its visits by day, seen through a window of 14 days. No I/O here.

https://docs.github.com/rest/metrics/traffic
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

KINDS = ("views", "clones")
# The fields of a row of each list of the most popular.
POPULAR = {
    "referrers": ("referrer", "count", "uniques"),
    "paths": ("path", "title", "count", "uniques"),
}
_WINDOW, _DAY, _MOST = timedelta(days=14), timedelta(days=1), 10

Count = tuple[int, int]
Row = Sequence[str | int]
Rows = Sequence[Row] | Callable[[date], Sequence[Row]]


@dataclass(frozen=True, slots=True)
class Bucket:
    """The visits of a day or a week, as far as they are within the window."""

    day: date
    count: int
    uniques: int


@dataclass(kw_only=True)
class Hidden:
    """The days that answers leave out: all after `newest`, and those in `dropped`.

    `cut`: also the oldest day, while a part of it is older than the window.
    """

    newest: date | None = None
    dropped: frozenset[date] = frozenset()
    cut: bool = False

    def hides(self, day: date) -> bool:
        """Whether answers leave out this day."""
        return day in self.dropped or (self.newest is not None and day > self.newest)


@dataclass(kw_only=True)
class Visits:
    """The visits of one kind: `(count, uniques)` of a whole day, by `of_day`.

    `uniques` are those of every window, estimated when None. `flips` has the other value of a
    day, which every second reading tells.
    """

    of_day: Callable[[date], Count] = lambda _day: (0, 0)
    uniques: int | None = None
    flips: dict[date, Count] = field(default_factory=dict)
    readings: int = 0

    def read(self, day: date) -> Count:
        """The visits of a day, as the present reading tells them."""
        if self.readings % 2 == 0 and day in self.flips:
            return self.flips[day]
        return self.of_day(day)


@dataclass(kw_only=True)
class Traffic:
    """The traffic of a repository. `popular` has the rows of a list from a day on, by that day."""

    visits: dict[str, Visits] = field(default_factory=lambda: {kind: Visits() for kind in KINDS})
    popular: dict[str, dict[date, Rows]] = field(
        default_factory=lambda: {name: {} for name in POPULAR}
    )
    hidden: Hidden = field(default_factory=Hidden)


def window(
    of_day: Callable[[date], Count], now: datetime, hidden: Sequence[Hidden] = ()
) -> Iterator[Bucket]:
    """The buckets of the 14 times 24 hours before `now`, oldest first; none without visits.

    The oldest day is cut at the window's beginning, today is as long as it has lasted.
    """
    now = now.astimezone(UTC)
    start = now - _WINDOW
    for number in range(_WINDOW.days + 1):
        day = start.date() + number * _DAY
        begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
        count, visitors = of_day(day)
        inside = min(begins + _DAY, now) - max(begins, start)
        if inside < _DAY:
            count = count * inside // _DAY
            visitors = min(count, max(1, visitors * inside // _DAY))
        cut = begins < start
        if count > 0 and not any(each.hides(day) or (cut and each.cut) for each in hidden):
            yield Bucket(day, count, visitors)


def by_week(buckets: Iterable[Bucket]) -> Iterator[Bucket]:
    """The same visits in weeks, which begin on Monday."""
    for monday, found in groupby(buckets, lambda each: each.day - each.day.weekday() * _DAY):
        days = list(found)
        yield Bucket(monday, sum(each.count for each in days), uniques(days))


def answer(kind: str, buckets: Sequence[Bucket], uniques: int) -> dict[str, Any]:
    """The answer about views or clones; `uniques` are those of the window, which are no sum."""
    return {
        "count": sum(each.count for each in buckets),
        "uniques": uniques,
        kind: [
            {"timestamp": f"{each.day}T00:00:00Z", "count": each.count, "uniques": each.uniques}
            for each in buckets
        ],
    }


def top(name: str, told: dict[date, Rows], today: date) -> list[dict[str, Any]]:
    """The list of a day: at most ten rows, the largest count first."""
    since = max((day for day in told if day <= today), default=None)
    rows: Rows = () if since is None else told[since]
    fields = POPULAR[name]
    found = [
        dict(zip(fields, row, strict=True)) for row in (rows(today) if callable(rows) else rows)
    ]
    return sorted(found, key=lambda row: -int(row["count"]))[:_MOST]


def uniques(buckets: Sequence[Bucket]) -> int:
    """An estimate of the visitors of these days together, who may have come on several."""
    most = max((each.uniques for each in buckets), default=0)
    return max(most, sum(each.uniques for each in buckets) * 4 // 5)
