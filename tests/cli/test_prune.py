"""`repoledger prune`: old runs and rejected items go, history stays."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.database import execute, values
from tests.support.process import repoledger, write_config

RUN = (
    "INSERT INTO sync_runs (account, trigger, status, complete, started_at, pages, requests, "
    "not_modified, inserted, updated, unchanged, removed, restored, rejected, skipped, "
    "wait_seconds) VALUES ('me', 'test', 'succeeded', 1, '{}', 1, 1, 1, 0, 0, 3, 0, 0, 0, 0, 0)"
)


@pytest.fixture
def old(folder: Path, github: Sandbox) -> Path:
    """A folder whose ledger has runs of the last two years, one of which changed something."""
    write_config(folder, github.url, extra='[retention]\nruns = "400d"\n')
    github.add_repository("octo", "one")
    assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
    url, first = f"sqlite:///{folder / 'ledger.db'}", datetime.now(UTC) - timedelta(days=900)
    moments = (first + timedelta(days=day) for day in range(100))
    execute(url, *(RUN.format(f"{each:%Y-%m-%d %H:%M:%S.%f}") for each in moments))
    execute(
        url,
        "UPDATE repository_changes SET run_id = 50",
        "INSERT INTO resource_runs VALUES (30, 'stars', 1, 1, 0, 0, 0, 0, 0, 0)",
    )
    return folder


@pytest.mark.slow_on_servers
def test_what_went_and_what_stays_is_told_and_history_stays(old: Path, database_url: str) -> None:
    there = {"REPOLEDGER_DATABASE__URL": database_url}
    assert repoledger("export", "out", cwd=old).returncode == 0
    assert repoledger("import", "out", cwd=old, **there).returncode == 0
    told = repoledger("prune", "--dry-run", "--json", cwd=old, **there)
    assert told.returncode == 0, told.stderr
    assert values(database_url, "SELECT count(*) FROM sync_runs") == [(101,)]
    done = repoledger("prune", "--json", cwd=old, **there)
    assert done.stdout == told.stdout
    runs, counts, items = json.loads(done.stdout)
    assert runs == {"table": "sync_runs", "rows": 101, "deleted": 98, "kept": 3}
    assert counts["deleted"] == 1
    assert items == {"table": "rejected_items", "rows": 0, "deleted": 0, "kept": 0}
    kept = values(database_url, "SELECT id FROM sync_runs ORDER BY id")
    assert [id_ for (id_,) in kept] == [1, 50, 101]
    assert values(database_url, "SELECT count(*) FROM repository_changes") == [(1,)]
    assert "Of the old runs, 1 stay" in repoledger("prune", cwd=old, **there).stdout
