"""Counters over time as a picture: SVG or PNG. The only file that knows matplotlib.

It is imported when a chart is asked for, and only then: matplotlib is an extra
that may not be installed, and takes its time to load.
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

from sync.cli.counters import LABELS, Counter, Step, days_of, limits, short, values_of
from sync.redaction import printable

# The same data becomes the same bytes, and the texts of an SVG can be searched and read aloud.
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


def drawn(title: str, panels: Mapping[Counter, Sequence[Step]], fmt: str) -> bytes:
    """Return a picture with a panel for each counter; `fmt` is "svg" or "png"."""
    with mpl.rc_context():
        mpl.rcdefaults()  # whatever the user has set for other pictures
        mpl.rcParams.update(_STYLE)
        height = 3.5 if len(panels) == 1 else 0.8 + 1.5 * len(panels)
        figure = Figure(figsize=(_WIDTH, height), dpi=144, layout="constrained")
        # A name is data: no $ in it begins a formula, no control character breaks the XML.
        text = printable(title)
        size = 14 * min(1, _LONGEST_TITLE / max(len(text), 1))
        figure.suptitle(text, fontsize=max(size, 4), parse_math=False)
        grid = figure.subplots(len(panels), 1, sharex=True, squeeze=False)
        for axes, (counter, steps) in zip(grid[:, 0], panels.items(), strict=True):
            axes.set_title(LABELS[counter], loc="left", fontsize=10)
            _draw(axes, counter, steps)
        _date_axis(grid[-1, 0], next(iter(panels.values())))
        picture = io.BytesIO()
        figure.savefig(picture, format=fmt, metadata=_METADATA[fmt])
    return picture.getvalue()


def _draw(axes: Axes, counter: Counter, steps: Sequence[Step]) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    values = values_of(steps)
    if not values:
        centred: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "center"}
        axes.text(0.5, 0.5, "not known of those days", **centred)
        axes.set_yticks([])
        return
    low, high = limits(values)
    margin = (high - low) * 0.06
    axes.set_ylim(low - margin if low else 0, high + margin)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value, high - low)))
    axes.grid(visible=True, color="0.9", linewidth=0.8)
    # A value holds to the end of its last day, so that one known for a single day shows too.
    times = [date2num(step.first) for step in steps] + [_end(steps)]
    known = [float("nan") if step.value is None else float(step.value) for step in steps]
    # Above the axes and not cut off at their edge, or a line of zeros would be hard to see. An SVG
    # gets the counter's name as the id of its line.
    look: dict[str, Any] = {"linewidth": 1.8, "clip_on": False, "zorder": 3, "gid": counter.value}
    axes.step(times, [*known, known[-1]], where="post", **look)


def _end(steps: Sequence[Step]) -> float:
    return float(date2num(steps[-1].last + timedelta(days=1)))


def _date_axis(axes: Axes, steps: Sequence[Step]) -> None:
    if not steps:
        axes.set_xticks([])
        return
    # Short of midnight, or the axis would name the day after.
    last = datetime.combine(steps[-1].last, time(23, 59, 59))
    axes.set_xlim(float(date2num(steps[0].first)), float(date2num(last)))
    few = days_of(steps) <= 7
    axes.xaxis.set_major_locator(DayLocator() if few else AutoDateLocator(minticks=3, maxticks=8))
    axes.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d"))
