"""Plots made of characters: what is drawn for which values."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.support.inside.charts import Step, limits, short, steps_in
from tests.support.inside.cli import plotted

DAY = date(2026, 3, 1)


def series(*values: int | None) -> list[Step]:
    """Return the steps of one value a day."""
    rows = [{"day": DAY + timedelta(days=n), "size": value} for n, value in enumerate(values)]
    return steps_in(rows, "size")


def drawn(*values: int | None, width: int = 60) -> list[str]:
    """Return the lines between the title and the axis, as ASCII."""
    return plotted("a plot", series(*values), width=width, height=8, plain=True)[1:-2]


def test_equal_days_in_a_row_are_one_step() -> None:
    assert series(None, 1, 1, 2) == [
        Step(DAY, DAY, None),
        Step(DAY + timedelta(days=1), DAY + timedelta(days=2), 1),
        Step(DAY + timedelta(days=3), DAY + timedelta(days=3), 2),
    ]


def test_an_axis_begins_at_zero_unless_that_would_flatten_the_curve() -> None:
    assert limits([1, 9]) == (0, 9)
    assert limits([1400, 1530]) == (1400, 1530)
    assert limits([414]) == (413, 415)
    assert limits([0]) == (0, 1)
    assert limits([-5, 10]) == (-5, 10)


@pytest.mark.parametrize(
    ("value", "span", "label"),
    [
        (0, 10, "0"),
        (1530, 130, "1,530"),
        (10**9, 10**9, "1G"),
        (1_234_567, 10**6, "1.235M"),
        (1_000_000_001, 1, "1,000,000,001"),
        (-2_500_000, 10**7, "-2.5M"),
    ],
)
def test_a_label_is_short_but_never_the_same_as_another(value: int, span: int, label: str) -> None:
    assert short(value, span) == label


def test_a_single_day_is_told_in_words_and_not_drawn_as_a_line() -> None:
    lines = plotted("a plot", series(5), width=60, height=8)
    assert lines == ["a plot", f"one day is known: 5 on {DAY}"]


def test_a_constant_value_is_a_level_line_and_zero_lies_on_the_axis() -> None:
    (line,) = (line for line in drawn(*[414] * 30) if "*" in line)
    assert line.startswith("414 +***")
    assert drawn(*[0] * 30)[-1].startswith("0 +***")


def test_a_jump_is_an_upright_line() -> None:
    lines = drawn(0, 0, 10**9, 10**9)
    assert lines[0].startswith("1G +")
    assert lines[-1].startswith(" 0 +***")
    column = lines[0].index("*")
    assert all(line[column] == "*" for line in lines)


def test_days_without_a_value_are_left_blank() -> None:
    (line,) = (line for line in drawn(None, None, 7, 7) if "*" in line)
    assert line.startswith("7 +" + " " * 20)
    assert plotted("a plot", series(None), width=60, height=8)[1:] == ["no data for these days"]


def test_every_day_of_ten_years_is_in_the_plot() -> None:
    lines = drawn(*range(1000, 4650), 0)
    assert lines[-1].endswith("*")  # the last day alone, at the right edge
    assert lines[0].startswith("4,649 +")


@pytest.mark.parametrize("width", range(1, 120))
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = plotted("a name that is rather long", series(1, 2_000_000), width=width, height=8)
    assert all(len(line) <= width for line in lines)
