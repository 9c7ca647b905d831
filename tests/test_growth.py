"""Runs keep a ledger small: what is old is forgotten, and files shrink again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.database import execute, values
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient
from tests.support.process import repoledger, write_config
from tests.support.runs import sync

pytestmark = pytest.mark.slow

MIB = 1024 * 1024


@pytest.mark.parametrize(("retention", "kept"), [('runs = "1d"', [1, 4]), ("", [1, 2, 3, 4])])
def test_a_run_forgets_old_runs_as_the_configuration_says(
    github: Sandbox, tmp_path: Path, retention: str, kept: list[int]
) -> None:
    github.add_repository("octo", "one")
    write_config(tmp_path, github.url, extra=f"[retention]\n{retention}\n")
    ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
    for _ in range(3):
        assert repoledger("backfill", cwd=tmp_path, TOKEN=TOKEN).returncode == 0
    execute(ledger, "UPDATE sync_runs SET started_at = datetime(started_at, '-2 days')")
    assert repoledger("backfill", cwd=tmp_path, TOKEN=TOKEN).returncode == 0
    assert [id_ for (id_,) in values(ledger, "SELECT id FROM sync_runs ORDER BY id")] == kept


def test_a_ledger_that_cannot_be_pruned_is_synced_all_the_same(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    sync(client, store)
    execute(store.url, "ALTER TABLE rejected_items RENAME TO elsewhere")
    github.add_repository("octo", "one")
    assert sync(client, store).status == "succeeded"


def test_the_log_of_a_sqlite_ledger_does_not_stay_at_its_peak(
    github: Sandbox, client: GitHubClient, new_sqlite_ledger: Path, tmp_path: Path
) -> None:
    for number in range(30):
        github.add_repository("octo", f"r{number}", description="x" * 300_000)
    file = Path(shutil.copy(new_sqlite_ledger, tmp_path))
    with Store(f"sqlite:///{file}") as store:
        assert sync(client, store).counts.inserted == 30
        assert file.stat().st_size > 9 * MIB
        assert Path(f"{file}-wal").stat().st_size <= 4 * MIB
