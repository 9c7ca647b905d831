"""Runs: how they are recorded, and what becomes of those that died."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from tests.support.database import HOST, START, HandClock, Json, execute, rows, snapshot
from tests.support.inside.core import ConfigError, NotFound
from tests.support.inside.database import RunCounts, accounts, sync_runs

if TYPE_CHECKING:
    from tests.support.inside.database import Run, RunStatus, Store

# Every count with a value of its own.
COUNTS = RunCounts(**{f.name: n for n, f in enumerate(fields(RunCounts), start=1)})


def runs(store: Store) -> list[Json]:
    return rows(store.url, select(sync_runs).order_by(sync_runs.c.id))


def account(store: Store, name: str = "me") -> Json:
    (row,) = rows(store.url, select(accounts).where(accounts.c.name == name))
    return row


def test_a_run_is_recorded_as_running_from_its_start(store: Store, run: Run) -> None:
    assert run.started_at == START
    (row,) = runs(store)
    assert row == {
        "id": run.id,
        "account": "me",
        "trigger": "backfill",
        "status": "running",
        "complete": False,
        "started_at": START,
        "finished_at": None,
        "pages_expected": None,
        "rate_limit_remaining": None,
        "error_type": None,
        "error_message": None,
        "missing_digest": None,
        **RunCounts().as_dict(),
    }


def test_each_run_of_an_account_gets_the_next_generation(store: Store) -> None:
    started = [store.start_run(name, HOST, "schedule") for name in ("me", "me", "work", "me")]
    assert [run.generation for run in started] == [1, 2, 1, 3]
    assert len({run.id for run in started}) == 4
    assert account(store)["generation"] == 3


def test_a_run_whose_process_died_becomes_interrupted_when_the_next_one_starts(
    store: Store, run: Run, clock: HandClock
) -> None:
    clock.advance(hours=1)
    following = store.start_run("me", HOST, "schedule")
    stale, current = runs(store)
    assert (stale["status"], stale["finished_at"]) == ("interrupted", START + timedelta(hours=1))
    assert stale["error_type"] == "Interrupted"
    assert stale["error_message"] == "the process ended without recording the run"
    assert (current["id"], current["status"]) == (following.id, "running")


def test_a_start_leaves_finished_runs_and_other_accounts_alone(store: Store) -> None:
    finished = store.start_run("me", HOST, "backfill")
    store.finish_run(finished, status="failed", counts=COUNTS, complete=False)
    store.start_run("work", HOST, "backfill")
    before = runs(store)
    store.start_run("me", HOST, "backfill")
    assert runs(store)[:-1] == before


def test_a_run_keeps_its_number_for_itself_when_old_runs_are_deleted(
    store: Store, run: Run
) -> None:
    execute(store.url, "DELETE FROM sync_runs")
    assert store.start_run("me", HOST, "backfill").id > run.id


def test_a_finished_run_tells_its_counts_and_when_it_ended(
    store: Store, run: Run, clock: HandClock
) -> None:
    clock.advance(seconds=90)
    store.finish_run(
        run, status="succeeded", counts=COUNTS, complete=True, rate_limit_remaining=4321
    )
    (row,) = runs(store)
    assert {name: row[name] for name in COUNTS.as_dict()} == COUNTS.as_dict()
    assert (row["status"], row["complete"], row["rate_limit_remaining"]) == (
        "succeeded",
        True,
        4321,
    )
    assert row["finished_at"] == START + timedelta(seconds=90)
    assert (row["error_type"], row["error_message"]) == (None, None)


def test_a_failed_run_tells_the_kind_and_the_text_of_its_error(store: Store, run: Run) -> None:
    error = NotFound("no such user", method="GET", url="https://api.github.com/users/octo")
    store.finish_run(run, status="failed", counts=RunCounts(), complete=False, error=error)
    (row,) = runs(store)
    assert (row["status"], row["complete"], row["error_type"]) == ("failed", False, "NotFound")
    assert row["error_message"] == "GET https://api.github.com/users/octo: no such user"


def test_the_text_of_an_error_is_cut_to_a_thousand_characters(store: Store, run: Run) -> None:
    error = NotFound("x" * 5000)
    store.finish_run(run, status="failed", counts=RunCounts(), complete=False, error=error)
    assert runs(store)[0]["error_message"] == "x" * 1000


@pytest.mark.parametrize(
    ("status", "synced"),
    [
        ("succeeded", True),
        ("partial", True),
        ("failed", False),
        ("deferred", False),
        ("interrupted", False),
    ],
)
def test_an_account_counts_as_synced_after_a_run_that_stored_what_it_could(
    store: Store, run: Run, clock: HandClock, status: RunStatus, synced: bool
) -> None:
    clock.advance(minutes=5)
    store.finish_run(run, status=status, counts=RunCounts(), complete=synced)
    assert account(store)["last_synced_at"] == (START + timedelta(minutes=5) if synced else None)
    assert runs(store)[0]["status"] == status


def test_a_failed_run_does_not_make_the_last_sync_forgotten(
    store: Store, run: Run, clock: HandClock
) -> None:
    store.finish_run(run, status="succeeded", counts=RunCounts(), complete=True)
    clock.advance(hours=1)
    again = store.start_run("me", HOST, "schedule")
    store.finish_run(again, status="failed", counts=RunCounts(), complete=False)
    assert account(store)["last_synced_at"] == START


def test_a_deferred_account_is_free_again_after_the_next_run(store: Store, run: Run) -> None:
    later = START + timedelta(minutes=40)
    store.finish_run(run, status="deferred", counts=RunCounts(), complete=False, not_before=later)
    assert account(store)["not_before"] == later
    again = store.start_run("me", HOST, "schedule")
    assert account(store)["not_before"] == later
    store.finish_run(again, status="succeeded", counts=RunCounts(), complete=True)
    assert account(store)["not_before"] is None


def test_how_far_a_run_has_come_can_be_seen_while_it_runs(store: Store, run: Run) -> None:
    store.transact(run, lambda page: page.progress(RunCounts(pages=2, inserted=150), 7))
    (row,) = runs(store)
    assert (row["status"], row["pages"], row["pages_expected"], row["inserted"]) == (
        "running",
        2,
        7,
        150,
    )


def test_an_account_that_was_never_synced_has_no_row(store: Store) -> None:
    assert store.account("me") == {}


def test_the_user_of_an_account_is_stored(store: Store, run: Run) -> None:
    work = store.start_run("work", HOST, "backfill")
    store.note_identity(run, user_id=2**40, login="octo")
    assert store.account("me") == {
        "name": "me",
        "host": HOST,
        "id": 2**40,
        "login": "octo",
        "generation": 1,
        "not_before": None,
        "last_synced_at": None,
        "next_run_at": None,
        "listing_basis": None,
        "revision": 0,
        "listed_revision": 0,
    }
    assert store.account(work.account)["login"] is None


def test_an_account_that_no_host_has_known_yet_takes_the_new_one(store: Store, run: Run) -> None:
    assert store.account("me")["id"] is None
    assert store.start_run("me", "github.example.com", "backfill").generation == run.generation + 1
    assert store.account("me")["host"] == "github.example.com"


def test_an_account_of_another_host_is_refused_and_nothing_is_written(
    store: Store, run: Run
) -> None:
    store.note_identity(run, user_id=7, login="octo")
    before = snapshot(store.url)
    with pytest.raises(ConfigError, match=r"was synced from github\.com, .* a name of its own"):
        store.start_run("me", "github.example.com", "backfill")
    assert snapshot(store.url) == before
    assert store.start_run("me", HOST, "backfill").generation == run.generation + 1


def test_a_host_that_was_kept_as_it_was_written_is_the_same_host(store: Store, run: Run) -> None:
    store.note_identity(run, user_id=7, login="octo")
    for written in ("api.github.com:443", "github.com.", "github.com:443"):
        execute(store.url, f"UPDATE accounts SET host = '{written}'")
        assert store.start_run("me", HOST, "backfill").host == HOST
        assert store.account("me")["host"] == HOST


@pytest.mark.parametrize("odd", ["::1", "[x", "h:x", "h:99999", ""])
def test_a_host_that_is_no_valid_one_is_another_host(store: Store, run: Run, odd: str) -> None:
    store.note_identity(run, user_id=7, login="octo")
    execute(store.url, f"UPDATE accounts SET host = '{odd}'")
    with pytest.raises(ConfigError, match="a name of its own"):
        store.start_run("me", HOST, "backfill")


def test_reading_an_account_writes_nothing(store: Store, run: Run) -> None:
    before = snapshot(store.url)
    store.account("me")
    store.cached_pages("me")
    assert snapshot(store.url) == before


def test_counts_add_up_field_by_field() -> None:
    total = COUNTS + RunCounts(pages=1, wait_seconds=0.5)
    expected = {**COUNTS.as_dict(), "pages": COUNTS.pages + 1}
    assert total.as_dict() == {**expected, "wait_seconds": COUNTS.wait_seconds + 0.5}
    seen = RunCounts(inserted=1, updated=20, unchanged=300, rejected=4000, skipped=50000)
    assert seen.items == 54321
