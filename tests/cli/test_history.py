"""The command history: its table, and its plot on a terminal."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pytest

from tests.support.counters import TODAY, ago
from tests.support.process import (
    PROJECT,
    on_terminal,
    repoledger,
)


def entries(folder: Path, *options: str) -> list[tuple[date, int]]:
    """Return the days and stars that the command prints as JSON."""
    done = repoledger("history", *options, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    return [(date.fromisoformat(row["day"]), row["stargazers_count"]) for row in rows]


def test_history_shows_the_counters_of_each_day(counted: Path) -> None:
    done = repoledger("history", "octo/beta", "--json", cwd=counted)
    (row,) = json.loads(done.stdout)
    assert (row["day"], row["stargazers_count"]) == (str(TODAY), 50)
    unknown = repoledger("history", "octo/nothing", cwd=counted)
    assert unknown.returncode == 2
    assert "no repository called octo/nothing" in unknown.stderr


def test_history_ends_with_the_day_that_is_asked_for(counted: Path) -> None:
    options = ("octo/alpha-two", "--since", str(ago(11)), "--until", str(ago(9)))
    assert entries(counted, *options) == [(ago(11), 1400), (ago(10), 1410), (ago(9), 1410)]


def test_without_a_first_day_history_shows_the_month_before_the_last(counted: Path) -> None:
    days = [day for day, _ in entries(counted, "octo/decade", "--until", "1000d")]
    assert (days[0], days[-1]) == (ago(1030), ago(1000))


def test_history_does_not_foretell(counted: Path) -> None:
    assert entries(counted, "octo/alpha-two", "--until", "2999-01-01")[-1] == (TODAY, 1530)
    assert entries(counted, "octo/alpha-two", "--until", "0001-01-02") == []


def test_a_last_day_before_the_first_is_wrong_use(counted: Path) -> None:
    done = repoledger("history", "octo/beta", "--since", "3d", "--until", "9d", cwd=counted)
    assert done.returncode == 2
    assert "--until" in done.stderr


def test_into_a_pipe_there_is_a_table_and_no_plot(counted: Path) -> None:
    done = repoledger("history", "octo/alpha-two", "--since", "3d", cwd=counted)
    header, _, *lines = done.stdout.splitlines()
    assert header.split() == ["day", "stars", "forks", "issues", "size"]
    assert [line.split()[0] for line in lines] == [str(ago(days)) for days in (3, 2, 1, 0)]


@pytest.mark.parametrize("columns", [80, 60, 40])
def test_a_terminal_shows_a_table_and_below_it_a_plot_that_fits(
    counted: Path, columns: int
) -> None:
    shown = on_terminal("history", "octo/alpha-two", cwd=counted, columns=columns)
    table, _, plot = shown.partition("\n\nocto/alpha-two: 1,530 stars, +130 ")
    assert "1530" in table
    title, top, *_, axis, dates = plot.splitlines()
    assert title == "in 20 days" or columns == 40
    assert top.lstrip().startswith("1,530 ┤")
    assert axis.lstrip().startswith("└──")
    assert dates.split() == [str(ago(20)), str(TODAY)]
    assert max(map(len, shown.splitlines())) <= columns
    assert len(plot.splitlines()) == 11


def test_the_table_of_a_month_is_one_line_a_day_on_80_columns(counted: Path) -> None:
    shown = on_terminal("history", "octo/alpha-two", cwd=counted, columns=80)
    header, _, *lines = shown.partition("\n\n")[0].splitlines()
    assert header.split() == ["day", "stars", "forks", "issues", "size"]
    assert len(lines) == 21


def test_of_ten_years_a_terminal_shows_the_last_day_of_each_and_a_plot_of_all(
    counted: Path,
) -> None:
    shown = on_terminal("history", "octo/decade", "--since", "3650d", cwd=counted, columns=80)
    assert "the last day of each year; --format csv has every day" in shown
    *lines, last = shown.splitlines()
    assert len(lines) < 40
    assert last.split() == [str(ago(3650)), str(TODAY)]


def test_another_counter_is_plotted_if_asked_for(counted: Path) -> None:
    options = ("octo/alpha-two", "--counter", "forks")
    shown = on_terminal("history", *options, cwd=counted, columns=80)
    assert "octo/alpha-two: 3 forks, ±0 in 20 days\n" in shown


def test_a_counter_that_is_not_known_is_not_plotted(counted: Path) -> None:
    shown = on_terminal("history", "octo/unknown", cwd=counted, columns=80)
    assert shown.endswith("octo/unknown: stars\nno data for these days\n")


def test_days_of_which_nothing_is_known_have_no_plot(counted: Path) -> None:
    options = ("octo/beta", "--until", "9d")
    shown = on_terminal("history", *options, cwd=counted, columns=80)
    assert shown == "no data for these days\n"


@pytest.mark.parametrize(
    "variables",
    [{"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}, {"TERM": "linux"}],
    ids=["ascii", "console"],
)
def test_a_terminal_without_braille_gets_a_plot_in_ascii(
    counted: Path, variables: dict[str, str]
) -> None:
    shown = on_terminal("history", "octo/alpha-two", cwd=counted, columns=80, **variables)
    plot = shown.partition("1,530 stars, +130 in 20 days\n")[2]
    assert plot.isascii()
    assert "1,530 +" in plot
    assert "****" in plot


def test_a_plot_is_not_drawn_where_it_would_show_nothing(counted: Path) -> None:
    shown = on_terminal("history", "octo/alpha-two", cwd=counted, columns=20)
    assert "1530" in shown
    assert "┤" not in shown


@pytest.mark.parametrize("fmt", ["table", "csv", "json", "ndjson"])
def test_figures_need_none_of_the_libraries_that_draw(
    counted: Path, tmp_path: Path, fmt: str
) -> None:
    for library in ("matplotlib", "plotille", "numpy"):
        (tmp_path / f"{library}.py").write_text(f"raise SystemExit('{library} was imported')\n")
    done = repoledger(
        *("history", "octo/alpha-two", "--format", fmt),
        cwd=counted,
        PYTHONPATH=f"{tmp_path}{os.pathsep}{PROJECT}",
    )
    assert (done.returncode, done.stderr) == (0, "")
