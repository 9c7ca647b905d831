"""The views of figures by the day: what is known of each day, and what is not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from tests.support.database import HOST, START, execute, repository, store_page, values
from tests.support.inside.core import DatabaseError
from tests.support.inside.database import Run, Store, metadata, migrate
from tests.support.migrating import migrate_to

VIEWS = ("traffic_daily", "star_totals", "downloads_daily")
DAY = timedelta(days=1)


def march(day: int) -> date:
    return date(2026, 3, 1) + (day - 1) * DAY


def add(url: str, table: str, *rows: dict[str, Any], repository_id: int | None = 1) -> None:
    """Add rows of a repository, each with what every row of the table needs."""
    columns = metadata.tables[table].c
    common: dict[str, Any] = {"host": HOST}
    common |= {
        name: START for name in ("first_seen_at", "changed_at", "read_at") if name in columns
    }
    common |= {"repository_id": repository_id} if "repository_id" in columns else {}
    execute(url, *(insert(metadata.tables[table]).values({**common, **row}) for row in rows))


def views_of(url: str, **days: int) -> None:
    """Have views been told of days in March, such as `d5=3`."""
    kind = {"kind": "views", "uniques": 1}
    for name, count in days.items():
        add(url, "traffic_days", {**kind, "day": march(int(name[1:])), "count": count})


def read(url: str, day: int, until: int | None, kind: str = "views") -> None:
    """Have traffic been read on a day in March, and be complete until another."""
    complete = None if until is None else march(until)
    window = {"kind": kind, "read_on": march(day), "complete_until": complete}
    add(url, "traffic_windows", window)


def shown(url: str, view: str, *columns: str, repository_id: int = 1) -> dict[int, Any]:
    """Return the values of each day of March that the view shows."""
    found = values(
        url,
        f"SELECT day, {', '.join(columns)} FROM {view} "
        f"WHERE repository_id = {repository_id} ORDER BY day",
    )
    days = [(date.fromisoformat(str(day)) - march(1)).days + 1 for day, *_ in found]
    assert days == list(range(days[0], days[0] + len(days))) if days else True
    told = [row[1:] if len(columns) > 1 else row[1] for row in found]
    return dict(zip(days, told, strict=True))


@pytest.fixture
def url(store: Store, run: Run) -> str:
    store_page(store, run, repository(1, "octo/one"), repository(2, "octo/two"))
    return store.url


def test_views_of_an_empty_ledger_show_nothing(ledger_url: str) -> None:
    for view in VIEWS:
        assert values(ledger_url, f"SELECT * FROM {view}") == []


def test_a_repository_of_which_nothing_was_read_has_no_days(url: str) -> None:
    for view in VIEWS:
        assert values(url, f"SELECT * FROM {view}") == []


def test_a_day_of_traffic_that_a_later_reading_covers_is_known_and_zero_without_a_row(
    url: str,
) -> None:
    views_of(url, d18=7, d20=9)
    read(url, 20, 19)
    found = shown(url, "traffic_daily", "views", "view_uniques", "clones", "clone_uniques")
    assert (min(found), max(found)) == (7, 20)
    assert found[18] == (7, 1, None, None)
    assert found[17] == found[19] == found[7] == (0, 0, None, None)
    assert found[20] == (None,) * 4  # it was not over when it was read


def test_a_day_that_a_reading_does_not_prove_is_unknown_even_with_a_row(url: str) -> None:
    views_of(url, d6=4, d10=5, d19=3)
    read(url, 20, 17)
    found = shown(url, "traffic_daily", "views")
    assert found[6] is None  # the day that GitHub cuts
    assert (found[7], found[10], found[17]) == (0, 5, 0)
    assert (found[18], found[19], found[20]) == (None, None, None)


def test_a_reading_that_proves_nothing_makes_no_day_known(url: str) -> None:
    views_of(url, d19=3)
    read(url, 20, None)
    assert set(shown(url, "traffic_daily", "views").values()) == {None}


def test_days_that_no_reading_covers_are_unknown_and_not_zero(url: str) -> None:
    views_of(url, d1=1, d40=8)
    read(url, 2, 1)
    read(url, 41, 40)
    found = shown(url, "traffic_daily", "views")
    assert (found[1], found[40]) == (1, 8)
    gap = {day for day, count in found.items() if count is None}
    assert gap == {*range(2, 28), 41}


def test_views_and_clones_are_known_apart(url: str) -> None:
    views_of(url, d18=7)
    read(url, 20, 19)
    add(url, "traffic_days", {"kind": "clones", "day": march(21), "count": 2, "uniques": 1})
    read(url, 22, 21, kind="clones")
    found = shown(url, "traffic_daily", "views", "clones")
    assert (found[18], found[21], found[22]) == ((7, 0), (None, 2), (None, None))


def test_lists_of_referrers_are_no_readings_of_views(url: str) -> None:
    read(url, 20, 19, kind="referrers")
    assert values(url, "SELECT * FROM traffic_daily") == []


def test_traffic_of_many_years_has_every_day(url: str) -> None:
    first = date(2009, 6, 1)
    add(url, "traffic_days", {"kind": "views", "day": first, "count": 1, "uniques": 1})
    read(url, 20, 19)
    found = values(url, "SELECT count(*), min(day) FROM traffic_daily WHERE repository_id = 1")
    assert [(count, str(day)) for count, day in found] == [
        ((march(20) - first).days + 1, str(first))
    ]


def test_no_view_shows_a_day_in_the_future(url: str) -> None:
    today = datetime.now(UTC).date()
    ahead = today + 30 * DAY
    window = {"kind": "views", "read_on": ahead, "complete_until": today}
    add(url, "traffic_windows", window)
    read(url, 20, 19)
    add(url, "star_history", {"day": today - DAY, "stars": 1}, {"day": ahead, "stars": 1})
    add_asset(url, 11, {1: 5})
    add(url, "download_readings", {"first_day": march(1), "last_day": ahead})
    for view in VIEWS:
        ((last,),) = values(url, f"SELECT max(day) FROM {view}")
        assert date.fromisoformat(str(last)) <= datetime.now(UTC).date(), view


def state(url: str, **fields: Any) -> None:
    execute(url, "DELETE FROM resource_states")
    common = {"account": "me", "resource": "stars", "status": "complete", "failures": 0}
    whole = {"cursor": '{"whole_at":"2026-03-20T00:00:00+00:00"}'}
    read_at = datetime(2026, 3, 20, 23, 59, 59, 999999, tzinfo=UTC)
    add(url, "resource_states", {**common, **whole, "checked_at": read_at, **fields})


def test_stars_add_up_until_the_day_of_the_last_reading(url: str) -> None:
    add(url, "star_history", {"day": march(16), "stars": 2}, {"day": march(18), "stars": 3})
    state(url)
    found = shown(url, "star_totals", "gained", "retained")
    assert found == {16: (2, 2), 17: (0, 2), 18: (3, 5), 19: (0, 5), 20: (0, 5)}


def test_a_reading_that_failed_does_not_prolong_the_stars(url: str) -> None:
    add(url, "star_history", {"day": march(16), "stars": 2})
    state(url, status="failed", changed_at=datetime(2026, 3, 17, tzinfo=UTC))
    assert list(shown(url, "star_totals", "retained")) == [16, 17]


def test_stars_that_are_kept_are_unknown_until_all_pages_of_the_history_were_read(
    url: str,
) -> None:
    add(url, "star_history", {"day": march(19), "stars": 2})
    state(url, cursor='{"began_at":"2026-03-20T00:00:00+00:00","next":"https://x"}')
    assert shown(url, "star_totals", "gained", "retained") == {19: (2, None), 20: (0, None)}


def test_stars_that_were_taken_back_are_left_out_of_all_days_since(url: str) -> None:
    add(url, "star_history", {"day": march(19), "stars": 9}, {"day": march(20), "stars": 1})
    state(url)
    execute(url, "UPDATE star_history SET stars = 4 WHERE stars = 9")
    assert shown(url, "star_totals", "retained") == {19: 4, 20: 5}


def add_asset(url: str, id_: int, counts: dict[int, int], **fields: Any) -> None:
    """Add an asset with its counts on days in March."""
    if not values(url, "SELECT id FROM releases"):
        add(url, "releases", {"id": 1, "draft": False, "prerelease": False})
    asset = {"id": id_, "release_id": 1, "size": 1, "download_count": max(counts.values())}
    add(url, "release_assets", asset | fields)
    told = ({"asset_id": id_, "day": march(d), "download_count": n} for d, n in counts.items())
    add(url, "asset_downloads", *told)


def test_downloads_of_a_day_are_what_all_assets_have_more_than_the_day_before(url: str) -> None:
    add(url, "download_readings", {"first_day": march(1), "last_day": march(5)})
    add_asset(url, 11, {1: 10, 3: 14})
    add_asset(url, 12, {1: 1, 3: 2, 4: 7})
    found = shown(url, "downloads_daily", "downloads", "total")
    assert found == {1: (None, 11), 2: (0, 11), 3: (5, 16), 4: (5, 21), 5: (0, 21)}


def test_an_asset_that_is_new_counts_from_nothing_and_a_removed_one_keeps_its_count(
    url: str,
) -> None:
    add(url, "download_readings", {"first_day": march(1), "last_day": march(4)})
    add_asset(url, 11, {1: 10}, removed_at=START)
    add_asset(url, 12, {3: 2})
    found = shown(url, "downloads_daily", "downloads", "total")
    assert found == {1: (None, 10), 2: (0, 10), 3: (2, 12), 4: (0, 12)}


def test_downloads_across_days_that_nobody_read_are_of_no_day(url: str) -> None:
    add(
        url,
        "download_readings",
        {"first_day": march(1), "last_day": march(2)},
        {"first_day": march(5), "last_day": march(6)},
    )
    add_asset(url, 11, {1: 10, 5: 90, 6: 91})
    found = shown(url, "downloads_daily", "downloads", "total")
    assert {day: gained for day, (gained, _) in found.items()} == {
        1: None,
        2: 0,
        3: None,
        4: None,
        5: None,
        6: 1,
    }
    assert [total for _, total in found.values()] == [10, 10, 10, 10, 90, 91]


def test_figures_are_shown_under_the_name_that_a_repository_has_now(
    url: str, store: Store, run: Run
) -> None:
    fill(url)
    store_page(store, run, repository(1, "octo/renamed"), repository(3, "octo/one"))
    for view in VIEWS:
        told = values(url, f"SELECT DISTINCT repository_id, full_name FROM {view}")
        assert told == [(1, "octo/renamed")], view
        assert values(url, f"SELECT * FROM {view} WHERE full_name = 'octo/one'") == []


def fill(url: str) -> None:
    """Add a day of each figure of the first repository."""
    read(url, 20, 19)
    add(url, "star_history", {"day": march(16), "stars": 2})
    add_asset(url, 11, {1: 10})


def test_figures_of_two_repositories_are_not_mixed(url: str) -> None:
    fill(url)
    views_of(url, d18=7)
    window = {"kind": "views", "read_on": march(19), "complete_until": march(18)}
    add(url, "traffic_windows", window, repository_id=2)
    add(url, "star_history", {"day": march(15), "stars": 7}, repository_id=2)
    assert shown(url, "traffic_daily", "views", repository_id=2)[18] == 0
    assert shown(url, "star_totals", "retained", repository_id=2) == {15: 7}
    assert shown(url, "star_totals", "retained") == {16: 2}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_of_the_users_with_such_a_name_is_not_taken_over(
    database_url: str, view: str
) -> None:
    migrate_to(database_url, "0012")
    execute(database_url, f"CREATE VIEW {view} AS SELECT 5 AS x")
    with pytest.raises(DatabaseError, match=rf"{view} is not repoledger's"):
        migrate.upgrade(database_url)
    assert values(database_url, f"SELECT x FROM {view}") == [(5,)]
    assert migrate.check(database_url) == "0012"
