"""A ledger that a newer program has migrated while an older one runs: that one stops writing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.database import HOST, execute, repository, snapshot, store_page
from tests.support.inside.core import SchemaOutdated, SchemaTooNew
from tests.support.inside.database import VERSION_TABLE, PageEntry, Run, RunCounts, Store, migrate

pytestmark = pytest.mark.slow_on_servers

WRITES: dict[str, Callable[[Store, Run], object]] = {
    "run": lambda store, _: store.start_run("me", HOST, "schedule"),
    "page": lambda store, run: store_page(store, run, repository(9)),
    "progress": lambda store, run: store.transact(
        run, lambda page: page.progress(RunCounts(pages=9), None)
    ),
    "page cache": lambda store, run: store.transact(
        run, lambda page: page.remember_page(PageEntry("k", '"e"', (1,), 1, None))
    ),
    "identity": lambda store, run: store.note_identity(run, user_id=9, login="late"),
    "wait": lambda store, run: store.note_wait(run, run.started_at),
    "outcome": lambda store, run: store.finish_run(
        run, status="succeeded", counts=RunCounts(), complete=True, keep_pages=()
    ),
    "next runs": lambda store, run: store.note_next_runs({"me": run.started_at}, 0.0),
    "stale run": lambda store, _: store.interrupt_stale_run("me"),
}


@pytest.mark.matrix("database.newer-schema")
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_an_older_program_writes_nothing_once_a_newer_one_has_migrated(
    store: Store, run: Run, write: Callable[[Store, Run], object]
) -> None:
    store_page(store, run, repository(1))
    execute(store.url, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    before = snapshot(store.url)
    with pytest.raises(SchemaTooNew, match=r"9999 is newer .* install a newer repoledger"):
        write(store, run)
    assert snapshot(store.url) == before


def test_a_ledger_that_was_put_back_to_an_older_schema_is_not_written_to(
    store: Store, run: Run
) -> None:
    execute(store.url, f"UPDATE {VERSION_TABLE} SET version_num = '0001'")
    with pytest.raises(SchemaOutdated, match=r"0001 is older .* run `repoledger migrate`"):
        store_page(store, run, repository(1))


def test_a_run_goes_on_where_nothing_was_migrated(store: Store, run: Run) -> None:
    assert migrate.upgrade(store.url).before == migrate.revisions()[-1]
    assert store_page(store, run, repository(1)).counts == (1, 0, 0)
