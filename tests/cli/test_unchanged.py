"""What a run in which nothing changed writes, and `--quiet-if-unchanged`, which leaves that out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.database import execute, snapshot
from tests.support.process import repoledger, write_config

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def synced(tmp_path: Path, github: Sandbox) -> Path:
    """A folder with a ledger of three repositories and all that belongs to them."""
    write_config(tmp_path, github.url, extra='[resources]\ndefault = "auto"\n')
    for name in ("alpha", "beta", "gamma"):
        github.add_repository("octo", name, language="Python", stargazers_count=3)
    for _ in range(2):  # the second reads what the first has made due
        assert repoledger("backfill", cwd=tmp_path, TOKEN=TOKEN).returncode == 0
    return tmp_path


def rows(folder: Path) -> Rows:
    return snapshot(f"sqlite:///{folder / 'ledger.db'}")


def differing(before: Rows, after: Rows) -> dict[str, int]:
    """Return the number of rows of each table that are not in both."""
    found = {
        name: len(set(map(repr, before[name])) ^ set(map(repr, after[name]))) for name in after
    }
    return {name: number for name, number in found.items() if number}


def quiet(folder: Path) -> tuple[int, str, str]:
    done = repoledger("backfill", "--quiet-if-unchanged", cwd=folder, TOKEN=TOKEN)
    return done.returncode, done.stdout, done.stderr


def test_a_run_in_which_nothing_changed_writes_its_own_row_and_when_the_account_was_synced(
    synced: Path,
) -> None:
    before = rows(synced)
    assert repoledger("backfill", cwd=synced, TOKEN=TOKEN).returncode == 0
    after = rows(synced)
    # The account's row moves: its fence, and `last_synced_at`, by which freshness is known.
    found = differing(before, after)
    assert found.keys() == {"sync_runs", "resource_runs", "accounts"}
    assert (found["sync_runs"], found["accounts"]) == (1, 2)
    assert {row["run_id"] for row in after["resource_runs"][len(before["resource_runs"]) :]} == {3}


@pytest.mark.slow_on_servers
def test_a_quiet_run_leaves_each_kind_of_database_as_it_was(
    synced: Path, database_url: str
) -> None:
    there = {"REPOLEDGER_DATABASE__URL": database_url, "TOKEN": TOKEN}
    assert repoledger("backfill", cwd=synced, **there).returncode == 0
    assert repoledger("backfill", cwd=synced, **there).returncode == 0
    before = snapshot(database_url)
    done = repoledger("backfill", "--quiet-if-unchanged", cwd=synced, **there)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert differing(before, snapshot(database_url)) == {}


def test_a_quiet_run_that_found_a_change_is_recorded_and_printed(
    synced: Path, github: Sandbox
) -> None:
    github.add_repository("octo", "delta")
    code, shown, _ = quiet(synced)
    assert (code, "succeeded" in shown) == (0, True)
    assert rows(synced)["sync_runs"][-1] != rows(synced)["sync_runs"][-2]
    assert len(rows(synced)["sync_runs"]) == 3
    assert quiet(synced) == (0, "", "")
    assert len(rows(synced)["sync_runs"]) == 3


def test_a_quiet_run_after_a_failure_is_recorded_since_all_is_well_again(synced: Path) -> None:
    failed = repoledger("backfill", "--quiet-if-unchanged", cwd=synced, TOKEN="wrong")
    assert failed.returncode != 0
    number = len(rows(synced)["sync_runs"])
    assert "succeeded" in quiet(synced)[1]
    assert len(rows(synced)["sync_runs"]) == number + 1
    assert quiet(synced) == (0, "", "")


def test_a_quiet_run_that_takes_over_from_a_killed_one_keeps_its_place(synced: Path) -> None:
    execute(
        f"sqlite:///{synced / 'ledger.db'}",
        "UPDATE sync_runs SET status = 'running', finished_at = NULL WHERE id = 2",
    )
    generation = rows(synced)["accounts"]
    assert "succeeded" in quiet(synced)[1]
    assert rows(synced)["accounts"] != generation
