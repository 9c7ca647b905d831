"""Counters over time, drawn with characters for a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from string import ascii_lowercase

from rich.cells import cell_len, set_cell_size

from sync.charts.picture import said_of
from sync.charts.scale import limits, short
from sync.charts.steps import Step, days_of, known_days, span_of, values_of
from sync.core.redaction import printable

_NARROWEST = 24  # columns: two dates and a gap
_BLANK = "\u2800"  # the braille character without dots
_NOTHING = "no data for these days"
COLOURS = ("34", "33", "32", "35", "36", "31")  # of a terminal, for lines in their order

# Replacements for a terminal without braille and box-drawing characters.
_PLAIN = {
    **dict.fromkeys(range(0x2801, 0x2900), "*"),
    **str.maketrans({_BLANK: " ", "│": "|", "┤": "+", "└": "+", "─": "-"}),
}


def plotted(
    title: str, steps: Sequence[Step], *, width: int, height: int, plain: bool = False
) -> list[str]:
    """Return the lines of a plot, none longer than `width`; no lines if that is too narrow.

    `height` is the number of lines between the title and the axis; `plain` draws with ASCII
    only. A single day is told in words.
    """
    head = fitted(title, width)
    if not values_of(steps):
        return [head, _NOTHING[:width]]
    if known_days(steps) == 1:
        return [head, fitted(f"one day is known: {said_of(steps)}", width)]
    frame = _Frame.of([steps], width, height)
    if frame is None:
        return []
    lines = [head, *frame.around(_canvas(steps, frame))]
    return [line.translate(_PLAIN) for line in lines] if plain else lines


def overlaid(
    title: str,
    lines: Mapping[str, Sequence[Step]],
    *,
    width: int,
    height: int,
    plain: bool = False,
    colours: bool = False,
) -> list[str]:
    """Return the lines of a plot of several counters, and below it which line is which.

    Each is drawn with a letter of its own; the first one lies above the others.
    """
    head = fitted(title, width)
    known = {label: steps for label, steps in lines.items() if values_of(steps)}
    if not known:
        return [head, _NOTHING[:width]]
    frame = _Frame.of(list(known.values()), width, height)
    if frame is None:
        return []
    letters = dict(zip(lines, ascii_lowercase, strict=False))
    grid = [[" "] * frame.columns for _ in range(height)]
    for label, steps in reversed(known.items()):
        for column, row in _cells(steps, frame):
            grid[height - 1 - row][column] = letters[label]
    drawn = ["".join(row) for row in grid]
    framed = frame.around(drawn)
    if plain:
        framed = [line.translate(_PLAIN) for line in framed]
    keys = [fitted(f"  {letters[label]}  {label}", width) for label in lines]
    if colours:
        margin = frame.margin + 2
        framed[:height] = [line[:margin] + _coloured(line[margin:]) for line in framed[:height]]
        keys = [f"  {_coloured(key[2])}{key[3:]}" for key in keys]
    return [head, *framed, *keys]


def _coloured(text: str) -> str:
    """Return letters in the colours of their lines."""

    def painted(letters: re.Match[str]) -> str:
        number = ascii_lowercase.index(letters[1])
        return f"\x1b[{COLOURS[number % len(COLOURS)]}m{letters[0]}\x1b[0m"

    return re.sub(r"([a-z])\1*", painted, text)


def fitted(text: str, width: int) -> str:
    """Return a text of GitHub's in so many columns."""
    text = printable(text)
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - 3, 0)).rstrip() + "..."[: max(width, 0)]


@dataclass(frozen=True, slots=True)
class _Frame:
    """The axes of a plot. `labels`: of values, by the row from below."""

    low: int
    high: int
    rows: int
    columns: int
    span: tuple[date, date]
    labels: dict[int, str]

    @classmethod
    def of(cls, lines: Sequence[Sequence[Step]], width: int, rows: int) -> _Frame | None:
        """Return the frame for these lines; None if there is no room for it."""
        values = [value for steps in lines for value in values_of(steps)]
        low, high = limits(values)
        labels = {
            _dot(v, low, high, rows) // 4: short(v, high - low) for v in {min(values), max(values)}
        }
        if low == 0:
            labels[0] = "0"
        margin = max(map(len, labels.values()))
        columns = width - margin - 3  # the last column stays free: some terminals would wrap
        if columns < _NARROWEST:
            return None
        return cls(low, high, rows, columns, span_of(lines), labels)

    @property
    def margin(self) -> int:
        return max(map(len, self.labels.values()))

    @property
    def days(self) -> int:
        return (self.span[1] - self.span[0]).days + 1

    def around(self, drawn: Sequence[str]) -> list[str]:
        """Return what is drawn between the axes, with the first and the last day below."""
        lines = []
        for row, line in zip(reversed(range(self.rows)), drawn, strict=True):
            axis = "┤" if row in self.labels else "│"
            label = f"{self.labels.get(row, ''):>{self.margin}}"
            lines.append(f"{label} {axis}{line}".rstrip(f" {_BLANK}"))
        lines.append(f"{'':{self.margin}} └{'─' * self.columns}")
        first, last = map(str, self.span)
        dates = first if first == last else first + last.rjust(self.columns - len(first))
        return [*lines, f"{'':{self.margin}}  {dates}"]


def _canvas(steps: Sequence[Step], frame: _Frame) -> list[str]:
    """Return the lines of the curve: all days equally wide, changes vertical."""
    from plotille import Canvas

    wide = frame.columns * 2  # dots; a braille character has 2 by 4
    canvas = Canvas(frame.columns, frame.rows, 0, 0, wide, frame.rows * 4)
    start, days = steps[0].first, days_of(steps)
    before: int | None = None
    for step in steps:
        if step.value is None:
            before = None
            continue
        height = _dot(step.value, frame.low, frame.high, frame.rows)
        left = (step.first - start).days * wide // days
        right = ((step.last - start).days + 1) * wide // days - 1
        canvas.line(left, height, max(left, right), height)
        if before is not None:
            canvas.line(left, before, left, height)
        before = height
    return str(canvas.plot(linesep="\n")).split("\n")


def _cells(steps: Sequence[Step], frame: _Frame) -> list[tuple[int, int]]:
    """Return the characters of a curve: columns, and rows from below."""
    cells: list[tuple[int, int]] = []
    before: int | None = None
    for step in steps:
        if step.value is None:
            before = None
            continue
        row = _dot(step.value, frame.low, frame.high, frame.rows) // 4
        left = (step.first - frame.span[0]).days * frame.columns // frame.days
        right = ((step.last - frame.span[0]).days + 1) * frame.columns // frame.days
        if before is not None:
            cells += ((left, each) for each in range(min(before, row), max(before, row)))
        cells += ((column, row) for column in range(left, max(right, left + 1)))
        before = row
    return cells


def _dot(value: int, low: int, high: int, rows: int) -> int:
    """Return the height of a value in dots above the lowest dot."""
    return (value - low) * (rows * 4 - 1) // (high - low)
