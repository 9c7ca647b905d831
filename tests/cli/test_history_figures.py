"""The command history with figures: views, clones, downloads, and the stars that are left."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.support.counters import TODAY, ago
from tests.support.figures import fill_figures
from tests.support.process import on_terminal, repoledger

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def figured(counted: Path) -> Path:
    """A folder whose ledger has figures of octo/alpha-two."""
    fill_figures(counted)
    return counted


def days(folder: Path, counter: str, *options: str) -> dict[str, Any]:
    """Return what is printed of each day as JSON, without the day."""
    done = repoledger(
        *("history", "octo/alpha-two", "--counter", counter, "--json", *options), cwd=folder
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    return {
        row["day"]: tuple(value for name, value in row.items() if name != "day") for row in rows
    }


def chart(folder: Path, counter: str, *options: str) -> ElementTree.Element:
    done = repoledger(
        *("history", "octo/alpha-two", "--counter", counter, "--format", "svg", *options),
        cwd=folder,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return ElementTree.fromstring(done.stdout)


def texts(svg: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in svg.iter(f"{SVG}text")]


def strokes(svg: ElementTree.Element, line: str) -> int:
    """Return the number of separate strokes of a line."""
    (group,) = svg.findall(f".//{SVG}g[@id='{line}']")
    path = group.find(f"{SVG}path")
    assert path is not None
    return path.attrib["d"].count("M")


def test_views_that_are_unknown_are_null_and_days_without_any_are_zero(figured: Path) -> None:
    found = days(figured, "views", "--since", "22d")
    assert found[str(ago(1))] == (30, 10)
    assert found[str(ago(5))] == (0, 0)
    assert found[str(TODAY)] == found[str(ago(18))] == (None, None)
    assert days(figured, "clones", "--since", "1d") == {
        str(ago(1)): (15, 5),
        str(TODAY): (None, None),
    }


def test_unknown_days_are_empty_in_csv(figured: Path) -> None:
    options = ("octo/alpha-two", "--counter", "views", "--since", "1d", "--format", "csv")
    done = repoledger("history", *options, cwd=figured)
    header, *lines = csv.reader(done.stdout.splitlines())
    assert header == ["day", "views", "view_uniques"]
    assert lines == [[str(ago(1)), "30", "10"], [str(TODAY), "", ""]]


def test_no_line_is_drawn_across_unknown_days(figured: Path) -> None:
    svg = chart(figured, "views", "--since", "30d")
    assert strokes(svg, "views") == strokes(svg, "view_uniques") == 2
    known = {f"views, until {ago(1)}", f"unique visitors a day, until {ago(1)}"}
    assert known <= set(texts(svg))


def test_a_chart_of_clones_says_that_those_of_ci_are_among_them(figured: Path) -> None:
    assert f"clones (with CI), until {ago(1)}" in texts(chart(figured, "clones"))
    shown = on_terminal("history", "octo/alpha-two", "--counter", "clones", cwd=figured, columns=80)
    assert re.search(rf"octo/alpha-two: \d+ clones \(with CI\) in \d+ days until {ago(1)}\n", shown)
    assert max(map(len, shown.splitlines())) <= 80


def test_downloads_have_a_total_and_those_of_each_day_that_can_be_told(figured: Path) -> None:
    found = days(figured, "downloads")
    assert found[str(ago(25))] == (None, 100)
    assert found[str(ago(9))] == (300, 400)
    assert found[str(ago(6))] == (None, 400)
    assert found[str(ago(5))] == (None, 850)  # of several days
    assert found[str(ago(2))] == (50, 900)
    assert found[str(TODAY)] == (0, 900)
    shown = texts(chart(figured, "downloads"))
    assert {f"downloads in total, until {TODAY}", f"downloads a day, until {TODAY}"} <= set(shown)


def test_stars_from_before_the_first_sync_are_those_that_github_has_kept(figured: Path) -> None:
    found = days(figured, "stars", "--since", "all")
    assert min(found) == str(ago(400))
    assert found[str(ago(400))] == (None, 7, 7)
    assert found[str(ago(21))] == (None, 0, 190 * 7)
    assert found[str(ago(5))] == (1530, 0, 198 * 7)
    assert found[str(TODAY)] == (1530, None, None)


def test_the_two_numbers_of_stars_are_two_lines(figured: Path) -> None:
    svg = chart(figured, "stars", "--since", "all")
    assert {"stars", f"stars given and kept, by GitHub, until {ago(2)}"} <= set(texts(svg))
    assert strokes(svg, "stars") == strokes(svg, "retained") == 1
    shown = on_terminal(
        *("history", "octo/alpha-two", "--counter", "stars", "--since", "9d"),
        cwd=figured,
        columns=80,
    )
    assert "\n\nocto/alpha-two: 1,530 stars, +120 in 9 days\n" in shown
    assert f"\n\nstars given and kept, by GitHub, until {ago(2)}\n" in shown


def test_without_a_counter_nothing_of_figures_is_shown(figured: Path) -> None:
    done = repoledger("history", "octo/alpha-two", "--since", "1d", cwd=figured)
    assert done.stdout.split()[:5] == ["day", "stars", "forks", "issues", "size"]
    done = repoledger("history", "octo/alpha-two", "--since", "1d", "--format", "csv", cwd=figured)
    assert done.stdout.splitlines()[0] == (
        "day,stargazers_count,forks_count,open_issues_count,size"
    )


def test_a_repository_without_figures_has_no_data(figured: Path) -> None:
    for counter in ("views", "clones", "downloads"):
        done = repoledger("history", "octo/beta", "--counter", counter, cwd=figured)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "no data for these days\n")


@pytest.mark.parametrize(
    ("name", "begin"),
    [("x.svg", b"<?xml"), ("x.PNG", b"\x89PNG"), ("x.csv", b"day,"), ("x.json", b"[\n")],
)
def test_the_name_of_a_file_says_its_format(figured: Path, name: str, begin: bytes) -> None:
    done = repoledger("history", "octo/alpha-two", "--output", name, cwd=figured)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (figured / name).read_bytes().startswith(begin)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--output", "x.svg", "--format", "ndjson"), "contradicts the ending .svg"),
        (("--output", "x.pdf"), "end it with one of .txt, .json, .ndjson, .csv, .xlsx"),
    ],
)
def test_a_chart_is_not_written_in_another_format_than_its_name_says(
    figured: Path, options: tuple[str, ...], told: str
) -> None:
    done = repoledger("history", "octo/alpha-two", *options, cwd=figured)
    assert done.returncode == 2
    assert told in done.stderr
    assert not list(figured.glob("x.*"))
