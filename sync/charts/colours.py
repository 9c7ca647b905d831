"""The colours of pictures, light and dark. No I/O here."""

from __future__ import annotations

from typing import NamedTuple


class Palette(NamedTuple):
    """The colours of a theme. `lines`: in their order; each has enough contrast."""

    paper: str
    ink: str
    faint: str
    grid: str
    lines: tuple[str, ...]

    def line(self, number: int) -> str:
        return self.lines[number % len(self.lines)]


LIGHT = Palette(
    *("#ffffff", "#1f2328", "#59636e", "#d8dee4"),
    ("#0969da", "#bc4c00", "#1a7f37", "#8250df", "#bf3989", "#9a6700", "#0a7ea4", "#57606a"),
)
DARK = Palette(
    *("#0d1117", "#f0f6fc", "#9198a1", "#2a313a"),
    ("#58a6ff", "#f0883e", "#3fb950", "#bc8cff", "#f778ba", "#d29922", "#39c5cf", "#8b949e"),
)
