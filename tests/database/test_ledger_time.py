"""Times in a ledger, when the clock of whoever writes is wrong and is put right later."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from tests.support.children import add_children
from tests.support.database import (
    HOST,
    START,
    HandClock,
    execute,
    repository,
    rows,
    store_page,
    values,
)
from tests.support.inside.database import (
    CHILDREN,
    COUNTED,
    ROWS,
    Change,
    Ledger,
    RunCounts,
    Store,
    UtcDateTime,
    copy,
    metadata,
    repositories,
    repository_changes,
    repository_metrics,
    snapshot,
    sync_runs,
)
from tests.support.inside.resources import REPOSITORY_LANGUAGES

pytestmark = pytest.mark.slow_on_servers

DAY = timedelta(days=1)
AHEAD = [timedelta(minutes=10), DAY, 3_650 * DAY]


def run_once(store: Store, stars: int, *, trusted: bool = True, account: str = "me") -> None:
    """Do a run that finds a repository with so many stars, by a clock that a server agrees with."""
    run = store.start_run(account, HOST, "test")
    if trusted:
        store.set_times_back(run)
    store_page(store, run, repository(1, stargazers_count=stars, description=f"{stars} stars"))
    store.finish_run(run, status="succeeded", counts=RunCounts(), complete=True)


def days(store: Store) -> list[tuple[date, int]]:
    query = "SELECT day, stargazers_count FROM repository_metrics ORDER BY day"
    return [(date.fromisoformat(str(day)), stars) for day, stars in values(store.url, query)]


def times(store: Store) -> list[datetime]:
    """Return each time in the ledger that the program's clock told."""
    told = (
        row[column.name]
        for table in metadata.tables.values()
        for row in rows(store.url, select(table))
        for column in table.columns
        if isinstance(column.type, UtcDateTime)
        and column.name not in ("created_at", "updated_at", "pushed_at")
    )
    return [time for time in told if time is not None]


def logged(store: Store) -> list[datetime]:
    table = metadata.tables["repository_changes"]
    return [row["observed_at"] for row in rows(store.url, select(table).order_by(table.c.id))]


@pytest.mark.parametrize("ahead", AHEAD)
def test_rows_from_the_future_are_dated_as_of_the_next_run(
    store: Store, clock: HandClock, ahead: timedelta
) -> None:
    clock.now = START - 2 * DAY
    run_once(store, 1)
    clock.now = START + ahead
    run_once(store, 2)
    clock.now = START
    run_once(store, 2)
    assert days(store) == [((START - 2 * DAY).date(), 1), (START.date(), 2)]
    assert max(times(store)) == START
    clock.now += DAY
    run_once(store, 3)
    assert days(store)[-1] == ((START + DAY).date(), 3)


@pytest.mark.parametrize("ahead", AHEAD)
def test_the_latest_counters_win_on_the_day_though_an_earlier_run_wrote_a_later_day(
    store: Store, clock: HandClock, ahead: timedelta
) -> None:
    clock.now = START + ahead
    run_once(store, 2)
    clock.now = START
    run_once(store, 99)
    with Ledger(store.url, clock=lambda: START + ahead + DAY) as ledger:
        shown = list(ledger.history("octo/one", since=START.date(), until=START.date() + 2 * DAY))
        (row,) = ledger.repos(as_of=START + ahead + DAY)
    assert {day["stargazers_count"] for day in shown} == {99}
    assert (row["stargazers_count"], row["description"]) == (99, "99 stars")


@pytest.mark.parametrize("behind", AHEAD)
def test_a_clock_that_is_behind_dates_nothing_earlier_than_what_is_there_and_changes_no_day_of_it(
    store: Store, clock: HandClock, behind: timedelta
) -> None:
    for number in range(3):
        clock.now = START + number * DAY
        run_once(store, number)
    clock.now -= behind
    run_once(store, 50, trusted=False)
    clock.now = START + 3 * DAY
    run_once(store, 50)
    assert [stars for _, stars in days(store)] == [0, 1, 50]
    assert logged(store) == sorted(logged(store))
    assert min(times(store)) == min(START, START + 2 * DAY - behind)  # when that run began
    assert max(times(store)) == clock.now


def test_two_clocks_that_differ_by_seconds_across_midnight_put_nothing_in_another_order(
    store: Store, clock: HandClock
) -> None:
    midnight = (START + DAY).replace(hour=0)
    clock.now = midnight + timedelta(seconds=2)
    run_once(store, 1)
    clock.now = midnight - timedelta(seconds=2)
    run_once(store, 2, account="work")
    assert days(store) == [(midnight.date(), 2)]
    assert logged(store) == sorted(logged(store))
    with Ledger(store.url, clock=clock) as ledger:
        (row,) = ledger.history("octo/one", since=clock.now.date(), until=clock.now.date())
        (past,) = ledger.repos(as_of=clock.now)
    assert (row["day"], row["stargazers_count"]) == (clock.now.date(), 2)
    assert past["description"] == "2 stars"


@pytest.mark.parametrize("ahead", AHEAD)
def test_as_of_now_is_what_is_stored_now_before_anything_is_put_right(
    store: Store, clock: HandClock, ahead: timedelta
) -> None:
    clock.now = START - DAY
    run_once(store, 1)
    clock.now = START + ahead
    run_once(store, 2)
    clock.now = START

    def shown(row: Any) -> tuple[Any, ...]:
        return row["id"], row["stargazers_count"], row["description"]

    with Ledger(store.url, clock=clock) as ledger:
        for moment in (START, START - timedelta(seconds=1)):
            assert [shown(row) for row in ledger.repos(as_of=moment)] == [(1, 2, "2 stars")]
        (before,) = ledger.repos(as_of=START - DAY)
        assert shown(before) == (1, 1, "1 stars")
        *_, last = ledger.history("octo/one", since=(START - DAY).date(), until=START.date())
    assert (last["day"], last["stargazers_count"]) == (START.date(), 2)


def test_a_repository_that_was_first_seen_by_a_clock_that_was_ahead_is_known_now(
    store: Store, clock: HandClock
) -> None:
    clock.now = START + 3_650 * DAY
    run_once(store, 5)
    with Ledger(store.url, clock=lambda: START) as ledger:
        assert [row["id"] for row in ledger.repos(as_of=START, account="me")] == [1]
        (row,) = ledger.history("octo/one", since=START.date(), until=START.date())
    assert row["stargazers_count"] == 5


def test_a_run_that_the_clock_was_set_back_in_ends_no_earlier_than_what_it_wrote(
    store: Store, clock: HandClock
) -> None:
    run = store.start_run("me", HOST, "test")
    clock.now = START + DAY
    store_page(store, run, repository(1))
    clock.now = START
    store.finish_run(run, status="succeeded", counts=RunCounts(), complete=True)
    store.set_times_back(store.start_run("me", HOST, "test"))
    assert max(times(store)) == START
    assert days(store) == [(START.date(), 10)]


def test_a_day_of_a_clock_that_was_ahead_goes_however_many_runs_an_older_program_did_since(
    store: Store, clock: HandClock
) -> None:
    clock.now = START + 30 * DAY
    run_once(store, 2)
    # Version 0.1.0 dated each run as its clock did.
    ran = {"account": "me", "trigger": "test", "status": "succeeded", "complete": True}
    at = [START - timedelta(hours=age) for age in range(12, 0, -1)]
    runs = [{**ran, **RunCounts().as_dict(), "started_at": t, "finished_at": t} for t in at]
    key = {"host": HOST, "repository_id": 1}
    told = {**key, "run_id": 1, "observed_at": at[0], "field": "description"}
    today = {**key, "day": START.date(), "stargazers_count": 21}
    execute(
        store.url,
        insert(sync_runs).values(runs),
        insert(repository_changes).values(told),
        insert(repository_metrics).values(today),
        update(repositories).values(stargazers_count=21),
    )
    clock.now = START
    with Store(store.url, clock=clock) as newer:
        run_once(newer, 21)
    assert days(store) == [(START.date(), 21)]
    assert max(times(store)) == START


def test_rows_of_resources_from_the_future_are_dated_as_of_now_too(
    store: Store, clock: HandClock
) -> None:
    clock.now = START - DAY
    run_once(store, 1)
    clock.now = START + 30 * DAY
    run_once(store, 1)
    add_children(store.url)
    sets, downloads = ROWS[REPOSITORY_LANGUAGES], COUNTED["release_assets"]
    execute(
        store.url,
        *(update(table).values(day=clock.now.date()) for table in (sets, downloads)),
        update(CHILDREN["downloads"]).values(first_seen_at=clock.now),
        insert(downloads).values(
            host=HOST, asset_id=1, day=(START + 9 * DAY).date(), download_count=7
        ),
    )
    clock.now = START
    run_once(store, 1)
    for table in (sets, downloads):
        assert [row["day"] for row in rows(store.url, select(table))] == [START.date()]
    assert values(store.url, "SELECT download_count FROM asset_downloads") == [(1,)]
    (release,) = rows(store.url, select(CHILDREN["downloads"]))
    assert release["first_seen_at"] == START


def test_the_log_tells_of_no_removal_later_than_the_next_run_by_a_right_clock(
    store: Store, clock: HandClock
) -> None:
    clock.now = START - DAY
    run_once(store, 1)
    told = "2026-02-28T06:00:00Z", "2026-03-31T12:00:00.5Z", "2026-03-31T12:00:00Z"
    run = store.start_run("me", HOST, "test")
    clock.now = START + 30 * DAY
    changes = [Change("removed_at", old, new) for old, new in pairwise((None, *told, None))]
    store.transact(run, lambda page: page.log_changes((1, change) for change in changes))
    clock.now = START
    run_once(store, 1)
    query = "SELECT old_value, new_value FROM repository_changes WHERE field = 'removed_at'"
    now = "2026-03-01T12:00:00Z"
    expected = [(None, told[0]), (told[0], now), (now, now), (now, None)]
    assert values(store.url, f"{query} ORDER BY id") == expected


def test_a_copy_goes_on_after_times_were_set_back(
    store: Store, clock: HandClock, tmp_path: Path
) -> None:
    target = f"sqlite:///{tmp_path / 'copy.db'}"

    def copied() -> list[tuple[Any, ...]]:
        with snapshot(store.url, Event()) as source:
            copy(source, target, Event())
        return values(target, "SELECT description FROM repositories")

    clock.now = START + 365 * DAY + timedelta(microseconds=123_456)
    run_once(store, 1)
    assert copied() == [("1 stars",)]
    clock.now = START
    run_once(store, 2)
    assert copied() == [("2 stars",)]
    assert max(times(store)) == START
