"""Axes: where they begin and end, their ticks, and the labels of these. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

_INTERVALS = 4  # about so many between the ticks of values
_MOST_DAYS = 7  # ticks of days
_WEEKS = (1, 2, 7, 14)  # days between two ticks
_MONTHS = (1, 2, 3, 6)


class Axis(NamedTuple):
    """An axis of values, which begins and ends with a tick."""

    low: int
    high: int
    step: int

    @property
    def ticks(self) -> range:
        return range(self.low, self.high + 1, self.step)


def axis_of(values: Sequence[int]) -> Axis:
    """Return an axis for `values`, with even ticks at round numbers; see `limits`."""
    low, high = limits(values)
    step = _step((high - low) / _INTERVALS)
    return Axis(low // step * step, -(-high // step) * step, step)


def _step(least: float) -> int:
    """Return the smallest of 1, 2, 5, 10, 20 … that is not less."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power >= least:
                return factor * power
        power *= 10


def limits(values: Sequence[int]) -> tuple[int, int]:
    """Return the lowest and highest value of an axis for `values`.

    The axis begins at 0, unless all values would then lie in its upper half.
    """
    lowest, highest = min(values), max(values)
    if lowest == highest:
        return (lowest - 1, highest + 1) if lowest else (0, 1)
    return (0 if 0 <= lowest <= highest / 2 else lowest), highest


def short(value: float, span: float) -> str:
    """Return a count as a label of an axis that spans `span`.

    From a million on it has three decimals, unless neighbouring labels would be the same.
    """
    for factor, suffix in ((10**12, "T"), (10**9, "G"), (10**6, "M")):
        if abs(value) >= factor and span >= factor / 20:
            return f"{value / factor:,.3f}".rstrip("0").rstrip(".") + suffix
    return f"{value:,.0f}"


def day_ticks(first: date, last: date) -> list[tuple[date, str]]:
    """Return some days at even distances, with their labels: days, months or years."""
    days = (last - first).days
    for step in _WEEKS:
        if days // step < _MOST_DAYS:
            back = range(days // step, -1, -1)
            return [(day, str(day)) for day in (last - timedelta(days=n * step) for n in back)]
    months = list(_firsts(first, last))
    for step in _MONTHS:
        some = [day for day in months if (day.month - 1) % step == 0]
        if len(some) <= _MOST_DAYS:
            return [(day, f"{day:%Y-%m}") for day in some]
    years = [day for day in months if day.month == 1]
    step = -(-len(years) // _MOST_DAYS)
    return [(day, f"{day:%Y}") for day in years if day.year % step == 0]


def _firsts(first: date, last: date) -> Iterator[date]:
    """Yield the first day of each month in a span."""
    day = first if first.day == 1 else (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    while day <= last:
        yield day
        if (day.year, day.month) == (date.max.year, 12):
            return
        day = (day + timedelta(days=32)).replace(day=1)
