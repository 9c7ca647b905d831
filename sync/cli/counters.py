"""A repository's counters over time, as steps to draw. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple


class Counter(StrEnum):
    stars = "stars"
    forks = "forks"
    issues = "issues"
    watchers = "watchers"
    size = "size"


# The names of the counters in the database, and above a drawing.
COLUMNS = {
    Counter.stars: "stargazers_count",
    Counter.forks: "forks_count",
    Counter.issues: "open_issues_count",
    Counter.watchers: "watchers_count",
    Counter.size: "size",
}
LABELS = {
    Counter.stars: "stars",
    Counter.forks: "forks",
    Counter.issues: "open issues",
    Counter.watchers: "watchers",
    Counter.size: "size (kB)",
}


_DAY = timedelta(days=1)


class Step(NamedTuple):
    """A value from the start of `first` to the end of `last`; None if unknown."""

    first: date
    last: date
    value: int | None


def steps_of(rows: Sequence[Mapping[str, Any]], counter: Counter) -> list[Step]:
    """Return the steps of a counter; `rows` are one a day, and missing days are unknown."""
    steps: list[Step] = []
    for row in rows:
        day, value = row["day"], row[COLUMNS[counter]]
        if steps and steps[-1].last < day - _DAY:
            steps.append(Step(steps[-1].last + _DAY, day - _DAY, None))
        if steps and steps[-1].value == value:
            steps[-1] = steps[-1]._replace(last=day)
        else:
            steps.append(Step(day, day, value))
    return steps


def values_of(steps: Sequence[Step]) -> list[int]:
    """Return the known values."""
    return [step.value for step in steps if step.value is not None]


def days_of(steps: Sequence[Step]) -> int:
    """Return how many days the steps cover."""
    return (steps[-1].last - steps[0].first + timedelta(days=1)).days


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
