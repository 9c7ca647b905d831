"""A picture as SVG. Equal pictures are equal bytes. No I/O here."""

from __future__ import annotations

from datetime import date
from unicodedata import east_asian_width
from xml.sax.saxutils import escape

from sync.charts.colours import DARK, LIGHT, Palette
from sync.charts.legend import SWATCH, Entry, legend_rows
from sync.charts.picture import Line, Panel, Picture, Theme
from sync.charts.plane import Plane
from sync.charts.scale import Axis, day_ticks, short
from sync.charts.steps import span_of
from sync.core.redaction import printable

WIDTH = 760
_LEFT, _RIGHT = 24, 44  # the labels of days reach into the margins
_TITLE, _HEAD, _FEET, _BETWEEN = 44, 26, 30, 14
_PLOT = 200
_ROW = 18  # of a legend
_LARGE, _MIDDLE, _SMALL = 17, 13, 12
_SMALLEST = 9
_BOLD = 1.15  # times as wide
_MANY = 8  # lines, after which dashes tell them apart


def drawn(picture: Picture, theme: Theme = Theme.auto) -> str:
    """Return the picture as the text of an SVG file."""
    body: list[str] = []
    top = _TITLE
    spans = [line.steps for panel in picture.panels for line in panel.lines if line.steps]
    span = span_of(spans) if spans else None
    left = max((_left_of(panel) for panel in picture.panels), default=_LEFT)
    for panel in picture.panels:
        top = _draw_panel(body, panel, span, left, top)
    title = printable(picture.title)
    room = (WIDTH - 2 * _LEFT) / _BOLD
    size = max(_SMALLEST, min(_LARGE, room / max(_ems(title), 1)))
    head = _text(_LEFT, 28, _cut(title, room / size), "ink", f"{size:.3g}", bold=True)
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            _opening(top),
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(printable(picture.described))}</desc>",
            f"<style>{_style(theme)}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{top}"/>',
            head,
            *body,
            "</svg>\n",
        )
    )


def _opening(height: int) -> str:
    fonts = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="{fonts}">'
    )


def _style(theme: Theme) -> str:
    if theme is not Theme.auto:
        return _rules(DARK if theme is Theme.dark else LIGHT)
    return f"{_rules(LIGHT)} @media (prefers-color-scheme: dark) {{ {_rules(DARK)} }}"


def _rules(palette: Palette) -> str:
    lines = (
        f".l{number} {{ stroke: {colour}; color: {colour} }}"
        for number, colour in enumerate(palette.lines)
    )
    return " ".join(
        (
            f".paper {{ fill: {palette.paper} }} .ink {{ fill: {palette.ink} }}",
            f".faint {{ fill: {palette.faint} }} .grid {{ stroke: {palette.grid} }}",
            f".axis {{ stroke: {palette.faint} }}",
            *lines,
        )
    )


def _draw_panel(
    body: list[str], panel: Panel, span: tuple[date, date] | None, left: float, top: int
) -> int:
    """Add a panel below `top`, and return where it ends."""
    axis = panel.axis
    heading = f"{panel.title} – {panel.note}" if panel.note else panel.title
    body.append(_text(_LEFT, top + 12, printable(heading), "faint", _MIDDLE))
    top += _HEAD
    if axis is None or span is None:
        body.append(
            _text(WIDTH / 2, top + 30, "no data for these days", "ink", _MIDDLE, anchor="middle")
        )
        return top + 60
    if len(panel.lines) > 1:
        entries = [
            Entry(line, number, _ems(line.label) * _SMALL)
            for number, line in enumerate(panel.lines)
        ]
        for row in legend_rows(entries, WIDTH - _LEFT - _RIGHT):
            body += (_key(entry, _LEFT + x, top) for x, entry in row)
            top += _ROW
        top += 8
    plane = Plane(left, WIDTH - _RIGHT, top, top + _PLOT, span, axis)
    for tick, label in _labels(axis).items():
        y = plane.y(tick)
        kind = "axis" if tick == axis.low else "grid"
        body.append(_rule(left, y, plane.right, y, kind))
        body.append(_text(left - 8, y + 4, label, "faint", _SMALL, anchor="end"))
    for day, label in day_ticks(*span):
        x = plane.tick(day)
        body.append(_rule(x, plane.bottom, x, plane.bottom + 5, "axis"))
        body.append(_text(x, plane.bottom + 20, label, "faint", _SMALL, anchor="middle"))
    body += [_curve(line, number, plane) for number, line in panel.drawn]
    return top + _PLOT + _FEET + _BETWEEN


def _labels(axis: Axis) -> dict[int, str]:
    span = axis.high - axis.low
    return {tick: short(tick, span).replace("-", "−") for tick in axis.ticks}


def _left_of(panel: Panel) -> float:
    """Return where a plot begins, so that there is room for the labels of its values."""
    axis = panel.axis
    widest = max(map(_ems, _labels(axis).values())) if axis else 0
    return _LEFT + max(30, 8 + widest * _SMALL)


def _curve(line: Line, number: int, plane: Plane) -> str:
    """Return a line: a step for each value, a gap where it is unknown, a dot for a single day."""
    strokes, dots = [], []
    for stroke in plane.strokes(line.steps):
        if plane.is_dot(stroke):
            x, y = plane.middle(stroke)
            dots.append(f'<circle cx="{x:.4g}" cy="{y:.4g}" r="3.5" fill="currentColor"/>')
        else:
            strokes.append("L".join(f"{x:.5g} {y:.5g}" for x, y in stroke))
    path = f'<path d="M{"M".join(strokes)}"/>' if strokes else ""
    return (
        f'<g id="{escape(line.name)}" class="l{number % _MANY}" fill="none" stroke-width="2" '
        f'stroke-linejoin="round"{_dashes(line, number)}>'
        f"<title>{escape(printable(line.label))}</title>{path}{''.join(dots)}</g>"
    )


def _dashes(line: Line, number: int) -> str:
    if line.dashed:
        return ' stroke-dasharray="5 3"'
    return ' stroke-dasharray="1.5 2.5"' if number >= _MANY else ""


def _key(entry: Entry, x: float, y: float) -> str:
    swatch = (
        f'<line x1="{x:.4g}" y1="{y + 5}" x2="{x + 20:.4g}" y2="{y + 5}" stroke-width="2.5" '
        f'class="l{entry.number % _MANY}"{_dashes(entry.line, entry.number)}/>'
    )
    label = _cut(printable(entry.line.label), (WIDTH - _LEFT - _RIGHT - SWATCH) / _SMALL)
    return swatch + _text(x + SWATCH, y + 9, label, "ink", _SMALL)


def _rule(x: float, y: float, to_x: float, to_y: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x:.5g}" y1="{y:.5g}" x2="{to_x:.5g}" y2="{to_y:.5g}"/>'


def _text(
    x: float,
    y: float,
    text: str,
    kind: str,
    size: float | str,
    *,
    anchor: str = "",
    bold: bool = False,
) -> str:
    where = f' text-anchor="{anchor}"' if anchor else ""
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text class="{kind}" x="{x:.5g}" y="{y:.5g}" font-size="{size}"{where}{weight}>'
        f"{escape(text)}</text>"
    )


def _ems(text: str) -> float:
    """Return about how wide a text is, in its own size: fonts differ."""
    return sum(_em(character) for character in text)


def _em(character: str) -> float:
    if east_asian_width(character) in "WF":
        return 1.0
    return 0.3 if character in " .,:il'|" else 0.58


def _cut(text: str, ems: float) -> str:
    if _ems(text) <= ems:
        return text
    kept = text
    while kept and _ems(kept) + 0.6 > ems:
        kept = kept[:-1]
    return f"{kept}…"
