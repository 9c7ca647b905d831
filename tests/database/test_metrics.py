"""Counters: one row a day on which they changed, with the clock held by hand."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from tests.support.database import HandClock, Json, repository, rows, store_page, values
from tests.support.inside.database import (
    COUNTERS,
    repositories,
    repository_changes,
    repository_metrics,
)

pytestmark = pytest.mark.slow_on_servers

if TYPE_CHECKING:
    from tests.support.inside.database import Run, Store


def days(store: Store) -> list[tuple[Any, ...]]:
    table = repository_metrics.c
    query = select(table.repository_id, table.day, table.stargazers_count)
    return values(store.url, query.order_by(table.repository_id, table.day))


def test_a_new_repository_begins_its_history_with_every_counter(store: Store, run: Run) -> None:
    store_page(store, run, repository(1))
    (row,) = rows(store.url, select(repository_metrics))
    assert row["day"] == date(2026, 3, 1)
    assert [row[name] for name in COUNTERS] == [10, 2, 1, 10, 100]


def test_several_runs_on_one_day_make_one_row_with_the_last_counters(
    store: Store, run: Run, clock: HandClock
) -> None:
    for stars in (10, 12, 11):
        store_page(store, run, repository(1, stargazers_count=stars))
        clock.advance(hours=1)
    assert days(store) == [(1, date(2026, 3, 1), 11)]


def test_a_day_without_a_change_or_without_a_run_has_no_row(
    store: Store, run: Run, clock: HandClock
) -> None:
    store_page(store, run, repository(1, stargazers_count=10))
    clock.advance(days=1)
    store_page(store, run, repository(1, stargazers_count=10))
    clock.advance(days=3)
    store_page(store, run, repository(1, stargazers_count=20))
    assert days(store) == [(1, date(2026, 3, 1), 10), (1, date(2026, 3, 5), 20)]


def test_a_day_begins_at_midnight_utc(store: Store, run: Run, clock: HandClock) -> None:
    clock.advance(hours=11, minutes=59)
    store_page(store, run, repository(1, stargazers_count=1))
    clock.advance(minutes=1)
    store_page(store, run, repository(1, stargazers_count=2))
    assert days(store) == [(1, date(2026, 3, 1), 1), (1, date(2026, 3, 2), 2)]


def test_a_counter_is_not_a_change(store: Store, run: Run, clock: HandClock) -> None:
    store_page(store, run, repository(1))
    clock.advance(days=1)
    counters: Json = {name: 1000 + n for n, name in enumerate(COUNTERS)}
    assert store_page(store, run, repository(1, **counters)).counts == (0, 1, 0)
    assert [row["field"] for row in rows(store.url, select(repository_changes))] == ["created"]
    (row,) = rows(store.url, select(repositories))
    assert {name: row[name] for name in COUNTERS} == counters


def test_a_changed_description_alone_adds_no_day(store: Store, run: Run, clock: HandClock) -> None:
    store_page(store, run, repository(1))
    clock.advance(days=1)
    store_page(store, run, repository(1, description="other"))
    assert days(store) == [(1, date(2026, 3, 1), 10)]


def test_a_counter_that_is_not_told_any_more_is_null_from_that_day(
    store: Store, run: Run, clock: HandClock
) -> None:
    store_page(store, run, repository(1))
    clock.advance(days=1)
    store_page(store, run, repository(1, stargazers_count=None))
    assert days(store) == [(1, date(2026, 3, 1), 10), (1, date(2026, 3, 2), None)]
