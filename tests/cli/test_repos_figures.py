"""The command repos with figures: shown, and sorted by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.database import execute
from tests.support.figures import fill_figures
from tests.support.process import on_terminal, repoledger


@pytest.fixture
def figured(counted: Path) -> Path:
    """A folder whose ledger has figures of octo/alpha-two."""
    fill_figures(counted)
    return counted


@pytest.mark.parametrize("order", ["views", "clones", "downloads"])
def test_repositories_are_sorted_by_a_figure_and_unknown_is_empty(
    figured: Path, order: str
) -> None:
    for more in ((), ("--reverse",)):
        done = repoledger("repos", "--sort", order, *more, "--json", cwd=figured)
        first, *others = json.loads(done.stdout)
        assert first["full_name"] == "octo/alpha-two"
        assert [first[name] for name in ("views", "clones", "downloads")] == [74, 37, 900]
        assert {each[order] for each in others} == {None}


def test_the_table_has_figures_if_asked_and_fits(figured: Path) -> None:
    shown = on_terminal("repos", "--figures", cwd=figured, columns=80)
    header, _, first, second, *_ = shown.splitlines()
    assert header.split()[1:] == ["stars", "language", "views", "clones", "downloads", "pushed"]
    assert first.split()[:5] == ["octo/alpha-two", "1530", "74", "37", "900"]
    assert len(second.split()) == 3
    assert "views" not in repoledger("repos", cwd=figured).stdout


def test_figures_are_columns_of_csv_if_asked(figured: Path) -> None:
    header = repoledger("repos", "--format", "csv", cwd=figured).stdout.split("\n")[0]
    asked = repoledger("repos", "--figures", "--format", "csv", cwd=figured).stdout.split("\n")[0]
    assert asked == f"{header},views,clones,downloads"


def test_a_reading_that_is_too_old_tells_nothing_of_the_last_14_days(figured: Path) -> None:
    change = "DELETE FROM traffic_windows WHERE read_on > date('now', '-15 days')"
    execute(f"sqlite:///{figured / 'ledger.db'}", change)
    done = repoledger("repos", "--figures", "--name", "alpha", "--json", cwd=figured)
    (row,) = json.loads(done.stdout)
    assert (row["views"], row["clones"], row["downloads"]) == (None, None, 900)


def test_no_downloads_are_zero_once_the_releases_were_read(figured: Path) -> None:
    url = f"sqlite:///{figured / 'ledger.db'}"
    execute(url, "DELETE FROM asset_downloads", "DELETE FROM release_assets")
    done = repoledger("repos", "--figures", "--json", cwd=figured)
    assert [row["downloads"] for row in json.loads(done.stdout)] == [0, None, None, None]


def test_figures_of_an_earlier_time_are_refused(figured: Path) -> None:
    done = repoledger("repos", "--sort", "views", "--as-of", "3d", cwd=figured)
    assert done.returncode == 2
    assert "leave out --as-of" in done.stderr
