"""Counters over time as a picture: SVG or PNG. The only file that knows matplotlib.

It is imported only for a chart: matplotlib is an extra, and slow to load.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter, DayLocator, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sync.cli.counters import Series, Step, days_of, limits, reach_of, short, values_of
from sync.core.redaction import printable

# Equal data makes equal bytes, and texts in an SVG can be searched and read aloud.
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "repoledger",
    "svg.fonttype": "none",
    "path.simplify": False,
}
_METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}
_WIDTH = 8.0  # inches
_LONGEST_TITLE = 70  # characters that fit at the usual size


Lines = Mapping[Series, Sequence[Step]]


def drawn(title: str, lines: Lines, fmt: str) -> bytes:
    """Return a picture with the lines in their panels; `fmt` is "svg" or "png"."""
    panels: dict[str, dict[Series, Sequence[Step]]] = {}
    for series, steps in lines.items():
        panels.setdefault(series.panel, {})[series] = steps
    with mpl.rc_context():
        mpl.rcdefaults()  # ignore the user's settings for other pictures
        mpl.rcParams.update(_STYLE)
        height = 3.5 if len(panels) == 1 else 0.8 + 1.5 * len(panels)
        figure = Figure(figsize=(_WIDTH, height), dpi=144, layout="constrained")
        # A name is data: a $ in it must not begin a formula, a control character not break XML.
        text = printable(title)
        size = 14 * min(1, _LONGEST_TITLE / max(len(text), 1))
        figure.suptitle(text, fontsize=max(size, 4), parse_math=False)
        grid = figure.subplots(len(panels), 1, sharex=True, squeeze=False)
        for axes, panel in zip(grid[:, 0], panels.values(), strict=True):
            _draw_panel(axes, panel)
        _date_axis(grid[-1, 0], next(iter(lines.values())))
        picture = io.BytesIO()
        figure.savefig(picture, format=fmt, metadata=_METADATA[fmt])
    return picture.getvalue()


def _draw_panel(axes: Axes, lines: Lines) -> None:
    first, *others = lines
    # Of several lines a legend tells until when each one is known.
    axes.set_title(first.panel if others else _label(first, lines[first]), loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    values = [value for steps in lines.values() for value in values_of(steps)]
    if not values:
        centred: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "center"}
        axes.text(0.5, 0.5, "no data for these days", **centred)
        axes.set_yticks([])
        return
    low, high = limits(values)
    margin = (high - low) * 0.06
    axes.set_ylim(low - margin if low else 0, high + margin)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value, high - low)))
    axes.grid(visible=True, color="0.9", linewidth=0.8)
    for number, (series, steps) in enumerate(lines.items()):
        if values_of(steps):
            _draw(axes, series, steps, dashed=number > 0)
    if others:
        axes.legend(loc="best", fontsize=8, frameon=False)


def _label(series: Series, steps: Sequence[Step]) -> str:
    reach = None if series.filled else reach_of(steps)
    return f"{series.label}, until {reach}" if reach else series.label


def _draw(axes: Axes, series: Series, steps: Sequence[Step], *, dashed: bool) -> None:
    # A value lasts to the end of its day, so that a single day is visible.
    times = [date2num(step.first) for step in steps] + [_end(steps)]
    known = [float("nan") if step.value is None else float(step.value) for step in steps]
    # Above the axes and not clipped, so that a line of zeros is visible. The id of the line in
    # an SVG is the counter's name.
    look: dict[str, Any] = {"linewidth": 1.8, "clip_on": False, "zorder": 3, "gid": series.name}
    if dashed:
        look |= {"linewidth": 1.4, "linestyle": (0, (3, 1.5))}
    axes.step(times, [*known, known[-1]], where="post", label=_label(series, steps), **look)


def _end(steps: Sequence[Step]) -> float:
    return float(date2num(steps[-1].last + timedelta(days=1)))


def _date_axis(axes: Axes, steps: Sequence[Step]) -> None:
    if not steps:
        axes.set_xticks([])
        return
    # Just before midnight; otherwise the axis would name the next day.
    last = datetime.combine(steps[-1].last, time(23, 59, 59))
    axes.set_xlim(float(date2num(steps[0].first)), float(date2num(last)))
    few = days_of(steps) <= 7
    axes.xaxis.set_major_locator(DayLocator() if few else AutoDateLocator(minticks=3, maxticks=8))
    axes.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d"))
