"""The ten most frequent referrers and paths: a set for each day on which it changed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.resources.contract import Example, ResourceContract
from tests.resources.visits import DAY, NOW, TODAY, Visits
from tests.stand_in import StandIn
from tests.support.database import HandClock, rows
from tests.support.inside.resources import TRAFFIC, TRAFFIC_POPULAR

pytestmark = pytest.mark.slow_on_servers

REFERRERS, PATHS = "traffic/popular/referrers", "traffic/popular/paths"


def referrer(name: Any, count: Any = 3, uniques: Any = 1) -> dict[str, Any]:
    return {"referrer": name, "count": count, "uniques": uniques}


def path(name: str, title: str, count: int = 3) -> dict[str, Any]:
    return {"path": name, "title": title, "count": count, "uniques": 1}


class TestTrafficPopular(ResourceContract):
    example = Example(
        resource=TRAFFIC_POPULAR,
        first={
            REFERRERS: [referrer("whisper.example", 9), referrer("rumour.example")],
            PATHS: [path("/octo/covert", "Undisclosed")],
        },
        changed={
            REFERRERS: [referrer("whisper.example", 10)],
            PATHS: [path("/octo/covert", "Undisclosed"), path("/octo/furtive", "Hearsay")],
        },
        empty={REFERRERS: [], PATHS: []},
        secrets=(
            *("whisper.example", "rumour.example", "/octo/covert", "Undisclosed"),
            *("/octo/furtive", "Hearsay"),
        ),
        readings=("traffic_windows",),
    )


class Popular(Visits):
    """A repository with what is popular there."""

    def answer(self, *referrers: dict[str, Any]) -> None:
        self.github.set_child(self.rid, REFERRERS, list(referrers))

    def sets(self, table: str = "referrers") -> dict[date, list[tuple[str, int, int]]]:
        """Return the stored sets, by day."""
        text = table.removesuffix("s")
        found: dict[date, list[tuple[str, int, int]]] = {}
        query = f"SELECT * FROM traffic_{table} ORDER BY read_on, position"
        for row in rows(self.url, query):
            day = date.fromisoformat(str(row["read_on"]))
            found.setdefault(day, []).append((row[text], row["count"], row["uniques"]))
        return found

    def on(self, day: date, kind: str = "referrers") -> list[tuple[str, int, int]]:
        """Return the set that held on the day of a reading."""
        return self.sets(kind).get(self.windows(kind)[day]["newest_day"], [])


@pytest.fixture
def popular(github: StandIn, ledger_url: str) -> Popular:
    return Popular(github, ledger_url, HandClock(NOW))


def test_a_referrer_that_dropped_out_today_is_not_left_in_todays_set(popular: Popular) -> None:
    popular.answer(referrer("a", 9), referrer("b", 5))
    popular.read(TRAFFIC_POPULAR)
    popular.clock.advance(hours=3)
    popular.answer(referrer("b", 6))
    popular.read(TRAFFIC_POPULAR)
    assert popular.sets() == {TODAY: [("b", 6, 1)]}


def test_sets_are_kept_by_the_day_and_earlier_ones_stay(popular: Popular) -> None:
    popular.answer(referrer("a", 9), referrer("b", 5))
    popular.read(TRAFFIC_POPULAR)
    popular.at(TODAY + DAY)
    popular.answer(referrer("a", 8))
    popular.read(TRAFFIC_POPULAR)
    first = [("a", 9, 1), ("b", 5, 1)]
    assert popular.sets() == {TODAY: first, TODAY + DAY: [("a", 8, 1)]}
    assert (popular.on(TODAY), popular.on(TODAY + DAY)) == (first, [("a", 8, 1)])


def test_the_same_set_a_day_later_is_a_reading_and_no_further_set(popular: Popular) -> None:
    popular.answer(referrer("a", 9))
    popular.read(TRAFFIC_POPULAR)
    popular.at(TODAY + DAY)
    popular.read(TRAFFIC_POPULAR)
    popular.at(TODAY + 2 * DAY)
    popular.read(TRAFFIC_POPULAR, full=True)  # 200 in place of a 304
    assert set(popular.sets()) == {TODAY}
    assert {day: popular.on(day) for day in popular.windows("referrers")} == {
        TODAY + number * DAY: [("a", 9, 1)] for number in range(3)
    }


def test_a_set_that_became_empty_holds_no_row_on_that_day(popular: Popular) -> None:
    popular.answer(referrer("a"))
    popular.read(TRAFFIC_POPULAR)
    popular.at(TODAY + DAY)
    popular.answer()
    popular.read(TRAFFIC_POPULAR)
    assert (popular.on(TODAY), popular.on(TODAY + DAY)) == ([("a", 3, 1)], [])


def test_a_set_that_comes_back_after_an_empty_one_is_stored_again(popular: Popular) -> None:
    for number, given in enumerate([[referrer("a")], [], [referrer("a")]]):
        popular.at(TODAY + number * DAY)
        popular.answer(*given)
        popular.read(TRAFFIC_POPULAR)
    held = [popular.on(TODAY + number * DAY) for number in range(3)]
    assert held == [[("a", 3, 1)], [], [("a", 3, 1)]]


def test_a_second_account_that_reads_the_same_set_leaves_every_days_set_readable(
    popular: Popular,
) -> None:
    popular.github.add_user("hubber", token=(other := "ghp_" + "u9" * 18), scopes=("public_repo",))
    popular.github.add_collaborator("hubber", popular.rid)
    popular.load_list(other, "other")
    popular.answer(referrer("a"))
    popular.read(TRAFFIC_POPULAR)
    popular.at(TODAY + DAY)
    popular.read(TRAFFIC_POPULAR, token=other, account="other")
    assert [popular.on(TODAY), popular.on(TODAY + DAY)] == [[("a", 3, 1)]] * 2
    popular.at(TODAY + 2 * DAY)
    popular.read(TRAFFIC_POPULAR)
    assert popular.on(TODAY + 2 * DAY) == [("a", 3, 1)]


def test_no_daily_series_is_made_of_the_sums_of_14_days(popular: Popular) -> None:
    popular.github.set_traffic(popular.rid, "views", {TODAY - DAY: (5, 5)})
    for number, count in enumerate((50, 60, 40)):
        popular.at(TODAY + number * DAY)
        popular.answer(referrer("a", count))
        popular.read(TRAFFIC, TRAFFIC_POPULAR)
    told = [popular.on(TODAY + number * DAY) for number in range(3)]
    assert told == [[("a", 50, 1)], [("a", 60, 1)], [("a", 40, 1)]]
    assert popular.stored() == {TODAY - DAY: (5, 5)}


def test_empty_lists_are_ordinary(popular: Popular) -> None:
    counts = popular.read(TRAFFIC_POPULAR).counts["traffic_popular"]
    assert (counts.asked, counts.failed, counts.skipped) == (2, 0, 0)
    assert popular.state(resource="traffic_popular")["status"] == "complete"
    assert (popular.on(TODAY), popular.on(TODAY, "paths")) == ([], [])


def test_a_repository_without_views_is_not_asked_for_what_is_popular(popular: Popular) -> None:
    popular.read(TRAFFIC)
    popular.github.clear_requests()
    assert popular.read(TRAFFIC, TRAFFIC_POPULAR).counts["traffic_popular"].asked == 0
    popular.github.set_traffic(popular.rid, "views", lambda _: (24, 24))
    popular.clock.advance(hours=1)
    assert popular.read(TRAFFIC, TRAFFIC_POPULAR).counts["traffic_popular"].asked == 2


# Answers that GitHub should not give


@pytest.mark.parametrize(
    "odd",
    [
        {"count": 3, "uniques": 1},
        referrer(None),
        referrer(5),
        referrer("a", -1),
        referrer("a", "3"),
        referrer("a", 2**63),
        referrer("a", 3, None),
        *([], None, "a", 7),
    ],
)
def test_a_row_that_cannot_be_read_is_set_aside_and_the_others_are_stored(
    popular: Popular, odd: Any
) -> None:
    popular.answer(referrer("x", 9), odd, referrer("y", 2))
    counts = popular.read(TRAFFIC_POPULAR).counts["traffic_popular"]
    assert (counts.skipped, counts.failed) == (1, 0)
    assert popular.sets() == {TODAY: [("x", 9, 1), ("y", 2, 1)]}
    (reason,) = popular.rejected()
    assert reason.startswith("referrers: ")
    popular.answer(referrer("x", 9), referrer("y", 2))
    popular.clock.advance(hours=1)
    assert (
        popular.read(TRAFFIC_POPULAR).counts["traffic_popular"].not_modified == 0
    )  # it is whole only now


@pytest.mark.parametrize("odd", [{}, None, "x", 5, {"message": "hello"}])
def test_an_answer_that_is_no_list_fails_and_what_is_stored_stays(
    popular: Popular, odd: Any
) -> None:
    popular.answer(referrer("a"))
    popular.read(TRAFFIC_POPULAR)
    popular.github.set_child(popular.rid, REFERRERS, odd)
    popular.at(TODAY + DAY)
    assert popular.read(TRAFFIC_POPULAR).counts["traffic_popular"].failed == 1
    assert popular.sets() == {TODAY: [("a", 3, 1)]}
    assert set(popular.windows("referrers")) == {TODAY}


def test_more_than_ten_rows_and_the_same_name_twice_are_stored_as_told(popular: Popular) -> None:
    given = [referrer(f"site-{number % 9}", 99 - number) for number in range(11)]
    popular.answer(*given)
    popular.read(TRAFFIC_POPULAR)
    assert popular.sets() == {TODAY: [(each["referrer"], each["count"], 1) for each in given]}


def test_long_texts_and_odd_characters_are_stored_in_every_database(popular: Popular) -> None:
    long, odd = "x" * 100_000, "half \ud83d, nul \0, whole \N{GRINNING FACE} é"
    popular.answer(referrer(long, 9), referrer(odd), referrer(""))
    popular.github.set_child(
        popular.rid, PATHS, [path(long, odd), {**path("/", ""), "title": None}]
    )
    popular.read(TRAFFIC_POPULAR)
    mended = "half \ufffd, nul \ufffd, whole \N{GRINNING FACE} é"
    assert popular.sets() == {TODAY: [(long, 9, 1), (mended, 3, 1), ("", 3, 1)]}
    titles = rows(popular.url, "SELECT path, title FROM traffic_paths ORDER BY position")
    assert [tuple(each.values()) for each in titles] == [(long, mended), ("/", None)]
    popular.clock.advance(hours=1)
    assert popular.read(TRAFFIC_POPULAR, full=True).counts["traffic_popular"].skipped == 0


def test_fields_that_are_not_known_are_left_alone(popular: Popular) -> None:
    popular.answer({**referrer("a"), "read_on": "2001-01-01", "position": -5, "more": [1]})
    popular.read(TRAFFIC_POPULAR)
    assert popular.sets() == {TODAY: [("a", 3, 1)]}


@pytest.mark.parametrize("wrong", [DAY, -DAY, 365 * DAY, -365 * DAY])
def test_sets_are_of_the_day_at_github_whatever_this_machines_clock_says(
    popular: Popular, wrong: timedelta
) -> None:
    popular.answer(referrer("a"))
    popular.read(TRAFFIC_POPULAR, clock=HandClock(popular.clock.now + wrong))
    assert set(popular.sets()) == {TODAY}
    assert set(popular.windows("referrers")) == {TODAY}
