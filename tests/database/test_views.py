"""The views for people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.database import HOST, HandClock, execute, repository, rows, store_page, values
from tests.support.inside.database import RunCounts, repositories, sync_runs

if TYPE_CHECKING:
    from tests.support.inside.database import Run, Store


def remove(url: str, id_: int, moment: str) -> None:
    execute(
        url,
        f"UPDATE repositories SET removed_at = '{moment}', removal_reason = 'not_found' "
        f"WHERE id = {id_}",
    )


def daily(url: str, id_: int) -> list[tuple[date, Any]]:
    query = (
        "SELECT day, stargazers_count FROM repository_daily "
        f"WHERE repository_id = {id_} ORDER BY day"
    )
    return [(date.fromisoformat(str(day)), stars) for day, stars in values(url, query)]


def test_current_repositories_are_those_that_are_not_removed(store: Store, run: Run) -> None:
    store_page(store, run, repository(1, "octo/one"), repository(2, "octo/two"))
    remove(store.url, 1, "2026-03-02 00:00:00.000000")
    found = rows(store.url, "SELECT * FROM current_repositories")
    assert [row["full_name"] for row in found] == ["octo/two"]
    shown = [column.name for column in repositories.columns if column.name != "payload"]
    assert list(found[0]) == shown


def test_latest_runs_are_the_last_of_each_account(store: Store) -> None:
    for account in ("me", "work", "me", "work", "me"):
        last = store.start_run(account, HOST, "schedule")
    store.finish_run(last, status="failed", counts=RunCounts(), complete=False)
    found = rows(store.url, "SELECT * FROM latest_runs ORDER BY account")
    assert [(row["account"], row["id"], row["status"]) for row in found] == [
        ("me", 5, "failed"),
        ("work", 4, "running"),
    ]
    assert list(found[0]) == [column.name for column in sync_runs.columns]


def test_a_day_without_a_change_is_like_the_day_before(
    store: Store, run: Run, clock: HandClock
) -> None:
    store_page(store, run, repository(1, stargazers_count=10))
    clock.advance(days=3)
    store_page(store, run, repository(1, stargazers_count=13), repository(2, stargazers_count=1))
    clock.advance(days=1)
    store_page(store, run, repository(1, stargazers_count=14))
    remove(store.url, 1, "2026-03-07 08:00:00.000000")
    remove(store.url, 2, "2026-03-04 23:59:59.999999")
    stars = [10, 10, 10, 13, 14, 14, 14]
    assert daily(store.url, 1) == [(date(2026, 3, n), s) for n, s in enumerate(stars, start=1)]
    assert daily(store.url, 2) == [(date(2026, 3, 4), 1)]


def test_the_days_of_a_repository_that_is_there_go_on_until_today(
    store: Store, run: Run, clock: HandClock
) -> None:
    begun = datetime.now(UTC)
    clock.now = begun - timedelta(days=2)
    store_page(store, run, repository(1, stargazers_count=10))
    found = daily(store.url, 1)
    first = clock.now.date()
    assert [day for day, _ in found] == [first + timedelta(days=n) for n in range(len(found))]
    assert begun.date() <= found[-1][0] <= datetime.now(UTC).date()
    assert {stars for _, stars in found} == {10}


@pytest.mark.parametrize("age", [1500, 5000])
def test_every_day_is_there_however_long_ago_the_first_was(
    store: Store, run: Run, clock: HandClock, age: int
) -> None:
    begun = datetime.now(UTC)
    clock.now = begun - timedelta(days=age)
    store_page(store, run, repository(1, stargazers_count=10), repository(2, stargazers_count=5))
    clock.advance(days=1)
    store_page(store, run, repository(1, stargazers_count=11))
    first = clock.now.date() - timedelta(days=1)
    for id_, stars in ((1, [10] + [11] * age), (2, [5] * (age + 1))):
        found = daily(store.url, id_)
        days = [first + timedelta(days=n) for n in range(len(found))]
        assert len(found) in (age + 1, age + 2)  # if midnight has passed since
        assert found[: age + 1] == list(zip(days, stars, strict=False))


def test_a_repository_of_today_has_its_first_day_at_once(
    store: Store, run: Run, clock: HandClock
) -> None:
    clock.now = datetime.now(UTC)
    store_page(store, run, repository(1, stargazers_count=10))
    assert daily(store.url, 1)[0] == (clock.now.date(), 10)


def test_the_daily_view_has_every_counter(store: Store, run: Run) -> None:
    store_page(store, run, repository(1))
    remove(store.url, 1, "2026-03-01 13:00:00.000000")
    (row,) = rows(store.url, "SELECT * FROM repository_daily")
    assert {**row, "day": str(row["day"])} == {
        "host": HOST,
        "repository_id": 1,
        "day": "2026-03-01",
        "stargazers_count": 10,
        "forks_count": 2,
        "open_issues_count": 1,
        "watchers_count": 10,
        "size": 100,
        "full_name": "octo/one",
    }


def counted(url: str, id_: int, *days: tuple[int, int | None]) -> None:
    """Have the ledger know these stars, each with how many days ago they were counted."""
    execute(url, f"DELETE FROM repository_metrics WHERE repository_id = {id_}")
    today = datetime.now(UTC).date()
    for ago, stars in days:
        forks = "NULL" if stars is None else str(stars // 10)
        execute(
            url,
            "INSERT INTO repository_metrics (host, repository_id, day, stargazers_count, "
            f"forks_count) VALUES ('{HOST}', {id_}, '{today - timedelta(days=ago)}', "
            f"{'NULL' if stars is None else stars}, {forks})",
        )


def test_growth_is_what_was_gained_since_a_day_or_since_it_is_known(store: Store, run: Run) -> None:
    now = {"stargazers_count": 500, "forks_count": 50}
    store_page(store, run, *(repository(id_, f"octo/{id_}", **now) for id_ in range(1, 7)))
    counted(store.url, 1, (400, 100), (40, 200), (8, 460), (7, 470), (6, 480), (0, 500))
    counted(store.url, 2, (20, 450), (0, 500))  # known for 20 days
    counted(store.url, 3, (400, 500))  # nothing happened since
    counted(store.url, 4, (40, None), (3, 480))  # a month ago, GitHub did not say
    counted(store.url, 5)  # never counted
    counted(store.url, 6, (10, 600))  # lost some
    remove(store.url, 3, "2026-03-02 00:00:00.000000")
    columns = ("stars_7d", "stars_30d", "stars_365d", "forks_7d", "forks_30d", "forks_365d")
    grown = rows(store.url, "SELECT * FROM repository_growth ORDER BY repository_id")
    assert {row["repository_id"]: [row[column] for column in columns] for row in grown} == {
        1: [30, 300, 400, 3, 30, 40],
        2: [50, 50, 50, 5, 5, 5],
        4: [None] * 6,
        5: [None] * 6,
        6: [-100, -100, -100, -10, -10, -10],
    }
    today = datetime.now(UTC).date()
    assert [row["known_since"] and str(row["known_since"]) for row in grown][:2] == [
        str(today - timedelta(days=400)),
        str(today - timedelta(days=20)),
    ]
