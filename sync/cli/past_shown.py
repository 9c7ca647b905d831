"""A past on a terminal: a table, and below it plots, where a long table does not hide them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size

from sync.cli import output
from sync.cli.past import Past
from sync.cli.plot import overlaid, plotted
from sync.cli.screen import screen

_PLOT_HEIGHT, _COMPARED_HEIGHT = 8, 12
_AROUND_PLOT = 5  # lines: a blank one, title, axis, dates, the shell's next prompt
_MOST_ROWS = 62  # two months
_DAY_COLUMN, _GAP, _SHORTEST = 11, 2, 8  # columns of a terminal


def show(past: Past) -> None:
    """Show a table on a terminal, with plots below it."""
    rows, which = thinned(past.rows)
    headings = _fitting(list(past.columns.values()))
    cells = ([row["day"], *(row[column] for column in past.columns)] for row in rows)
    output.print_table(("day", *headings), cells)
    if which:
        print(f"{which}; --format csv has every day")
    for plot in _plots(past):
        for line in ["", *plot] if plot else []:
            print(line)


def _plots(past: Past) -> list[list[str]]:
    size = shutil.get_terminal_size()
    plain = not has_braille()
    if past.labels:
        lines = {past.labels[series]: steps for series, steps in past.drawn.items()}
        height = size.lines - _AROUND_PLOT - len(lines)
        height = max(4, min(_COMPARED_HEIGHT, height))
        colours = screen().colours
        shape: dict[str, Any] = {"width": size.columns, "height": height, "plain": plain}
        return [overlaid(past.title, lines, **shape, colours=colours)]
    fitting = (size.lines - 1) // len(past.drawn) - _AROUND_PLOT + 1
    height = max(3, min(_PLOT_HEIGHT, fitting))
    titles = [past.title]
    titles += (line.label for panel in past.picture().panels for line in panel.lines)
    del titles[1]  # of the first line: it is in the title
    return [
        plotted(title, steps, width=size.columns, height=height, plain=plain)
        for title, steps in zip(titles, past.drawn.values(), strict=True)
    ]


def thinned(
    rows: Sequence[Mapping[str, Any]], most: int = _MOST_ROWS
) -> tuple[Sequence[Mapping[str, Any]], str]:
    """Return the last row of each week, month or year, so that there are not too many.

    And which these are; "" where all are there.
    """
    if len(rows) <= most:
        return rows, ""
    weeks = {row["day"].isocalendar()[:2]: row for row in rows}
    months = {(row["day"].year, row["day"].month): row for row in rows}
    years = {row["day"].year: row for row in rows}
    for which, kept in (("week", weeks), ("month", months)):
        if len(kept) <= most:
            return list(kept.values()), f"the last day of each {which}"
    return list(years.values()), "the last day of each year"


def _fitting(headings: Sequence[str]) -> list[str]:
    """Return headings that are cut so that a row fits on the terminal, as far as that goes."""
    room = screen().width
    if room is None:
        return list(headings)
    each = (room - _DAY_COLUMN - _GAP) // max(len(headings), 1) - _GAP
    if sum(map(cell_len, headings)) + _GAP * len(headings) + _DAY_COLUMN + _GAP <= room:
        return list(headings)
    return [_cut(heading, max(each, _SHORTEST)) for heading in headings]


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def has_braille() -> bool:
    """Tell whether the terminal can show braille; the console of Linux cannot."""
    try:
        "⣿┤".encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return False
    return os.environ.get("TERM") not in ("linux", "dumb")
