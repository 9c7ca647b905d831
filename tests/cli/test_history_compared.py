"""The command history about several repositories: compared, and summed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.support.counters import TODAY, ago
from tests.support.process import on_terminal, repoledger

SVG = "{http://www.w3.org/2000/svg}"


def rows(folder: Path, *options: str) -> list[dict[str, Any]]:
    done = repoledger("history", *options, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_several_repositories_have_a_column_each(counted: Path) -> None:
    found = rows(counted, "octo/alpha", "beta", "--since", "1d")  # a former name, and one alone
    assert found == [
        {"day": str(ago(1)), "octo/alpha-two": 1530, "octo/beta": None},
        {"day": str(TODAY), "octo/alpha-two": 1530, "octo/beta": 50},
    ]
    assert rows(counted, "octo/*a*", "--since", "1d", "--counter", "forks") == [
        {"day": str(ago(1)), "octo/alpha-two": 3, "octo/beta": None, "octo/decade": 3},
        {"day": str(TODAY), "octo/alpha-two": 3, "octo/beta": 0, "octo/decade": 3},
    ]


@pytest.mark.parametrize("columns", [80, 60, 40])
def test_a_terminal_shows_them_side_by_side_and_which_line_is_which(
    counted: Path, columns: int
) -> None:
    shown = on_terminal("history", "alpha-two", "decade", cwd=counted, columns=columns)
    assert shown.splitlines()[0].split() == ["day", "alpha-two", "decade"]
    assert max(map(len, shown.splitlines())) <= columns
    *_, first, second = shown.splitlines()
    assert (first, second) == (
        "  a  octo/alpha-two: 1,530, +130",
        "  b  octo/decade: 25,550, +210",
    )


def test_a_chart_of_several_has_a_line_and_a_legend_for_each(counted: Path) -> None:
    done = repoledger("history", "alpha-two", "decade", "-o", "two.svg", cwd=counted)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    picture = ElementTree.parse(counted / "two.svg")
    told = ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]
    assert told[0] == "stars of octo/alpha-two and octo/decade"
    assert {"octo/alpha-two: 1,530, +130", "octo/decade: 25,550, +210"} <= set(told)
    lines = [each.attrib["id"] for each in picture.iter(f"{SVG}g")]
    assert sorted(lines) == ["line-1", "line-2"]


def test_a_total_tells_of_how_many_repositories_it_is(counted: Path) -> None:
    found = rows(counted, "--total", "--since", "6d")
    before, after, today = found[0], found[1], found[-1]
    assert before == {
        "day": str(ago(6)),
        "stargazers_count": 1410 + (3650 - 6) * 7,
        "repositories": 2,
    }
    assert after["stargazers_count"] == 1530 + (3650 - 5) * 7
    assert today == {
        "day": str(TODAY),
        "stargazers_count": 1530 + 3650 * 7 + 50,
        "repositories": 3,
    }


def test_the_title_of_a_total_says_what_is_of_new_repositories(counted: Path) -> None:
    shown = on_terminal("history", "--total", "--since", "6d", cwd=counted, columns=80)
    assert "3 repositories: 27,130 stars, +212 in 6 days (50 of 1 new repository)\n" in shown


def test_a_total_is_the_sum_of_what_the_repositories_had_whatever_the_span(counted: Path) -> None:
    one = rows(counted, "octo/decade", "--since", "all")
    of_it = rows(counted, "--total", "octo/dec*", "--since", "all")
    assert [(row["day"], row["stargazers_count"]) for row in one] == [
        (row["day"], row["stargazers_count"]) for row in of_it
    ]
    assert (
        rows(counted, "--total", "octo/dec*", "--until", "20d", "--since", "30d") == of_it[-31:-20]
    )


def test_a_total_of_a_filter_is_of_its_repositories_alone(counted: Path) -> None:
    assert rows(counted, "--total", "--name", "beta") == [
        {"day": str(TODAY), "stargazers_count": 50, "repositories": 1}
    ]
    done = repoledger("history", "--total", "--owner", "ovto", cwd=counted)
    assert done.returncode == 2
    assert "no repository belongs to ovto; did you mean octo?" in done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "name a repository, such as OWNER/NAME, or add --total"),
        (("--total", "--counter", "views"), "--total sums stars, forks, open issues"),
        (("--total", "--removed"), "--total sums what there is now: leave out --removed"),
        (("octo/beta", "octo/x*"), "no repository is called octo/x*"),
        (("--total", "octo/betta"), "called octo/betta; did you mean octo/beta"),
        (("--fork", "octo/beta"), "no repository is like that"),
        (("octo/alpha-two", "octo/betta"), "did you mean octo/beta"),
        (("--json", "--format", "csv", "octo/beta"), "contradict each other"),
    ],
)
def test_what_cannot_be_shown_is_wrong_use(
    counted: Path, options: tuple[str, ...], told: str
) -> None:
    done = repoledger("history", *options, cwd=counted)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
