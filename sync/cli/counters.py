"""The counters of repositories: their columns, and what is drawn of them. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
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

    `filled`: whether it is known of every day between the first and today. `daily`: whether it
    counts what was on a day, and not all until then. `dashed`: whether it is told apart.
    """

    column: str
    label: str
    panel: str
    name: str  # of the line in an SVG
    filled: bool = False
    daily: bool = False
    dashed: bool = False


# The view with the days of a counter, and what is drawn of it.
VIEWS = {
    Counter.stars: "star_totals",
    Counter.views: "traffic_daily",
    Counter.clones: "traffic_daily",
    Counter.downloads: "downloads_daily",
}
_KEPT = "given and kept, by GitHub"
_CLONES = "clones (with CI)"
_VISITORS, _CLONERS = "unique visitors a day", "unique cloners a day (with CI)"
SERIES: Mapping[Counter, tuple[Series, ...]] = {
    **{c: (Series(COLUMNS[c], LABELS[c], LABELS[c], c.value, filled=True),) for c in COLUMNS},
    Counter.stars: (
        Series("stargazers_count", "stars", "stars", "stars", filled=True),
        Series("retained", f"stars {_KEPT}", "stars", "retained", dashed=True),
    ),
    Counter.views: (
        Series("views", "views", "views", "views", daily=True),
        Series("view_uniques", _VISITORS, "views", "view_uniques", dashed=True),
    ),
    Counter.clones: (
        Series("clones", _CLONES, _CLONES, "clones", daily=True),
        Series("clone_uniques", _CLONERS, _CLONES, "clone_uniques", dashed=True),
    ),
    Counter.downloads: (
        Series("total", "downloads in total", "downloads in total", "total"),
        Series("downloads", "downloads a day", "downloads a day", "downloads", daily=True),
    ),
}
# The columns of a table of a counter's days, and their shorter names for people. Without a
# counter, of all that there are; `watchers_count` is GitHub's other name for the stars.
ALL_SHOWN: Mapping[str, str] = {
    column: counter.value for counter, column in COLUMNS.items() if counter is not Counter.watchers
}
SHOWN: Mapping[Counter, Mapping[str, str]] = {
    **{counter: {column: counter.value} for counter, column in COLUMNS.items()},
    Counter.stars: {"stargazers_count": "stars", "gained": "gained", "retained": "retained"},
    Counter.views: {"views": "views", "view_uniques": "unique visitors"},
    Counter.clones: {"clones": _CLONES, "clone_uniques": "unique cloners"},
    Counter.downloads: {"downloads": "downloads", "total": "total"},
}


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
