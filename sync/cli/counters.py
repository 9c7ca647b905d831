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
    views = "views"
    clones = "clones"
    downloads = "downloads"


# The names in the database of the counters that every sync tells, and above a drawing.
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


class Series(NamedTuple):
    """A column that is drawn. `panel`: the title of the drawing that it shares with others.

    `filled`: whether it is known of every day between the first and today.
    """

    column: str
    label: str
    panel: str
    name: str  # of the line in an SVG
    filled: bool = False


# The view with the days of a counter, and what is drawn of it.
VIEWS = {
    Counter.stars: "star_totals",
    Counter.views: "traffic_daily",
    Counter.clones: "traffic_daily",
    Counter.downloads: "downloads_daily",
}
_KEPT = "given and kept, by GitHub"
_CLONES = "clones (with CI)"
SERIES: Mapping[Counter, tuple[Series, ...]] = {
    **{c: (Series(COLUMNS[c], LABELS[c], LABELS[c], c.value, filled=True),) for c in COLUMNS},
    Counter.stars: (
        Series("stargazers_count", "stars", "stars", "stars", filled=True),
        Series("retained", f"stars {_KEPT}", "stars", "retained"),
    ),
    Counter.views: (
        Series("views", "views", "views", "views"),
        Series("view_uniques", "unique visitors a day", "views", "view_uniques"),
    ),
    Counter.clones: (
        Series("clones", _CLONES, _CLONES, "clones"),
        Series("clone_uniques", "unique cloners a day (with CI)", _CLONES, "clone_uniques"),
    ),
    Counter.downloads: (
        Series("total", "downloads in total", "downloads in total", "total"),
        Series("downloads", "downloads a day", "downloads a day", "downloads"),
    ),
}
# The columns of a table of a counter's days, with shorter names for a terminal.
SHOWN: Mapping[Counter, Mapping[str, str]] = {
    Counter.stars: {"stargazers_count": "stars", "gained": "gained", "retained": "retained"},
    Counter.views: {"views": "views", "view_uniques": "unique visitors"},
    Counter.clones: {"clones": _CLONES, "clone_uniques": "unique cloners"},
    Counter.downloads: {"downloads": "downloads", "total": "total"},
}


_DAY = timedelta(days=1)


class Step(NamedTuple):
    """A value from the start of `first` to the end of `last`; None if unknown."""

    first: date
    last: date
    value: int | None


def steps_of(rows: Sequence[Mapping[str, Any]], counter: Counter) -> list[Step]:
    """Return the steps of a counter; `rows` are one a day, and missing days are unknown."""
    return steps_in(rows, COLUMNS[counter])


def steps_in(rows: Sequence[Mapping[str, Any]], column: str) -> list[Step]:
    """Return the steps of a column, as `steps_of` does."""
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


def together(
    rows: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Return a row with the columns `names` for each day of `rows` and `others`, in order."""
    unknown = dict.fromkeys(names)
    found: dict[date, dict[str, Any]] = {}
    for row in (*rows, *others):
        known = {name: row[name] for name in names if name in row}
        found.setdefault(row["day"], {"day": row["day"], **unknown}).update(known)
    return [found[day] for day in sorted(found)]


def reach_of(steps: Sequence[Step]) -> date | None:
    """Return the last day of which the value is known."""
    return next((step.last for step in reversed(steps) if step.value is not None), None)


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
