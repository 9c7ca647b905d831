"""Connections to a server that are lost in the middle of a run: the page is done again, once."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from sync.sandbox import Sandbox
from tests.support.backfills import (
    PATIENCE,
    Backfill,
    effect,
    end_sessions,
    held_at_page,
    runs,
    undisturbed,
    wait_for_pages,
    wait_patiently,
    waiting_sessions,
)
from tests.support.cutting import CuttingLine
from tests.support.database import HOST, execute, users_engine, values
from tests.support.inside.database import Run, RunCounts, RunTransaction, Store
from tests.support.runs import fill

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),  # a busy machine starts processes slowly
    pytest.mark.parametrize("new_database", ["postgresql", "mysql"], indirect=True),
]
PATIENT_END = 30  # seconds: a server is waited for much longer, a busy machine needs less


# How the other one of a deadlock sees to it that the page is given up: PostgreSQL ends who
# looks first, MariaDB who has written less.
WINS = {
    "postgresql": ("SET deadlock_timeout = '1h'",),
    "mysql": (f"INSERT INTO users_own VALUES {', '.join(['(1)'] * 3_000)}",),
}


@pytest.mark.matrix("database.lost-connection")
@pytest.mark.parametrize("at_commit", [False, True], ids=["while_written", "answer_to_commit"])
def test_a_page_whose_connection_is_lost_is_stored_and_counted_once(
    github: Sandbox, tmp_path: Path, short_folder: Path, ledger_url: str, at_commit: bool
) -> None:
    ids = fill(github, 250)
    github.edit(ids[150], description="cut-here")
    broken = {**github.get(ids[160]), "id": "abc"}
    github.delete(ids[160])
    github.add_object(broken, listed_by="octo")
    with CuttingLine(ledger_url, short_folder, b"cut-here", at_commit=at_commit, times=1) as line:
        ended = Backfill(github, tmp_path, line.url).end()
    assert line.cuts == 1
    assert (ended.code, *ended.did) == (3, "partial", 3, 249, 0, 0, 1), ended.stderr
    assert "database.retry_scheduled" in ended.stderr
    assert runs(ledger_url) == [ended.did]
    assert effect(ledger_url) == undisturbed(github, tmp_path, status="partial")


def test_a_line_that_stops_forwarding_does_not_keep_a_run_from_giving_its_lock_back(
    short_folder: Path, ledger_url: str
) -> None:
    with (
        CuttingLine(ledger_url, short_folder, b"never said", at_commit=False, times=0) as line,
        Store(line.url) as store,
    ):
        with store.lock("me"):
            line.stall()
            asked = time.monotonic()
        assert time.monotonic() - asked < PATIENT_END


def test_a_run_whose_every_connection_is_ended_between_two_pages_goes_on(
    github: Sandbox, tmp_path: Path, ledger_url: str
) -> None:
    fill(github, 250)
    with held_at_page(github, 2) as gate:
        backfill = Backfill(github, tmp_path, ledger_url)
        assert gate.reached.wait(PATIENCE)
        wait_for_pages(ledger_url, 1)
        assert end_sessions(ledger_url) >= 2  # the lock's and the page's
    ended = backfill.end()
    assert (ended.code, *ended.did) == (0, "succeeded", 3, 250, 0, 0, 0), ended.stderr
    assert runs(ledger_url) == [ended.did]
    assert effect(ledger_url) == undisturbed(github, tmp_path)


@pytest.mark.matrix("database.lost-connection")
def test_a_run_whose_connection_is_ended_while_it_writes_a_page_writes_it_again(
    github: Sandbox, tmp_path: Path, ledger_url: str
) -> None:
    fill(github, 250)
    with held_at_page(github, 2) as gate, users_engine(ledger_url) as engine:
        backfill = Backfill(github, tmp_path, ledger_url)
        assert gate.reached.wait(PATIENCE)
        wait_for_pages(ledger_url, 1)
        with engine.begin() as connection:  # the last that a page writes is in its way
            connection.execute(text("SELECT id FROM sync_runs FOR UPDATE"))
            gate.set()
            wait_patiently(lambda: waiting_sessions(ledger_url))
            assert end_sessions(ledger_url, "waiting") == 1
    ended = backfill.end()
    assert (ended.code, *ended.did) == (0, "succeeded", 3, 250, 0, 0, 0), ended.stderr
    assert runs(ledger_url) == [ended.did]
    assert effect(ledger_url) == undisturbed(github, tmp_path)


@pytest.mark.matrix("database.deadlock")
def test_a_page_that_ends_in_a_deadlock_is_done_again_as_a_whole(
    github: Sandbox, tmp_path: Path, ledger_url: str
) -> None:
    ids = fill(github, 20)
    assert Backfill(github, tmp_path, ledger_url).end().code == 0
    for id_ in ids:
        github.edit(id_, description="edited")
    ((host,),) = values(ledger_url, "SELECT host FROM accounts")
    touch = "UPDATE repositories SET first_seen_at = first_seen_at WHERE host = '%s' AND id = {}"
    touch %= host
    execute(ledger_url, "CREATE TABLE users_own (n INT)")
    with users_engine(ledger_url) as engine, engine.connect() as one, engine.connect() as other:
        one.exec_driver_sql(touch.format(ids[5]))
        for statement in WINS[engine.name]:
            other.exec_driver_sql(statement)
        other.exec_driver_sql(touch.format(ids[10]))
        backfill = Backfill(github, tmp_path, ledger_url)
        wait_patiently(lambda: waiting_sessions(ledger_url) == 1)  # it has written ids[0]
        with ThreadPoolExecutor() as pool:
            touched = pool.submit(other.exec_driver_sql, touch.format(ids[0]))
            wait_patiently(lambda: waiting_sessions(ledger_url) == 2)
            one.rollback()  # it goes on to ids[10]: each waits for the other
            touched.result(PATIENCE)
        other.commit()
    ended = backfill.end()
    assert (ended.code, *ended.did) == (0, "succeeded", 1, 0, 20, 0, 0), ended.stderr
    (told,) = [line for line in ended.stderr.splitlines() if "database.retry_scheduled" in line]
    assert "deadlock" in told.lower()
    assert runs(ledger_url)[1:] == [ended.did]
    changed = "SELECT repository_id FROM repository_changes WHERE field = 'description'"
    assert sorted(values(ledger_url, changed)) == [(id_,) for id_ in ids]


def test_a_run_that_takes_over_in_the_middle_of_a_page_waits_for_that_page(
    ledger_url: str,
) -> None:
    with Store(ledger_url) as store, ThreadPoolExecutor() as pool, capture_logs() as events:
        run = store.start_run("me", HOST, "backfill")

        def work(transaction: RunTransaction) -> Future[Run]:
            later = pool.submit(store.start_run, "me", HOST, "backfill")
            wait_patiently(lambda: waiting_sessions(ledger_url))
            transaction.progress(RunCounts(pages=1), None)
            return later

        later = store.transact(run, work).result(PATIENCE)
    assert later.generation == run.generation + 1
    assert events == []  # not even a deadlock that was overcome
    assert runs(ledger_url) == [("interrupted", 1, 0, 0, 0, 0), ("running", 0, 0, 0, 0, 0)]
