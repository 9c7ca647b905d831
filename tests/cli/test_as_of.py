"""The past on the command line: repos --as-of, and the kinds of changes."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.database import HOST, START, HandClock
from tests.support.inside.database import Store, migrate
from tests.support.logbook import Logbook, logbook
from tests.support.process import repoledger, write_config

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose ledger's first sync was at START, and its second two days later."""
    folder = tmp_path_factory.mktemp("told")
    write_config(folder, "http://127.0.0.1:9")
    url = f"sqlite:///{folder / 'ledger.db'}"
    migrate.upgrade(url)
    with Store(url, clock=HandClock()) as store:
        store.start_run("me", HOST, "test")
    with logbook(url) as book:
        write(book)
    return folder


def write(book: Logbook) -> None:
    book.add(1, full_name="octo/alpha", language="Go", stargazers_count=5, owner_id=7)
    book.add(2, full_name="octo/beta", language="C", stargazers_count=50, description="b")
    book.now = START + timedelta(days=2)
    book.change(1, name="omega", full_name="corp/omega", owner_id=8, language="Rust")
    book.change(2, removed_at=book.now, removal_reason="private")
    book.redact(2)
    book.lists_no_more("me", id_=2)
    book.add(3, full_name="octo/gamma")


def names(folder: Path, *options: str) -> list[str]:
    done = repoledger("repos", *options, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return [row["full_name"] for row in json.loads(done.stdout)]


@pytest.mark.parametrize(
    ("when", "found"),
    [
        ("2026-02-28", []),
        ("2026-03-01T11:59:59", []),
        ("2026-03-01T12:00", ["octo/alpha"]),
        ("2026-03-01T13:00:30+01:00", ["octo/alpha"]),
        ("2026-03-01", ["octo/[redacted]", "octo/alpha"]),
        ("2026-03-02", ["octo/[redacted]", "octo/alpha"]),
        ("2026-03-03", ["corp/omega", "octo/gamma"]),
        ("0m", ["corp/omega", "octo/gamma"]),
    ],
)
def test_repositories_are_shown_as_of_a_time_or_of_the_end_of_a_day(
    told: Path, when: str, found: list[str]
) -> None:
    assert names(told, "--as-of", when) == found


def test_today_is_as_of_now(told: Path) -> None:
    assert names(told, "--as-of", str(datetime.now(UTC).date())) == names(told)


def test_as_of_goes_with_every_other_option(told: Path) -> None:
    then = ("--as-of", "2026-03-02")
    assert names(told, *then, "--language", "go") == ["octo/alpha"]
    assert names(told, *then, "--owner", "nobody") == []
    assert names(told, *then, "--name", "ALPHA", "--account", "me") == ["octo/alpha"]
    assert names(told, *then, "--account", "me", "--limit", "1") == ["octo/[redacted]"]
    assert names(told, *then, "--sort", "stars") == ["octo/[redacted]", "octo/alpha"]
    assert names(told, *then, "--sort", "stars", "--reverse") == ["octo/alpha", "octo/[redacted]"]
    assert names(told, *then, "--removed") == []
    assert names(told, "--as-of", "2026-03-03", "--removed") == ["octo/[redacted]"]
    done = repoledger("repos", *then, "--format", "csv", cwd=told)
    (hidden, alpha) = csv.DictReader(done.stdout.splitlines())
    assert (alpha["name"], alpha["owner_id"], alpha["stargazers_count"]) == ("one", "7", "5")
    assert (hidden["name"], hidden["description"]) == ("[redacted]", "")


def test_a_time_before_the_first_sync_is_an_empty_list_that_says_so(told: Path) -> None:
    done = repoledger("repos", "--as-of", "2020-01-01", cwd=told)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "no data before 2026-03-01 12:00 UTC, the first sync\n"
    done = repoledger("repos", "--as-of", "2026-03-02", "--owner", "nobody", cwd=told)
    assert (done.returncode, done.stderr) == (0, "no repository belongs to nobody\n")


@pytest.mark.parametrize("when", ["2999-01-01", "2999-01-01T00:00", "9999-12-31"])
def test_a_time_that_is_yet_to_come_is_wrong_use(told: Path, when: str) -> None:
    done = repoledger("repos", "--as-of", when, cwd=told)
    assert done.returncode == 2
    assert "in the future" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("when", ["yesteryear", "2026-13-01", "", "-1d", "0001-01-01T00:00+23:00"])
def test_what_is_no_time_is_wrong_use(told: Path, when: str) -> None:
    done = repoledger("repos", "--as-of", when, cwd=told)
    assert done.returncode == 2
    assert "2026-05-01T12:00" in done.stderr


@pytest.mark.parametrize("when", ["0001-01-01", "99999w"])
def test_a_time_long_before_anything_is_an_empty_list(told: Path, when: str) -> None:
    assert names(told, "--as-of", when) == []


def test_an_account_that_nobody_knows_and_text_that_is_none_are_wrong_use(told: Path) -> None:
    for option, value in [("--account", "nobody"), ("--name", "\udcff")]:
        done = repoledger("repos", "--as-of", "2026-03-02", option, value, cwd=told)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_what_a_run_found_can_be_looked_back_at_from_the_next(
    github: Sandbox, folder: Path
) -> None:
    id_ = github.add_repository("octo", "alpha", description="then")
    assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
    between = datetime.now(UTC)
    github.edit(id_, description="now", topics=["new"])
    github.rename(id_, "omega")
    assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
    done = repoledger("repos", "--as-of", between.isoformat(), "--json", cwd=folder)
    (then,) = json.loads(done.stdout)
    (now,) = json.loads(repoledger("repos", "--json", cwd=folder).stdout)
    assert (then["full_name"], then["description"], then["topics"]) == ("octo/alpha", "then", [])
    assert (now["full_name"], now["description"], now["topics"]) == ("octo/omega", "now", ["new"])
    assert then["changed_at"] is None
    assert list(then) == list(now)


def changes(folder: Path, *options: str) -> list[dict[str, Any]]:
    done = repoledger("changes", "--fields", *options, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_changes_are_shown_with_their_kind_and_by_it(told: Path) -> None:
    expected = {
        "created": ["created"] * 3,
        "changed": ["removal_reason", "language", "full_name"],
        "renamed": ["name"],
        "transferred": ["owner_id"],
        "removed": ["removed_at"],
        "restored": [],
        "redacted": ["redacted"],
        "joined": [],
        "left": ["account"],
    }
    everything = changes(told)
    assert list(everything[0])[:4] == ["observed_at", "full_name", "change", "field"]
    for kind, fields in expected.items():
        found = changes(told, "--change", kind)
        assert found == [row for row in everything if row["change"] == kind]
        assert sorted(row["field"] for row in found) == sorted(fields)
    assert len(everything) == sum(map(len, expected.values()))
    limited = changes(told, "--change", "created", "--limit", "1", "--repository", "octo/gamma")
    assert [json.loads(row["new_value"])["full_name"] for row in limited] == ["octo/gamma"]
    assert repoledger("changes", "--change", "vanished", cwd=told).returncode == 2


def test_a_table_of_changes_leaves_documents_out_and_other_formats_do_not(told: Path) -> None:
    table = repoledger("changes", "--fields", cwd=told).stdout
    assert table.splitlines()[0].split()[:4] == ["observed_at", "full_name", "change", "field"]
    assert "{" not in table
    assert [line.split()[3:] for line in table.splitlines() if " created " in line] == [
        ["created", "created"]
    ] * 3
    for fmt in ("csv", "ndjson"):
        done = repoledger("changes", "--fields", "--change", "redacted", "--format", fmt, cwd=told)
        assert "[redacted]" in done.stdout
        assert "visibility" in done.stdout
