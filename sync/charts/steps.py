"""A counter over time, as steps to draw. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

_DAY = timedelta(days=1)


class Step(NamedTuple):
    """A value from the start of `first` to the end of `last`; None if unknown."""

    first: date
    last: date
    value: int | None


def steps_in(rows: Sequence[Mapping[str, Any]], column: str) -> list[Step]:
    """Return the steps of a column; `rows` are one a day, and missing days are unknown."""
    steps: list[Step] = []
    for row in rows:
        day, value = row["day"], row[column]
        if steps and steps[-1].last < day - _DAY:
            steps.append(Step(steps[-1].last + _DAY, day - _DAY, None))
        if steps and steps[-1].value == value:
            steps[-1] = steps[-1]._replace(last=day)
        else:
            steps.append(Step(day, day, value))
    return steps


def reach_of(steps: Sequence[Step]) -> date | None:
    """Return the last day of which the value is known."""
    return next((step.last for step in reversed(steps) if step.value is not None), None)


def values_of(steps: Sequence[Step]) -> list[int]:
    """Return the known values."""
    return [step.value for step in steps if step.value is not None]


def span_of(lines: Sequence[Sequence[Step]]) -> tuple[date, date]:
    """Return the first and the last day of several lines, of which one has steps."""
    drawn = [steps for steps in lines if steps]
    return min(steps[0].first for steps in drawn), max(steps[-1].last for steps in drawn)


def days_of(steps: Sequence[Step]) -> int:
    """Return how many days the steps cover."""
    return (steps[-1].last - steps[0].first + _DAY).days


def known_days(steps: Sequence[Step]) -> int:
    """Return of how many days the value is known."""
    return sum((s.last - s.first + _DAY).days for s in steps if s.value is not None)
