"""A counter over time, drawn with characters for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from sync.cli.counters import Step, days_of, limits, short, values_of
from sync.core.redaction import printable

_NARROWEST = 24  # columns: two dates and a gap
_BLANK = "\u2800"  # the braille character without dots

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
    only.
    """
    title = printable(title)
    title = title if len(title) <= width else title[: max(width - 3, 0)] + "..."
    values = values_of(steps)
    if not values:
        return [title, "no data for these days"[:width]]
    low, high = limits(values)
    labels = {_row(v, low, high, height): short(v, high - low) for v in {min(values), max(values)}}
    if low == 0:
        labels[0] = "0"
    margin = max(map(len, labels.values()))
    columns = width - margin - 3  # the last column stays free: some terminals would wrap
    if columns < _NARROWEST:
        return []
    drawn = _canvas(steps, low, high, columns, height)
    lines = [title]
    for row, line in zip(reversed(range(height)), drawn, strict=True):
        axis = "┤" if row in labels else "│"
        lines.append(f"{labels.get(row, ''):>{margin}} {axis}{line}".rstrip(f" {_BLANK}"))
    lines.append(f"{'':{margin}} └{'─' * columns}")
    lines.append(f"{'':{margin}}  {_dates(steps, columns)}")
    return [line.translate(_PLAIN) for line in lines] if plain else lines


def _canvas(steps: Sequence[Step], low: int, high: int, columns: int, rows: int) -> list[str]:
    """Return the lines of the curve: all days equally wide, changes vertical."""
    from plotille import Canvas

    wide = columns * 2  # dots; a braille character has 2 by 4
    canvas = Canvas(columns, rows, 0, 0, wide, rows * 4)
    start, days = steps[0].first, days_of(steps)
    before: int | None = None
    for step in steps:
        if step.value is None:
            before = None
            continue
        height = _dot(step.value, low, high, rows)
        left = (step.first - start).days * wide // days
        right = ((step.last - start).days + 1) * wide // days - 1
        canvas.line(left, height, max(left, right), height)
        if before is not None:
            canvas.line(left, before, left, height)
        before = height
    return str(canvas.plot(linesep="\n")).split("\n")


def _dot(value: int, low: int, high: int, rows: int) -> int:
    """Return the height of a value in dots above the lowest dot."""
    return (value - low) * (rows * 4 - 1) // (high - low)


def _row(value: int, low: int, high: int, rows: int) -> int:
    return _dot(value, low, high, rows) // 4


def _dates(steps: Sequence[Step], columns: int) -> str:
    first, last = str(steps[0].first), str(steps[-1].last)
    return first if first == last else first + last.rjust(columns - len(first))
