"""A picture as PNG. The only file that knows matplotlib.

It is imported only for a PNG: matplotlib is an extra, and slow to load.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterator
from datetime import date
from typing import Any

from sync.charts.colours import DARK, LIGHT, Palette
from sync.charts.picture import Line, Panel, Picture, Theme
from sync.charts.plane import Plane
from sync.charts.scale import day_ticks, short
from sync.charts.steps import span_of
from sync.core.extras import needed_for
from sync.core.redaction import printable

_WIDTH = 8.0  # inches
_LONGEST_TITLE = 70  # characters that fit at the usual size


def drawn(picture: Picture, theme: Theme) -> bytes:
    """Return the picture as a PNG. Raises ConfigError if matplotlib is missing."""
    palette = DARK if theme is Theme.dark else LIGHT
    with _quietly():
        os.environ["MPLBACKEND"] = "agg"  # draws without a window; a wrong name would fail
        with needed_for("a PNG", "matplotlib"):
            import matplotlib as mpl
            from matplotlib.figure import Figure
        with mpl.rc_context():
            mpl.rcdefaults()  # ignore the user's settings for other pictures
            mpl.rcParams.update(_style(palette))
            height = 0.9 + 2.6 * len(picture.panels)
            figure = Figure((_WIDTH, height), dpi=144, layout="constrained")
            figure.set_facecolor(palette.paper)
            # A name is data: a $ in it must not begin a formula.
            text = printable(picture.title)
            size = 13 * min(1, _LONGEST_TITLE / max(len(text), 1))
            figure.suptitle(
                *(text,), fontsize=max(size, 4), parse_math=False, x=0.01, ha="left", weight="bold"
            )
            grid = figure.subplots(len(picture.panels), 1, squeeze=False)
            spans = [line.steps for panel in picture.panels for line in panel.lines if line.steps]
            span = span_of(spans) if spans else None
            for axes, panel in zip(grid[:, 0], picture.panels, strict=True):
                _draw_panel(axes, panel, span, palette)
            bytes_ = io.BytesIO()
            figure.savefig(bytes_, format="png", metadata={"Software": None})
    return bytes_.getvalue()


def _style(palette: Palette) -> dict[Any, Any]:
    inked = ("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor")
    return {"path.simplify": False, **dict.fromkeys(inked, palette.ink)}


def _draw_panel(axes: Any, panel: Panel, span: tuple[date, date] | None, palette: Palette) -> None:
    heading = f"{panel.title} – {panel.note}" if panel.note else panel.title
    plain: dict[str, Any] = {"parse_math": False, "color": palette.faint}
    axes.set_title(printable(heading), loc="left", fontsize=9, **plain)
    axes.set_facecolor(palette.paper)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axis = panel.axis
    if axis is None or span is None:
        centred: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "center"}
        axes.text(0.5, 0.5, "no data for these days", **centred)
        axes.set_yticks([])
        axes.set_xticks([])
        return
    # The same plane as in an SVG, of one unit each way.
    plane = Plane(0, 1, 0, 1, span, axis)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    labels = [short(tick, axis.high - axis.low).replace("-", "−") for tick in axis.ticks]
    axes.set_yticks([1 - plane.y(tick) for tick in axis.ticks], labels, fontsize=8)
    days = day_ticks(*span)
    axes.set_xticks([plane.tick(day) for day, _ in days], [label for _, label in days], fontsize=8)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=True, axis="y", color=palette.grid, linewidth=0.8)
    handles = {number: _draw(axes, line, number, plane, palette) for number, line in panel.drawn}
    if len(panel.lines) > 1:
        looks: dict[str, Any] = {"fontsize": 8, "frameon": False, "ncols": 2}
        legend = axes.legend(handles=[handles[n] for n in sorted(handles)], loc="best", **looks)
        for text in legend.get_texts():
            text.set_parse_math(False)


def _draw(axes: Any, line: Line, number: int, plane: Plane, palette: Palette) -> Any:
    # Above the axes and not clipped, so that a line of zeros is visible.
    look: dict[str, Any] = {"color": palette.line(number), "clip_on": False, "zorder": 3}
    look |= {"linewidth": 1.6, "linestyle": (0, (4, 2)) if line.dashed else "-"}
    xs: list[float] = []
    ys: list[float] = []
    for stroke in plane.strokes(line.steps):
        if plane.is_dot(stroke):
            x, y = plane.middle(stroke)
            axes.plot([x], [1 - y], "o", markersize=5, **{**look, "linestyle": ""})
            continue
        xs += [*(x for x, _ in stroke), float("nan")]
        ys += [*(1 - y for _, y in stroke), float("nan")]
    return axes.plot(xs, ys, label=printable(line.label), **look)[0]


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Silence matplotlib's messages about its fonts and folders.

    It logs that its cache is in a temporary folder, warns of characters missing in its
    fonts, and starts `fc-list`, which writes to stderr if HOME is read-only.
    """
    import logging  # not at the start of every command

    logging.getLogger("matplotlib").setLevel(logging.CRITICAL)
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
