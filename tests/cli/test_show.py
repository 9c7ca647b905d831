"""The command show: one page about a repository."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.support.counters import TODAY, ago
from tests.support.figures import fill_figures
from tests.support.process import on_terminal, repoledger

ODD = "日本語の説明 🚀 \u202ertl \x1b[31m " * 12


@pytest.fixture
def figured(counted: Path) -> Path:
    """A folder whose ledger has figures of octo/alpha-two, and where they came from."""
    fill_figures(counted)
    change(
        counted,
        "INSERT INTO traffic_referrers SELECT host, id, :day, 1, 'Google', 40, 9 "
        "FROM repositories WHERE name = 'alpha-two'",
        "INSERT INTO traffic_windows SELECT host, id, 'referrers', :day, NULL, NULL, :day, NULL, "
        ":day FROM repositories WHERE name = 'alpha-two'",
    )
    return counted


def change(folder: Path, *statements: str, **values: str) -> None:
    connection = sqlite3.connect(folder / "ledger.db")
    for statement in statements:
        connection.execute(statement, {"day": str(TODAY), **values})
    connection.commit()
    connection.close()


def page(folder: Path, name: str, columns: int = 80, **variables: str) -> list[str]:
    shown = on_terminal("show", name, cwd=folder, columns=columns, **{"PAGER": "cat", **variables})
    return shown.splitlines()


def words(lines: list[str], label: str) -> list[str]:
    """Return the words of the first line that begins with a label."""
    return next(line for line in lines if line.startswith(label)).split()


def test_a_page_tells_what_a_repository_is_and_was(figured: Path) -> None:
    shown = page(figured, "octo/alpha")
    assert shown[0] == "octo/alpha-two"
    assert words(shown, "owner") == ["owner", "octo", "(User)"]
    assert words(shown, "visibility") == ["visibility", "public"]
    assert words(shown, "licence")[1:] == words(shown, "homepage")[1:] == ["none"]
    assert words(shown, "once")[:2] == ["once", "octo/alpha,"]
    assert f"since {TODAY}, listed for me" in " ".join(shown)
    assert any("renamed alpha → alpha-two" in line for line in shown)


def test_counters_have_what_they_gained_and_a_row_of_bars(figured: Path) -> None:
    stars = words(page(figured, "alpha-two"), "stars")
    assert stars[:3] == ["stars", "1,530", "+120"]  # of 30 days nothing is known
    assert (len(stars[-1]), stars[-1][0], stars[-1][-1]) == (21, "▁", "█")
    assert "known since" in " ".join(page(figured, "alpha-two"))
    assert words(page(figured, "decade"), "stars")[:4] == ["stars", "25,550", "+49", "+210"]


def test_visitors_of_14_days_are_told_as_github_counts_them(figured: Path) -> None:
    shown = page(figured, "alpha-two")
    assert words(shown, "views")[:6] == ["views", "74", "by", "9", "unique", "visitors"]
    assert words(shown, "Google") == ["Google", "40", "9"]
    assert "all releases: 900 downloads" in shown


def test_what_is_not_known_says_why(figured: Path) -> None:
    shown = page(figured, "beta")
    heading = shown.index("Traffic")
    assert shown[heading + 1] == "off ([resources] in the configuration)"
    assert words(shown, "watchers")[1:3] == ["off", "([resources]"]
    change(
        figured,
        "INSERT INTO resource_states (account, host, repository_id, resource, status, failures, "
        "detail) SELECT 'me', host, id, 'traffic', 'refused', 0, "
        "'Must have push access to repository' FROM repositories WHERE name = 'beta'",
    )
    assert page(figured, "beta")[heading + 1].startswith("refused: the token needs push access")
    told = json.loads(repoledger("show", "beta", "--json", cwd=figured).stdout)["unknown"]
    assert told["traffic"].startswith("refused: the token needs push access")


@pytest.mark.parametrize("columns", [80, 60, 40])
@pytest.mark.parametrize("variables", [{}, {"TERM": "linux"}], ids=["braille", "console"])
def test_a_page_fits_whatever_the_texts_are(
    figured: Path, columns: int, variables: dict[str, str]
) -> None:
    change(figured, "UPDATE repositories SET description = :odd, homepage = :odd", odd=ODD)
    shown = page(figured, "alpha-two", columns, **variables)
    wide = [line for line in shown if len(line) > columns]
    assert not wide
    assert "\u202e" not in "".join(shown)
    assert ("█" in "".join(shown)) == (not variables and columns > 40)


def test_a_removed_repository_says_when_and_why(counted: Path) -> None:
    change(
        counted,
        "UPDATE repositories SET removed_at = :when, removal_reason = 'not_found' "
        "WHERE name = 'decade'",
        when=f"{ago(3)} 10:00:00.000000",
    )
    shown = page(counted, "decade")
    assert shown[1] == f"removed on {ago(3)} 10:00 UTC: deleted, or no longer visible"
    assert words(shown, "stars")[:3] == ["stars", "25,529", "+49"]


def test_json_has_all_of_it_as_one_object(figured: Path) -> None:
    told: dict[str, Any] = json.loads(repoledger("show", "alpha-two", "--json", cwd=figured).stdout)
    assert (told["full_name"], told["stargazers_count"]) == ("octo/alpha-two", 1530)
    assert [each["full_name"] for each in told["former_names"]] == ["octo/alpha"]
    assert told["traffic"]["views"]["uniques"] == 9
    assert told["referrers"][0]["referrer"] == "Google"
    assert told["downloads"] == 900
    assert len(told["days"]) == 21
    assert {"renamed", "created"} <= {each["kind"] for each in told["events"]}
    assert "payload" not in told


def test_web_opens_its_page(counted: Path) -> None:
    done = repoledger("show", "beta", "--web", cwd=counted, BROWSER="true %s")
    assert (done.returncode, done.stderr) == (0, "")
    assert "/octo/beta" in done.stdout


def test_a_name_that_there_is_not_is_answered_with_the_nearest(counted: Path) -> None:
    done = repoledger("show", "octo/bata", cwd=counted)
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean octo/beta" in done.stderr
