"""Sums of a counter over repositories, with the clock held by hand, in every database."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from tests.support.database import HOST, HandClock, repository, store_page, users_engine
from tests.support.inside.database import (
    Ledger,
    Summed,
    filter_of,
    repositories,
    repository_metrics,
    totals_in,
)

pytestmark = pytest.mark.slow_on_servers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.inside.database import Run, Store

Sums = list[tuple[int, int, int, int]]


@pytest.fixture
def grown(store: Store, run: Run, clock: HandClock) -> Ledger:
    """A ledger of three repositories: one known since the first day, one since the third.

    The clock goes from 1 to 11 March.
    """
    store_page(store, run, repository(1, stargazers_count=10), repository(3, "ada/three"))
    clock.advance(days=1)
    store_page(store, run, repository(1, stargazers_count=14))
    clock.advance(days=1)
    store_page(store, run, repository(2, "ada/two", stargazers_count=100))
    clock.advance(days=8)
    store_page(store, run, repository(1, stargazers_count=13))
    gone = repositories.c.id == 3
    with users_engine(store.url) as engine, engine.begin() as connection:
        connection.execute(update(repositories).where(gone).values(removed_at=clock()))
    return Ledger(store.url, clock=clock)


def sums(ledger: Ledger, since: date, until: date = date(2026, 3, 11), **wanted: str) -> Sums:
    """Return the day of the month, the sum, of how many, and how much of it is of new ones."""
    summed = Summed(filter_of(ledger, **wanted))
    totals = totals_in(
        *(ledger.rows, ledger.dialect, summed, "stargazers_count"),
        *((since, until), date(2026, 3, 11)),
    )
    return [(each.day.day, each.value, each.repositories, each.of_new) for each in totals]


# Few days are looked up, many are read in their order.
@pytest.mark.parametrize("begin", [date(2026, 3, 1), date(2025, 1, 1), date.min])
def test_a_sum_is_of_what_was_known_and_is_there_now(grown: Ledger, begin: date) -> None:
    with grown:
        found = sums(grown, begin)
    assert found[:4] == [(1, 10, 1, found[0][3]), (2, 14, 1, 0), (3, 114, 2, 100), (4, 114, 2, 0)]
    assert found[-2:] == [(10, 114, 2, 0), (11, 113, 2, 0)]
    assert len(found) == 11


def test_a_sum_within_the_past_is_the_same_as_a_part_of_a_longer_one(grown: Ledger) -> None:
    with grown:
        assert sums(grown, date(2026, 3, 2), date(2026, 3, 4)) == [
            (2, 14, 1, 0),
            (3, 114, 2, 100),
            (4, 114, 2, 0),
        ]


def test_a_filter_leaves_the_sum_of_its_repositories(grown: Ledger) -> None:
    with grown:
        assert sums(grown, date(2026, 3, 10), host=HOST, name="ada/") == [
            (10, 100, 1, 0),
            (11, 100, 1, 0),
        ]
        assert sums(grown, date(2025, 1, 1), name="octo/")[0] == (1, 10, 1, 10)


def test_a_counter_that_is_unknown_adds_nothing(
    grown: Ledger, store: Store, change: Callable[..., None]
) -> None:
    change(repository_metrics, repository_metrics.c.day == date(2026, 3, 3))
    change(repositories, repositories.c.id == 2)
    with grown:
        assert sums(grown, date(2026, 3, 1))[-1] == (11, 13, 1, 0)


@pytest.fixture
def change(store: Store) -> Callable[..., None]:
    """Return what makes the stars of some rows unknown."""

    def unknown(table: object, which: object) -> None:
        with users_engine(store.url) as engine, engine.begin() as connection:
            statement = update(table).where(which).values(stargazers_count=None)  # type: ignore[arg-type]
            connection.execute(statement)

    return unknown
