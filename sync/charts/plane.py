"""Where days and values lie in a plot. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from sync.charts.scale import Axis
from sync.charts.steps import Step

Point = tuple[float, float]
_SHORTEST = 0.005  # of the width, a stroke; anything shorter is a dot
_FEW = 15  # days, whose ticks are in their middle


class Plane(NamedTuple):
    """The rectangle of a plot, its days and its axis of values."""

    left: float
    right: float
    top: float
    bottom: float
    span: tuple[date, date]
    axis: Axis

    @property
    def _days(self) -> int:
        return (self.span[1] - self.span[0]).days + 1

    def x(self, day: date) -> float:
        """Return where a day begins."""
        return self.left + (self.right - self.left) * (day - self.span[0]).days / self._days

    def end(self, day: date) -> float:
        """Return where a day ends."""
        return self.x(day) + (self.right - self.left) / self._days

    def tick(self, day: date) -> float:
        """Return where the tick of a day lies: in its middle, where days are wide."""
        return (self.x(day) + self.end(day)) / 2 if self._days <= _FEW else self.x(day)

    def y(self, value: float) -> float:
        low, high, _ = self.axis
        return self.bottom - (self.bottom - self.top) * (value - low) / (high - low)

    def strokes(self, steps: Sequence[Step]) -> Iterator[list[Point]]:
        """Yield the corners of each part of a line; there is no part where it is unknown."""
        part: list[Point] = []
        for step in steps:
            if step.value is None:
                if part:
                    yield part
                part = []
                continue
            y = self.y(step.value)
            part += [(self.x(step.first), y), (self.end(step.last), y)]
        if part:
            yield part

    def is_dot(self, stroke: Sequence[Point]) -> bool:
        """Return whether a part is one day that would be all of the plot, or too short to see."""
        width = (stroke[-1][0] - stroke[0][0]) / (self.right - self.left)
        return self._days == 1 or (len(stroke) == 2 and width < _SHORTEST)

    def middle(self, stroke: Sequence[Point]) -> Point:
        return (stroke[0][0] + stroke[-1][0]) / 2, stroke[0][1]
