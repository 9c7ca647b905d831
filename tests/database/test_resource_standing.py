"""How an account's resources stand, as the daemon asks after each of its runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, update

from tests.support.database import HOST, START, HandClock, execute, repository, store_page
from tests.support.inside.config import ResourceSetting
from tests.support.inside.database import (
    Ledger,
    ResourceCounts,
    ResourceStanding,
    Run,
    RunCounts,
    Store,
    account_repositories,
    record,
    resource_states,
)

HOUR = timedelta(hours=1)


def add_state(store: Store, repository_id: int, status: str, **times: datetime) -> None:
    row: dict[str, Any] = {"account": "me", "host": HOST, "repository_id": repository_id}
    row |= {"resource": "traffic", "status": status, "failures": 0, **times}
    execute(store.url, insert(resource_states).values(row))


def test_the_oldest_reading_the_next_one_and_the_first_loss_of_what_is_listed_are_told(
    store: Store, run: Run, ledger: Ledger
) -> None:
    settings = {"traffic": ResourceSetting(on=True, by_name=False)}
    assert ledger.resource_standings("me", settings) == {}
    store_page(store, run, *(repository(n, f"octo/r{n}") for n in range(1, 6)))
    early, late = START - HOUR, START + HOUR
    add_state(store, 1, "complete", checked_at=START, next_at=late, lost_at=late)
    add_state(store, 2, "complete", checked_at=late, next_at=START, lost_at=late + HOUR)
    add_state(store, 3, "refused", checked_at=early, next_at=late, lost_at=early)
    add_state(store, 4, "missing", checked_at=early, next_at=early)
    add_state(store, 5, "complete", checked_at=early, next_at=early, lost_at=early)
    gone = update(account_repositories).where(account_repositories.c.repository_id == 5)
    execute(store.url, gone.values(gone_at=START))
    told = ledger.resource_standings("me", settings)
    assert told == {"traffic": ResourceStanding(1, START, START, late)}
    assert ledger.resource_standings("you", settings) == {}
    assert ledger.resource_standings("me", {}) == {}


def test_what_is_no_longer_to_be_read_is_neither_due_nor_soon_lost(
    store: Store, run: Run, ledger: Ledger
) -> None:
    store_page(store, run, *(repository(n, f"octo/r{n}") for n in range(1, 4)))
    early, late = START - HOUR, START + HOUR
    for number, moment in ((1, late), (2, early), (3, early)):
        add_state(store, number, "complete", checked_at=moment, next_at=moment, lost_at=moment)
    member = account_repositories
    execute(store.url, update(member).where(member.c.repository_id == 3).values(push=False))
    named = ResourceSetting(on=True, by_name=True, repositories=("octo/r1", "octo/r3"))
    told = ledger.resource_standings("me", {"traffic": named})
    assert told == {"traffic": ResourceStanding(0, late, late, late)}


def test_days_that_a_run_of_the_last_day_found_lost_are_counted(
    store: Store, run: Run, clock: HandClock
) -> None:
    with Ledger(store.url, clock=clock) as ledger:
        assert ledger.days_lost("me") == 0
        store.transact(run, lambda page: record(page, "traffic", ResourceCounts(lost_days=3)))
        store.finish_run(run, status="partial", counts=RunCounts(), complete=False)
        assert (ledger.days_lost("me"), ledger.days_lost("you")) == (3, 0)
        clock.advance(days=2)
        assert ledger.days_lost("me") == 0
