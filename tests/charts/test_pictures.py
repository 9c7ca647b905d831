"""Pictures of counters: their axes, their words, and what an SVG holds."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from tests.support.inside.charts import (
    Line,
    Panel,
    Picture,
    Step,
    Theme,
    axis_of,
    day_ticks,
    drawn,
    headline,
    sparkline,
    steps_in,
)

DAY = date(2026, 10, 30)
SVG = "{http://www.w3.org/2000/svg}"


def steps(*values: int | None) -> list[Step]:
    """Return the steps of one value a day."""
    rows = [{"day": DAY + timedelta(days=n), "c": value} for n, value in enumerate(values)]
    return steps_in(rows, "c")


def svg(*lines: Line, title: str = "a title", theme: Theme = Theme.auto) -> ElementTree.Element:
    return ElementTree.fromstring(drawn(Picture(title, [Panel("stars", lines)]), theme))


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([3, 447], [0, 200, 400, 600]),
        ([1130, 1223], [1100, 1150, 1200, 1250]),
        ([0], [0, 1]),
        ([7], [6, 7, 8]),
        ([10**15, 10**15 + 1], [10**15, 10**15 + 1]),
    ],
)
def test_ticks_are_at_round_numbers_and_the_axis_ends_with_one(
    values: list[int], ticks: list[int]
) -> None:
    assert list(axis_of(values).ticks) == ticks


@pytest.mark.parametrize("days", [0, 1, 6, 13, 30, 59, 100, 365, 800, 1826, 9000, 100_000])
def test_days_have_ticks_at_even_distances_and_not_too_many(days: int) -> None:
    first = date(1900, 3, 17)
    ticks = [day for day, _ in day_ticks(first, first + timedelta(days=days))]
    assert 1 <= len(ticks) <= 8
    assert first <= ticks[0] <= ticks[-1] <= first + timedelta(days=days)
    gaps = [(b - a).days for a, b in pairwise(ticks)]
    assert not gaps or max(gaps) - min(gaps) <= max(gaps) / 8  # months and years differ


def test_a_title_has_the_last_value_and_the_change() -> None:
    assert headline("ada/gravel", "stars", steps(1130, None, 1530)) == (
        "ada/gravel: 1,530 stars, +400 in 2 days"
    )
    assert headline("ada/gravel", "stars", steps(3, 1)) == "ada/gravel: 1 star, −2 in 1 day"
    assert headline("ada/gravel", "stars", steps(50)) == "ada/gravel: 50 stars"
    assert headline("ada/gravel", "stars", steps(None)) == "ada/gravel: stars"


def test_one_day_is_a_dot_and_unknown_days_are_a_gap() -> None:
    (line,) = svg(Line("stars", "stars", steps(50))).iterfind(f".//{SVG}g[@id='stars']")
    assert (len(line.findall(f"{SVG}circle")), line.find(f"{SVG}path")) == (1, None)
    (line,) = svg(Line("s", "stars", steps(5, 6, None, 7))).iterfind(f".//{SVG}g[@id='s']")
    path = line.find(f"{SVG}path")
    assert path is not None
    assert path.attrib["d"].count("M") == 2


def test_a_picture_is_told_to_those_who_do_not_see_it() -> None:
    picture = svg(Line("stars", "stars", steps(1130, 1223)), title="ada/gravel: <b>\x1b")
    assert picture.attrib["role"] == "img"
    assert picture.findtext(f"{SVG}title") == r"ada/gravel: <b>\x1b"
    assert picture.findtext(f"{SVG}desc") == (
        "stars: 1,130 on 2026-10-30, 1,223 on 2026-10-31. "
        "stars: the axis begins at 1,100, not at 0."
    )


def test_a_picture_follows_the_colours_of_its_reader_unless_they_are_chosen() -> None:
    rules = {theme: svg(theme=theme).findtext(f"{SVG}style") or "" for theme in Theme}
    assert "prefers-color-scheme: dark" in rules[Theme.auto]
    assert "prefers-color-scheme" not in rules[Theme.light] + rules[Theme.dark]
    assert ".paper { fill: #0d1117 }" in rules[Theme.dark]


def test_all_text_lies_within_the_picture_however_long_names_and_numbers_are() -> None:
    long = Line("a", "a" * 200, steps(10**14, 10**14 + 3))
    picture = svg(long, Line("b", "b", steps(1)), title="a" * 100 + "/" + "b" * 100)
    for text in picture.iter(f"{SVG}text"):
        x, size, words = float(text.attrib["x"]), float(text.attrib["font-size"]), text.text or ""
        width = {"end": -1.0, "middle": 0.5}.get(text.attrib.get("text-anchor", ""), 1.0)
        assert 0 < x + width * 0.58 * size * len(words) < 760


def test_a_row_of_bars_has_one_for_each_value_and_a_blank_for_an_unknown_one() -> None:
    assert sparkline([0, None, 50, 100], 10) == "▁ ▄█"
    assert sparkline([7, 7], 10) == "▁▁"
    assert sparkline([90, 100], 10, from_zero=True) == "▇█"
    assert sparkline(list(range(100)), 4, plain=True) == "_:=#"
    assert sparkline([None], 10) == ""
