"""A COMMIT that a server was asked for and did not answer: done once, whether it was or not."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.support.cutting import CuttingLine
from tests.support.database import HOST, repository, store_page, values
from tests.support.inside.core import DatabaseError
from tests.support.inside.database import Change, RunCounts, RunTransaction, Store

pytestmark = pytest.mark.parametrize("new_database", ["postgresql", "mysql"], indirect=True)

CARRIED_OUT = pytest.mark.parametrize("carried_out", [True, False], ids=["carried_out", "lost"])


@pytest.mark.matrix("database.lost-connection")
@CARRIED_OUT
def test_a_page_whose_commit_is_not_answered_is_written_and_counted_once(
    ledger_url: str, short_folder: Path, *, carried_out: bool
) -> None:
    with (
        CuttingLine(
            ledger_url, short_folder, b"told-once", at_commit=True, carried_out=carried_out, times=1
        ) as line,
        Store(line.url) as store,
    ):
        run = store.start_run("me", HOST, "backfill")
        store_page(store, run, repository(1))
        counted = RunCounts(pages=1)

        def write(transaction: RunTransaction) -> RunCounts:
            transaction.log_changes([(1, Change("description", None, "told-once"))])
            transaction.progress(counted, None)
            return counted

        assert store.transact(run, write, before=RunCounts()) == counted
        assert line.cuts == 1
    told = "SELECT count(*) FROM repository_changes WHERE new_value = 'told-once'"
    assert values(ledger_url, told) == [(1,)]
    assert values(ledger_url, "SELECT pages FROM sync_runs") == [(1,)]


@CARRIED_OUT
def test_a_run_whose_beginning_is_not_answered_begins_once(
    ledger_url: str, short_folder: Path, *, carried_out: bool
) -> None:
    with (
        CuttingLine(
            ledger_url, short_folder, b"sync_runs", at_commit=True, carried_out=carried_out, times=1
        ) as line,
        Store(line.url) as store,
    ):
        run = store.start_run("me", HOST, "backfill")
        assert line.cuts == 1
        store_page(store, run, repository(1))
    assert values(ledger_url, "SELECT id, status FROM sync_runs") == [(run.id, "running")]
    assert values(ledger_url, "SELECT generation FROM accounts") == [(run.generation,)]


def test_a_server_that_stays_away_is_waited_for_by_each_account(
    ledger_url: str, short_folder: Path
) -> None:
    stop = threading.Event()
    stop.set()  # so that it is not waited for in earnest
    with (
        CuttingLine(ledger_url, short_folder, b"", at_commit=False, times=1_000) as line,
        Store(line.url, stop=stop) as store,
    ):

        def tries(account: str) -> int:
            with capture_logs() as events, pytest.raises(DatabaseError):
                store.account(account)
            return 1 + [event["event"] for event in events].count("database.retry_scheduled")

        # What follows for the one is asked once; the other has not asked yet.
        assert [tries("me"), tries("work"), tries("me"), tries("work")] == [5, 5, 1, 1]
