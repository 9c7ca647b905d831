"""What is older than it is to be kept is forgotten, but for history and what is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.database import HOST, HandClock, repository, store_page, values
from tests.support.inside.config import Retained, Retention
from tests.support.inside.database import (
    RESOURCES_ONLY,
    Pruned,
    Rejection,
    RunCounts,
    RunStatus,
    prune,
)

if TYPE_CHECKING:
    from tests.support.inside.database import Run, Store

DAY = 86_400
BRIEFLY = Retention(runs=Retained(10 * DAY), rejected=Retained(5 * DAY))


def ran(
    store: Store, status: RunStatus = "succeeded", account: str = "me", trigger: str = "test"
) -> Run:
    run = store.start_run(account, HOST, trigger)
    lists = trigger != RESOURCES_ONLY
    complete = status in ("succeeded", "partial") and lists
    store.finish_run(run, status=status, counts=RunCounts(), complete=complete, lists=lists)
    return run


def pruned(
    store: Store,
    run: Run,
    retention: Retention = BRIEFLY,
    *,
    agreeing_runs: int = 0,
    start: float = 0.5,
) -> Pruned:
    return store.transact(
        run,
        lambda page: prune(page, retention, page.now, agreeing_runs=agreeing_runs, start=start),
    )


def runs_in(store: Store) -> list[int]:
    return [id_ for (id_,) in values(store.url, "SELECT id FROM sync_runs ORDER BY id")]


@pytest.mark.parametrize("start", [0.0, 0.5, 1.0])
def test_old_runs_are_forgotten_but_for_the_first_and_those_that_tell_how_an_account_stands(
    store: Store, clock: HandClock, start: float
) -> None:
    first, _, good = ran(store), ran(store), ran(store)
    ran(store, "failed")
    last = ran(store, "failed")
    others = ran(store, account="other")
    clock.advance(days=9)
    assert pruned(store, last, start=start) == (0, 0)
    clock.advance(days=2)
    assert pruned(store, last, start=start) == (2, 0)
    assert runs_in(store) == [first.id, good.id, last.id, others.id]


def test_runs_that_read_resources_alone_are_forgotten_before_the_last_sync_is(
    store: Store, clock: HandClock
) -> None:
    first, synced = ran(store), ran(store)
    ran(store, trigger=RESOURCES_ONLY)
    last = ran(store, trigger=RESOURCES_ONLY)
    clock.advance(days=11)
    assert pruned(store, last) == (1, 0)
    assert runs_in(store) == [first.id, synced.id, last.id]


def test_runs_that_changed_something_or_met_what_is_still_rejected_are_kept(
    store: Store, clock: HandClock
) -> None:
    first = ran(store)
    changing = store.start_run("me", HOST, "test")
    store_page(store, changing, repository(1))
    rejecting = store.start_run("me", HOST, "test")
    broken = [Rejection(0, "odd", '{"id": 5}', 5)]
    store.transact(rejecting, lambda page: page.reject(broken))
    clock.advance(days=20)
    last = ran(store)
    kept_for_long = Retention(runs=BRIEFLY.runs, rejected=Retained(30 * DAY))
    assert pruned(store, last, kept_for_long) == (0, 0)
    assert pruned(store, last) == (1, 1)
    assert runs_in(store) == [first.id, changing.id, last.id]
    assert values(store.url, "SELECT count(*) FROM repository_changes") == [(1,)]


def test_an_item_that_is_met_again_and_again_is_not_old(store: Store, clock: HandClock) -> None:
    for _ in range(4):
        clock.advance(days=3)
        last = ran(store)
        store.transact(last, lambda page: page.reject([Rejection(0, "odd", '{"id": 5}', 5)]))
        assert pruned(store, last).rejected_items == 0
    assert values(store.url, "SELECT times FROM rejected_items") == [(4,)]


def test_the_complete_runs_that_have_to_agree_are_kept(store: Store, clock: HandClock) -> None:
    runs = [ran(store) for _ in range(5)]
    clock.advance(days=20)
    pruned(store, runs[-1], agreeing_runs=3)
    assert runs_in(store) == [runs[0].id, *(run.id for run in runs[2:])]
