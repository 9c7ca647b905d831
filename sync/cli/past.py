"""What `history` shows of one or several repositories, as a table and as a picture. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.cells import cell_len, set_cell_size

from sync.charts.picture import Line, Panel, Picture, changed, headline, summed_up
from sync.charts.steps import Step, reach_of, steps_in, values_of
from sync.cli.counters import (
    ALL_SHOWN,
    COLUMNS,
    LABELS,
    SERIES,
    SHOWN,
    Counter,
    Series,
)
from sync.core.redaction import printable

Rows = Sequence[Mapping[str, Any]]
_NAMED = 3  # repositories in a title
_LONGEST = 40  # columns of a name in a title or a legend
REPOSITORIES = "repositories"


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Days, and what is shown of them.

    `columns`: those of each row beside `day`, with their headings for people. `drawn`: lines, the
    most important first. `labels`: of the lines, where they are of different repositories.
    """

    title: str
    rows: Rows
    columns: Mapping[str, str]
    drawn: Mapping[Series, Sequence[Step]]
    labels: Mapping[Series, str] = field(default_factory=dict)

    def picture(self) -> Picture:
        """Return the picture of it: lines with the same title share a panel."""
        panels: dict[str, list[Line]] = {}
        for series, steps in self.drawn.items():
            label = self.labels.get(series) or label_of(series, steps)
            line = Line(series.name, label, steps, dashed=series.dashed)
            panels.setdefault(series.panel, []).append(line)
        # A line alone needs no legend, which would say until when it is known.
        return Picture(
            self.title,
            [
                Panel(title if len(lines) > 1 or self.labels else lines[0].label, lines)
                for title, lines in panels.items()
            ],
        )


def label_of(series: Series, steps: Sequence[Step]) -> str:
    reach = None if series.filled else reach_of(steps)
    return f"{series.label}, until {reach}" if reach else series.label


def of_one(name: str, rows: Rows, counter: Counter | None) -> Past:
    """Return the past of one repository: all counters, of which the stars are drawn, or one."""
    drawn = _drawn(rows, counter or Counter.stars)
    first, steps = next(iter(drawn.items()))
    return Past(
        title=_title(name, first, steps),
        rows=rows,
        columns=SHOWN[counter] if counter else ALL_SHOWN,
        drawn=drawn,
    )


def _drawn(rows: Rows, counter: Counter) -> dict[Series, Sequence[Step]]:
    """Return the lines of a counter that are in the rows; of several only those with values."""
    present = [each for each in SERIES[counter] if rows and each.column in rows[0]]
    lines = {each: steps_in(rows, each.column) for each in present or SERIES[counter][:1]}
    known = {each: steps for each, steps in lines.items() if values_of(steps)}
    return {**(known or dict([next(iter(lines.items()))]))}


def _title(subject: str, series: Series, steps: Sequence[Step]) -> str:
    if series.daily:
        return summed_up(subject, series.label, steps)
    return headline(subject, series.label, steps)


def of_several(histories: Mapping[str, Rows], counter: Counter) -> Past:
    """Return the past of several repositories side by side: a column for each, by its name."""
    main = SERIES[counter][0]
    days: dict[Any, dict[str, Any]] = {}
    for name, rows in histories.items():
        for row in rows:
            day = days.setdefault(row["day"], {"day": row["day"], **dict.fromkeys(histories)})
            day[name] = row[main.column]
    together = [days[day] for day in sorted(days)]
    drawn: dict[Series, Sequence[Step]] = {}
    labels: dict[Series, str] = {}
    for number, (name, rows) in enumerate(histories.items(), start=1):
        series = main._replace(column=name, label=name, name=f"line-{number}")
        drawn[series] = steps_in(rows, main.column)
        labels[series] = _compared(_brief(name), drawn[series], daily=main.daily)
    names = list(histories)
    said = (
        f"{len(names)} repositories" if len(names) > _NAMED else _listed(list(map(_brief, names)))
    )
    return Past(
        title=f"{main.label} of {said}",
        rows=together,
        columns=_headings(names),
        drawn=drawn,
        labels=labels,
    )


def _brief(name: str) -> str:
    """Return a name that is no longer than most are."""
    name = printable(name)
    return name if cell_len(name) <= _LONGEST else set_cell_size(name, _LONGEST - 1) + "…"


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _compared(name: str, steps: Sequence[Step], *, daily: bool) -> str:
    """Return a repository's name with its last value and the change."""
    values = values_of(steps)
    if daily or not values:
        return name
    return f"{name}: {values[-1]:,}, {changed(values[-1] - values[0])}"


def _headings(names: Sequence[str]) -> dict[str, str]:
    """Return the names as headings: without the owner, if all have the same."""
    owners = {name.rpartition("/")[0] for name in names}
    if len(owners) == 1:
        return {name: name.rpartition("/")[2] for name in names}
    return {name: name for name in names}


def of_all(subject: str, totals: Sequence[Any], counter: Counter) -> Past:
    """Return the past of a sum; `totals` are `database.totals.Total`, one a day."""
    main = SERIES[counter][0]
    rows = [
        {"day": each.day, main.column: each.value, REPOSITORIES: each.repositories}
        for each in totals
    ]
    steps = steps_in(rows, main.column)
    count = totals[-1].repositories if totals else 0
    whose = f"{count:,} {'repository' if count == 1 else REPOSITORIES}"
    title = headline(f"{subject}, {whose}" if subject else whose, main.label, steps)
    later = totals[1:]
    if of_new := sum(each.of_new for each in later):
        new = count - totals[0].repositories
        which = f"{new:,} new {'repository' if new == 1 else REPOSITORIES}"
        title += f" ({of_new:,} of {which})" if new > 0 else ""
    columns = {main.column: counter.value, REPOSITORIES: REPOSITORIES}
    return Past(title=title, rows=rows, columns=columns, drawn={main: steps})


def require_summable(counter: Counter) -> str:
    """Return the column of a counter that can be summed. Raises ValueError."""
    if counter not in COLUMNS:
        some = ", ".join(LABELS[each] for each in COLUMNS if each is not Counter.watchers)
        raise ValueError(f"--total sums {some}, not {counter}")
    return COLUMNS[counter]
