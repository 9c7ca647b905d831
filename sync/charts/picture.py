"""The panels of a picture, with their lines and words. No I/O here."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from sync.charts.scale import Axis, axis_of
from sync.charts.steps import Step, known_days, reach_of, values_of


class Theme(StrEnum):
    """The colours of a picture; `auto`: those of the reader's device, where a format can."""

    auto = "auto"
    light = "light"
    dark = "dark"


class Line(NamedTuple):
    """A line in a picture. `name`: its id in an SVG. `dashed`: told apart from the others."""

    name: str
    label: str
    steps: Sequence[Step]
    dashed: bool = False


class Panel(NamedTuple):
    """Lines on the same axes, under a title."""

    title: str
    lines: Sequence[Line]

    @property
    def drawn(self) -> list[tuple[int, Line]]:
        """The lines with their numbers, from the lowest to the one that lies above the others.

        The first line is the most important one; what is dashed lies above it, with holes.
        """
        numbered = list(enumerate(self.lines))[::-1]
        return sorted(numbered, key=lambda each: each[1].dashed)

    @property
    def axis(self) -> Axis | None:
        """The axis of values; None if nothing is known."""
        values = [value for line in self.lines for value in values_of(line.steps)]
        return axis_of(values) if values else None

    @property
    def note(self) -> str:
        """The sentence about an axis that does not begin at 0; "" for one that does."""
        axis = self.axis
        if axis is None or axis.low == 0:
            return ""
        return f"the axis begins at {axis.low:,}, not at 0".replace("-", "−")


class Picture(NamedTuple):
    """Panels, one below the other, with the same days."""

    title: str
    panels: Sequence[Panel]

    @property
    def described(self) -> str:
        """The picture in words, for those who do not see it."""
        said = [
            f"{line.label}: {said_of(line.steps)}." for panel in self.panels for line in panel.lines
        ]
        notes = [f"{panel.title}: {panel.note}." for panel in self.panels if panel.note]
        return " ".join((*said, *notes))


def said_of(steps: Sequence[Step]) -> str:
    """Return a line in words: its first and last known value, with their days."""
    known = [step for step in steps if step.value is not None]
    if not known:
        return "no data for these days"
    first, last = known[0], known[-1]
    if known_days(steps) == 1:
        return f"{first.value:,} on {first.first}"
    return f"{first.value:,} on {first.first}, {last.value:,} on {last.last}"


def headline(subject: str, label: str, steps: Sequence[Step]) -> str:
    """Return a title with the last value of a counter and its change.

    An example: "ada/gravel: 1,530 stars, +400 in 30 days".
    """
    values, reach = values_of(steps), reach_of(steps)
    if reach is None:
        return f"{subject}: {label}"
    first = next(step.first for step in steps if step.value is not None)
    days = (reach - first).days
    now = f"{subject}: {counted(values[-1], label)}"
    return f"{now}, {changed(values[-1] - values[0])} in {_days(days)}" if days else now


def summed_up(subject: str, label: str, steps: Sequence[Step]) -> str:
    """Return a title with the sum of what is counted a day."""
    known = [step for step in steps if step.value is not None]
    if not known:
        return f"{subject}: {label}"
    total = sum((step.value or 0) * ((step.last - step.first).days + 1) for step in known)
    return (
        f"{subject}: {counted(total, label)} in {_days(known_days(steps))} until {known[-1].last}"
    )


def counted(value: int, label: str) -> str:
    return f"{value:,} {label[:-1] if value == 1 and label.endswith('s') else label}"


def changed(difference: int) -> str:
    """Return a difference with its sign; 0 has ±."""
    sign = "+" if difference > 0 else "−" if difference else "±"
    return f"{sign}{abs(difference):,}"


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days:,} days"
