"""What is known of the figures of repositories now, and by the day, as a reader gets it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from tests.support.database import HOST, START, execute, repository, store_page
from tests.support.inside.database import Ledger, Run, Store, metadata

TODAY = datetime.now(UTC).date()
DAY = timedelta(days=1)


def add(url: str, table: str, **row: Any) -> None:
    needed = {"host": HOST, "first_seen_at": START, "changed_at": START, "read_at": START}
    common = {name: value for name, value in needed.items() if name in metadata.tables[table].c}
    execute(url, insert(metadata.tables[table]).values(common | row))


@pytest.fixture
def url(store: Store, run: Run) -> str:
    """Return the URL of a ledger with three repositories, the second and third with figures."""
    store_page(store, run, *(repository(id_, f"octo/r{id_}") for id_ in (1, 2, 3)))
    for id_, count in ((2, 5), (3, 7)):
        window = {"repository_id": id_, "kind": "views", "complete_until": TODAY - DAY}
        add(store.url, "traffic_windows", **window, read_on=TODAY - DAY, count=99, uniques=1)
        add(store.url, "traffic_windows", **window, read_on=TODAY, count=count, uniques=1)
        add(store.url, "releases", id=id_, repository_id=id_, draft=False, prerelease=False)
        for number in (1, 2):
            owner = {"id": id_ * 10 + number, "release_id": id_, "repository_id": id_}
            add(store.url, "release_assets", **owner, size=1, download_count=count * number)
    return store.url


def figures(ledger: Ledger, **options: Any) -> list[tuple[Any, ...]]:
    found = ledger.repos(figures=True, **options)
    return [(row["id"], row["views"], row["clones"], row["downloads"]) for row in found]


def test_views_are_those_of_the_newest_reading_and_downloads_those_of_all_assets(
    url: str, ledger: Ledger
) -> None:
    assert figures(ledger) == [(1, None, None, None), (2, 5, None, 15), (3, 7, None, 21)]


@pytest.mark.parametrize("sort", ["views", "downloads"])
def test_what_is_unknown_comes_last_whatever_the_order(url: str, ledger: Ledger, sort: str) -> None:
    rising = [row[0] for row in figures(ledger, sort=sort)]
    falling = [row[0] for row in figures(ledger, sort=sort, descending=True)]
    assert (rising, falling) == ([2, 3, 1], [3, 2, 1])
    assert figures(ledger, sort=sort, descending=True, limit=1)[0][0] == 3


def test_days_of_a_view_are_those_of_one_repository_in_a_span(url: str, ledger: Ledger) -> None:
    since, until = TODAY - 3 * DAY, TODAY - DAY
    found = list(ledger.figures("octo/r2", "traffic_daily", since=since, until=until))
    assert [(row["day"], row["views"], row["clones"]) for row in found] == [
        (since + number * DAY, 0, None) for number in range(3)
    ]
    whole = ledger.figures("octo/r2", "traffic_daily", since=date.min, until=date.max)
    assert [type(row["day"]) for row in whole] == [date] * 15
