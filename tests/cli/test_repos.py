"""The command repos: names, columns, gains, searches, mistakes; links and colours on a terminal."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.counters import set_counters
from tests.support.database import execute
from tests.support.process import on_terminal, repoledger, sent_to_terminal


@pytest.fixture
def grown(counted: Path) -> Path:
    """A ledger in which octo/alpha-two gained 120 stars lately, and octo/beta lost 3."""
    set_counters(counted, "beta", [(40, 53), (0, 50)])
    execute(
        f"sqlite:///{counted / 'ledger.db'}",
        "UPDATE repositories SET stargazers_count = 1530 WHERE name = 'alpha-two'",
        "UPDATE repositories SET license_spdx_id = 'MIT', archived = 1 WHERE name = 'beta'",
        "UPDATE repositories SET topics = '[\"sql\"]', language = 'Python'",
    )
    return counted


def names(folder: Path, *options: str) -> list[str]:
    done = repoledger("repos", *options, "--format", "csv", "--columns", "name", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()[1:]


def told(folder: Path, *options: str) -> tuple[int, str]:
    done = repoledger("repos", *options, cwd=folder, COLUMNS="200")
    return done.returncode, done.stderr.rstrip().rpartition("\n")[2]


def test_names_and_patterns_choose_and_unknown_ones_are_told_with_the_nearest(grown: Path) -> None:
    assert names(grown, "beta", "octo/ALPHA*") == ["alpha-two", "beta"]
    done = repoledger("repos", "beta", "octo/betta", "zoo/*", cwd=grown)
    assert "octo/beta" in done.stdout
    assert (done.returncode, done.stderr.splitlines()) == (
        1,
        [
            "no repository is called octo/betta; did you mean octo/beta?",
            "no repository is called zoo/*",
        ],
    )


def test_the_same_columns_are_in_every_format_and_can_be_chosen(grown: Path) -> None:
    options = ("repos", "beta", "--columns", "full_name,stars", "--columns", "license,archived")
    table = repoledger(*options, cwd=grown).stdout.splitlines()
    assert table[0].split() == ["full_name", "stars", "license", "archived"]
    assert table[2].split() == ["octo/beta", "50", "MIT", "yes"]
    (row,) = json.loads(repoledger(*options, "--json", cwd=grown).stdout)
    expected = {"full_name": "octo/beta", "stars": 50, "license": "MIT", "archived": True}
    assert row == expected
    (line,) = csv.DictReader(repoledger(*options, "--format", "csv", cwd=grown).stdout.splitlines())
    assert list(line) == list(expected)


def test_gains_since_a_day_are_columns_and_an_order(grown: Path) -> None:
    done = repoledger("repos", "--since", "15d", "--sort", "gained,name", cwd=grown)
    header, _, *lines = done.stdout.splitlines()
    assert header.split() == [
        *("full_name", "stars", "gained", "forks_gained", "language", "pushed")
    ]
    gains = [tuple(line.split()[:3]) for line in lines]
    assert gains[0] == ("octo/alpha-two", "1530", "+130")
    assert ("octo/beta", "50", "-3") in gains
    options = ("--since", "15d", "--columns", "name,gained,lost", "--format", "csv")
    lost = repoledger("repos", *options, "--sort", "lost", "--limit", "2", cwd=grown).stdout
    assert "beta,-3,3" in lost.splitlines()


WRONG: list[tuple[tuple[str, ...], int, str]] = [
    (("--columns", "nme"), 2, "there is no column 'nme'; did you mean name?"),
    (("--columns", ","), 2, "name at least one column"),
    (("--sort", "gaind"), 2, "there is no order 'gaind'; did you mean gained?"),
    (("--sort", "gained"), 2, "gained is counted from a day on: add --since, such as 30d"),
    (("--since", "2999-01-01"), 2, "that is in the future"),
    (("--since", "1d", "--as-of", "5d"), 2, "must not be after --as-of"),
    (("--stars", "5..1"), 2, "5..1 ends before it begins"),
    (("--stars", "many"), 2, "must be a number (100) or a range (100.., ..5, 10..99), not 'many'"),
    (("--search", "+++"), 2, "there is nothing to search for: give a word of letters or digits"),
    (("--web",), 2, "--web opens one repository, and there are several: octo/alpha-two and"),
    (("--language", "pyhton"), 0, "no repository is in pyhton; did you mean Python?"),
    (("--topic", "sqll"), 0, "no repository has the topic sqll; did you mean sql?"),
    (("--license", "MTI", "--json"), 0, "no repository has the licence MTI; did you mean MIT?"),
    (("--owner", "otco"), 0, "no repository belongs to otco; did you mean octo?"),
    (("--visibility", "pubic"), 0, "no repository is pubic; did you mean public?"),
    (("--license", "none", "--owner", "octo", "beta"), 0, "no repositories"),
]


def test_mistakes_are_told_with_what_is_right(grown: Path) -> None:
    for options, code, message in WRONG:
        ended, last = told(grown, *options)
        assert (ended, message in last) == (code, True), (options, last)


def test_filters_of_the_command_line_reach_the_ledger(grown: Path) -> None:
    assert names(grown, "--license", "mit") == ["beta"]
    assert names(grown, "--stars", "1000..") == ["alpha-two", "decade"]
    assert names(grown, "--search", "BET octo") == ["beta"]
    assert names(grown, "--template") == names(grown, "--pushed-before", "1999-01-01") == []
    assert len(names(grown, "--visibility", "public", "--not-archived")) == 3


def test_a_page_opens_in_the_browser_or_its_address_is_printed(grown: Path, tmp_path: Path) -> None:
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    done = repoledger("repos", "beta", "--web", cwd=grown, BROWSER=f"{browser} %s")
    page = opened.read_text().strip()
    assert page.endswith("/octo/beta")
    assert done.stdout == f"Opened {page} in your browser.\n"
    done = repoledger("repos", "beta", "--web", cwd=grown, BROWSER=str(tmp_path / "none"), PATH="")
    assert (done.returncode, done.stdout) == (0, f"{page}\n")
    execute(
        f"sqlite:///{grown / 'ledger.db'}",
        "UPDATE repositories SET html_url = 'file:///etc/passwd'",
    )
    assert repoledger("repos", "beta", "--web", cwd=grown).returncode == 2


def sent(folder: Path, columns: int, **variables: str) -> str:
    _, output = sent_to_terminal("repos", cwd=folder, columns=columns, **variables)
    return output.decode()


def test_names_are_links_and_archived_ones_dim_if_the_terminal_can(grown: Path) -> None:
    shown = sent(grown, 80)
    assert "/octo/alpha-two\x1b\\octo/alpha-two\x1b]8;;\x1b\\" in shown
    assert "\x1b[2mocto/beta\x1b[0m" in shown
    assert "\x1b[2m" not in sent(grown, 80, NO_COLOR="1")
    assert "\x1b" not in sent(grown, 80, TERM="dumb")


@pytest.mark.parametrize("columns", [60, 80, 500])
def test_a_list_fits_any_terminal(grown: Path, columns: int) -> None:
    shown: Any = on_terminal("repos", "--since", "30d", cwd=grown, columns=columns)
    assert max(map(len, shown.splitlines())) <= columns
    assert shown.count("octo/") >= 4
