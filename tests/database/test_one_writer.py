"""One writer per account: the lock that dies with its process, and the fence behind it."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from tests.support.database import HOST, execute, repository, rows, snapshot, store_page, values
from tests.support.database_processes import (
    hangs_in_migration,
    hangs_in_page,
    spawned,
    starts_run_and_waits,
    takes_lock,
    writes_pages,
)
from tests.support.inside.core import Fenced, Interrupted, RunInProgress
from tests.support.inside.database import (
    PageEntry,
    Rejection,
    RunCounts,
    Store,
    account_repositories,
    migrate,
    repositories,
)
from tests.support.servers import databases

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.inside.database import Run

pytestmark = pytest.mark.slow

LATE_WRITES: dict[str, Callable[[Store, Run], object]] = {
    "page": lambda store, run: store_page(store, run, repository(9)),
    "progress": lambda store, run: store.transact(
        run, lambda page: page.progress(RunCounts(pages=9), None)
    ),
    "rejection": lambda store, run: store.transact(
        run, lambda page: page.reject([Rejection(0, "late", "{}")])
    ),
    "page cache": lambda store, run: store.transact(
        run, lambda page: page.remember_page(PageEntry("k", '"e"', (1,), 1, None))
    ),
    "identity": lambda store, run: store.note_identity(run, user_id=9, login="late"),
    "outcome": lambda store, run: store.finish_run(
        run, status="succeeded", counts=RunCounts(), complete=True, keep_pages=()
    ),
}


@pytest.mark.matrix("always.one-writer")
@pytest.mark.parametrize("write", LATE_WRITES.values(), ids=LATE_WRITES.keys())
def test_a_run_that_was_overtaken_writes_nothing_more(
    store: Store, run: Run, write: Callable[[Store, Run], object]
) -> None:
    store_page(store, run, repository(1))
    store.start_run("me", HOST, "schedule")
    before = snapshot(store.url)
    with pytest.raises(Fenced, match="a later run of the account me has taken over"):
        write(store, run)
    assert snapshot(store.url) == before


def test_a_run_of_another_account_does_not_fence_this_one(store: Store, run: Run) -> None:
    store.start_run("work", HOST, "schedule")
    assert store_page(store, run, repository(1)).counts == (1, 0, 0)


@pytest.mark.matrix("database.frozen", "always.one-writer")
def test_a_process_that_was_frozen_while_another_run_took_over_writes_nothing_when_it_thaws(
    store: Store,
) -> None:
    with spawned(starts_run_and_waits, store.url, "me") as child:
        assert child.receive() == 1
        child.freeze()
        child.send("write")
        run = store.start_run("me", HOST, "schedule")
        store_page(store, run, repository(1, "octo/present"))
        before = snapshot(store.url)
        child.thaw()
        assert child.receive() == "Fenced"
    assert snapshot(store.url) == before


def test_a_process_that_was_frozen_and_not_overtaken_goes_on_when_it_thaws(store: Store) -> None:
    with spawned(starts_run_and_waits, store.url, "me") as child:
        assert child.receive() == 1
        child.freeze()
        child.send("write")
        child.thaw()
        assert child.receive() == "wrote"
    assert values(store.url, select(repositories.c.full_name)) == [("octo/late",)]


def test_a_page_whose_process_was_killed_before_its_commit_was_never_written(store: Store) -> None:
    with spawned(hangs_in_page, store.url, "me") as child:
        assert child.receive() == "hanging"
        child.kill()
    (row,) = rows(store.url, "SELECT status, pages FROM sync_runs")
    assert row == {"status": "running", "pages": 0}
    run = store.start_run("me", HOST, "backfill")
    assert run.generation == 2
    assert store_page(store, run, repository(1)).counts == (1, 0, 0)


def test_a_second_process_is_told_that_the_account_is_being_synced(store: Store) -> None:
    with spawned(takes_lock, store.url, "me") as child:
        assert [child.receive(), child.receive()] == ["asking", "held"]
        with (
            pytest.raises(RunInProgress, match="another process is syncing the account me"),
            store.lock("me"),
        ):
            pass
        with store.lock("work"):  # another account's is free
            pass


def test_the_lock_of_a_killed_process_is_free_at_once(store: Store) -> None:
    with spawned(takes_lock, store.url, "me") as child:
        assert [child.receive(), child.receive()] == ["asking", "held"]
        child.kill()
        with store.lock("me"):  # waits for nothing
            assert_taken(store)


def assert_taken(store: Store) -> None:
    with spawned(takes_lock, store.url, "me") as other:
        assert other.receive() == "asking"
        assert other.receive().startswith("RunInProgress")


def test_the_lock_is_free_again_after_the_block_also_when_it_failed(store: Store) -> None:
    with pytest.raises(KeyError), store.lock("me"):
        raise KeyError
    with spawned(takes_lock, store.url, "me") as child:
        assert [child.receive(), child.receive()] == ["asking", "held"]


def test_the_lock_is_free_at_once_after_the_block(store: Store) -> None:
    for _ in range(50):  # a server may take its time to see that a connection was closed
        with store.lock("me"):
            pass


def test_a_process_that_is_willing_to_wait_gets_the_lock_when_it_is_free(
    store: Store,
) -> None:
    with spawned(takes_lock, store.url, "me") as holder:
        assert [holder.receive(), holder.receive()] == ["asking", "held"]
        with spawned(takes_lock, store.url, "me", True) as waiter:
            assert waiter.receive() == "asking"
            # One that does not wait would have said so by now; a slow one says nothing either.
            assert not waiter.pipe.poll(0.3)
            holder.kill()
            assert waiter.receive() == "held"


def test_a_process_that_is_told_to_stop_no_longer_waits_for_the_lock(store: Store) -> None:
    stop = threading.Event()
    with spawned(takes_lock, store.url, "me") as holder:
        assert [holder.receive(), holder.receive()] == ["asking", "held"]
        stop.set()
        with pytest.raises(Interrupted), store.lock("me", wait=True, stop=stop):
            pass


def test_ledgers_in_two_schemas_of_one_database_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with databases("postgresql", tmp_path) as make:
        url = make()
        execute(url, "CREATE SCHEMA one", "CREATE SCHEMA two")
        one, two = (f"{url}&options=-c%20search_path%3D{schema}" for schema in ("one", "two"))
        with spawned(hangs_in_migration, one, "INSERT INTO repoledger_schema") as child:
            assert child.receive() == "hanging"
            migrate.upgrade(two)
            child.send("go on")
            assert child.receive() == "migrated"
        with Store(one) as here, Store(two) as there, here.lock("me"), there.lock("me"):
            pass


@pytest.mark.matrix("database.deadlock")
def test_two_accounts_that_are_synced_at_once_lose_nothing(store: Store) -> None:
    shared = [repository(id_, f"octo/r{id_}") for id_ in range(1, 41)]
    own = {
        account: [repository(id_, f"{account}/r{id_}") for id_ in range(first, first + 40)]
        for account, first in (("me", 1000), ("work", 2000))
    }
    pages = {
        account: [[*shared[n : n + 4], *mine[n : n + 4]] for n in range(0, 40, 4)]
        for account, mine in own.items()
    }
    with ExitStack() as stack:
        children = [
            stack.enter_context(spawned(writes_pages, store.url, *arguments))
            for arguments in pages.items()
        ]
        assert [child.receive() for child in children] == ["ready", "ready"]
        for child in children:
            child.send("go")
        assert [child.receive() for child in children] == ["done", "done"]
    assert values(store.url, select(func.count()).select_from(repositories)) == [(120,)]
    listed = select(account_repositories.c.account, func.count()).group_by("account")
    assert sorted(values(store.url, listed)) == [("me", 80), ("work", 80)]
    finished = rows(store.url, "SELECT account, status, pages, inserted, updated FROM sync_runs")
    assert {row["account"] for row in finished} == {"me", "work"}
    assert {(row["status"], row["pages"], row["updated"]) for row in finished} == {
        ("succeeded", 10, 0)
    }
    assert sum(row["inserted"] for row in finished) == 120
