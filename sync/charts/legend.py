"""The entries of a legend, in rows. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sync.charts.picture import Line

SWATCH, _GAP = 26, 20


class Entry(NamedTuple):
    """A line in a legend. `width`: of its label."""

    line: Line
    number: int
    width: float


def legend_rows(entries: Sequence[Entry], width: float) -> Iterator[list[tuple[float, Entry]]]:
    """Yield rows of entries, each with how far from the left it begins."""
    row: list[tuple[float, Entry]] = []
    x = 0.0
    for entry in entries:
        if row and x + SWATCH + entry.width > width:
            yield row
            row, x = [], 0.0
        row.append((x, entry))
        x += SWATCH + entry.width + _GAP
    if row:
        yield row
