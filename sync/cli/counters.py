"""A repository's counters over time, as something that can be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any, NamedTuple


class Counter(StrEnum):
    stars = "stars"
    forks = "forks"
    issues = "issues"
    watchers = "watchers"
    size = "size"


# What each counter is called in the database, and above a drawing.
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


class Step(NamedTuple):
    """A value, or that it is not known, from the start of `first` to the end of `last`."""

    first: date
    last: date
    value: int | None


def steps_of(rows: Sequence[Mapping[str, Any]], counter: Counter) -> list[Step]:
    """Return the steps of a counter; `rows` are one a day, without a gap."""
    column = COLUMNS[counter]
    steps = []
    for value, days in groupby(rows, key=lambda row: row[column]):
        known = [row["day"] for row in days]
        steps.append(Step(known[0], known[-1], value))
    return steps


def values_of(steps: Sequence[Step]) -> list[int]:
    """Return the values that are known."""
    return [step.value for step in steps if step.value is not None]


def days_of(steps: Sequence[Step]) -> int:
    """Return how many days the steps take."""
    return (steps[-1].last - steps[0].first + timedelta(days=1)).days


def limits(values: Sequence[int]) -> tuple[int, int]:
    """Return where an axis for `values` begins and ends.

    It begins at 0 unless that would squeeze what happens into its upper half.
    """
    lowest, highest = min(values), max(values)
    if lowest == highest:
        return (lowest - 1, highest + 1) if lowest else (0, 1)
    return (0 if 0 <= lowest <= highest / 2 else lowest), highest


def short(value: float, span: float) -> str:
    """Return a count as a label of an axis that is `span` long.

    From a million on it has three decimals, unless labels would then look alike.
    """
    for factor, suffix in ((10**12, "T"), (10**9, "G"), (10**6, "M")):
        if abs(value) >= factor and span >= factor / 20:
            return f"{value / factor:,.3f}".rstrip("0").rstrip(".") + suffix
    return f"{value:,.0f}"
