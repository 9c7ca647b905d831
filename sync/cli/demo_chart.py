"""The chart that the demo leaves: the stars of a repository by the day, as an SVG. No I/O here.

`repoledger history` draws more, with matplotlib, which the demo does without: a first installation
does not have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape

_WIDTH, _HEIGHT = 800, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 24, 64, 44
_STEPS = (1, 2, 5)

_SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"
 font-family="system-ui, sans-serif" font-size="13">
<title>{title}</title>
<style>
.ground {{ fill: #ffffff }} .text {{ fill: #57606a }} .name {{ fill: #1f2328 }}
.grid {{ stroke: #d8dee4 }} .line {{ stroke: #0969da }} .area {{ fill: #0969da; opacity: 0.12 }}
@media (prefers-color-scheme: dark) {{
.ground {{ fill: #0d1117 }} .text {{ fill: #9198a1 }} .name {{ fill: #f0f6fc }}
.grid {{ stroke: #30363d }} .line {{ stroke: #4493f8 }} .area {{ fill: #4493f8 }}
}}
</style>
<rect class="ground" width="{width}" height="{height}"/>
<text class="name" x="{left}" y="28" font-size="18">{title}</text>
<text class="text" x="{left}" y="48">{subtitle}</text>
{parts}
</svg>
"""


def star_chart(name: str, days: Sequence[tuple[date, int]]) -> str:
    """Return an SVG of the stars of the repository `name` on these days, at least one."""
    counts = [count for _, count in days]
    ticks = nice_ticks(min(counts), max(counts))
    low, high = ticks[0], ticks[-1]
    wide, tall = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    foot = _TOP + tall

    def x(at: float) -> float:
        return round(_LEFT + wide * at / max(len(days) - 1, 1), 1)

    def y(count: float) -> float:
        return round(foot - tall * (count - low) / (high - low), 1)

    parts = [
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(tick)}" y2="{y(tick)}"/>\n'
        f'<text class="text" x="{_LEFT - 10}" y="{y(tick) + 4}" text-anchor="end">{tick:,}</text>'
        for tick in ticks
    ]
    for at in sorted({round(part * (len(days) - 1) / 4) for part in range(5)}):
        anchor = "start" if at == 0 else "end" if at == len(days) - 1 else "middle"
        parts.append(
            f'<text class="text" x="{x(at)}" y="{foot + 24}" text-anchor="{anchor}">'
            f"{days[at][0]:%d %b}</text>"
        )
    line = " ".join(f"{x(at)},{y(count)}" for at, count in enumerate(counts))
    area = f"{x(0)},{foot} {line} {x(len(days) - 1)},{foot}"
    parts.append(f'<polygon class="area" points="{area}"/>')
    parts.append(f'<polyline class="line" fill="none" stroke-width="2.5" points="{line}"/>')
    return _SVG.format(
        width=_WIDTH,
        height=_HEIGHT,
        left=_LEFT,
        title=escape(f"Stars of {name}"),
        subtitle=f"{counts[-1]:,}, {counts[-1] - counts[0]:+,} since {days[0][0]:%d %B %Y}",
        parts="\n".join(parts),
    )


def nice_ticks(low: int, high: int) -> list[int]:
    """Return round numbers from at most `low` to at least `high`, from three to seven."""
    span = max(high - low, 2)
    size = 1
    while not any(span / (step * size) <= 5 for step in _STEPS):
        size *= 10
    step = next(step * size for step in _STEPS if span / (step * size) <= 5)
    first = low // step * step
    return list(range(first, max(high, first + 2 * step) + step, step))
