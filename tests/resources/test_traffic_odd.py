"""Answers about traffic that GitHub should not give, and clocks that are wrong."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.resources.visits import DAY, NOW, TODAY, Visits, answer
from tests.stand_in import StandIn
from tests.support.database import HandClock, snapshot

# What is read of an answer does not depend on the database; the contract runs on each of them.
pytestmark = pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)

YESTERDAY, BEFORE = TODAY - DAY, TODAY - 2 * DAY


@pytest.fixture
def visits(github: StandIn, ledger_url: str) -> Visits:
    return Visits(github, ledger_url, HandClock(NOW))


def tell(visits: Visits, *rows: tuple[Any, Any, Any]) -> None:
    """Let GitHub tell these views: texts of days, counts and uniques."""
    visits.github.set_child(visits.rid, "traffic/views", answer("views", rows))


def row(day: date, count: Any = 5, uniques: Any = 2) -> tuple[Any, Any, Any]:
    return (f"{day}T00:00:00Z", count, uniques)


@pytest.mark.parametrize(
    "odd",
    [
        *(row(BEFORE, value) for value in (-1, "7", 2**62, 2**63, 1.5, None, True)),
        *(row(BEFORE, 7, value) for value in (-1, "7", 2**63)),
        *(row(TODAY + number * DAY) for number in (1, 2, 365)),
        (f"{BEFORE}T00:00:00+02:00", 7, 1),
        (f"{BEFORE}T02:00:00Z", 7, 1),
        (f"{BEFORE}T00:00:00", 7, 1),
        ("0001-01-01T00:00:00+01:00", 7, 1),
        *((text, 7, 1) for text in (f"{BEFORE}", "yesterday", None, 1788048000, "")),
    ],
    ids=repr,
)
def test_a_day_that_cannot_be_right_is_set_aside_and_the_answer_proves_no_zero(
    visits: Visits, odd: tuple[Any, Any, Any]
) -> None:
    visits.github.set_child(visits.rid, "traffic/clones", answer("clones", {YESTERDAY: (3, 1)}))
    tell(visits, row(YESTERDAY, 9, 4), odd)
    counts = visits.read().counts["traffic"]
    assert (counts.skipped, counts.failed) == (1, 0)
    assert visits.stored() == {YESTERDAY: (9, 4)}
    assert visits.known() == {}
    assert len(visits.known("clones")) == 13
    (reason,) = visits.rejected()
    assert reason.startswith("views: ")
    tell(visits, row(YESTERDAY, 9, 4), row(BEFORE, 8, 1))
    visits.clock.advance(hours=1)
    assert visits.read().counts["traffic"].not_modified == 0
    assert visits.known()[BEFORE] == (8, 1)


def test_the_beginning_of_a_day_in_utc_may_be_written_with_an_offset(visits: Visits) -> None:
    tell(visits, (f"{YESTERDAY}T02:00:00+02:00", 7, 1), (f"{BEFORE}T00:00:00.000Z", 6, 1))
    visits.read()
    assert visits.stored() == {YESTERDAY: (7, 1), BEFORE: (6, 1)}


def test_of_a_day_that_is_told_twice_the_larger_of_each_is_kept(visits: Visits) -> None:
    tell(visits, row(YESTERDAY, 7, 1), row(YESTERDAY, 5, 3), row(YESTERDAY, 6, 2))
    visits.read()
    assert visits.stored() == {YESTERDAY: (7, 3)}


@pytest.mark.parametrize(
    "body",
    [
        *([], None, {}, "traffic", 7),
        {"count": 1, "uniques": 1},
        {"count": 1, "uniques": 1, "views": None},
        {"count": 1, "uniques": 1, "views": {}},
        {"count": 1, "uniques": 1, "clones": []},
        *({"count": value, "uniques": 1, "views": []} for value in (-1, "1", 2**63, None)),
    ],
    ids=repr,
)
def test_an_answer_of_another_shape_fails_and_what_is_stored_stays(
    visits: Visits, body: Any
) -> None:
    visits.github.set_traffic(visits.rid, "views", {YESTERDAY: (7, 1)})
    visits.read()
    before = {name: snapshot(visits.url)[name] for name in ("traffic_days", "traffic_windows")}
    visits.github.set_child(visits.rid, "traffic/views", body)
    visits.at(TODAY + DAY)
    assert visits.read().counts["traffic"].failed == 1
    state = visits.state()
    assert state["status"] == "failed"
    assert state["detail"].startswith("UnexpectedAnswer: ")
    assert {name: snapshot(visits.url)[name] for name in before} == before


def test_days_from_long_before_the_window_are_stored_and_prove_nothing_there(
    visits: Visits,
) -> None:
    tell(visits, *(row(TODAY - number * DAY, 400 - number) for number in range(400)))
    visits.read()
    assert len(visits.stored()) == 400
    assert visits.state()["status"] == "complete"
    assert set(visits.known()) == {TODAY - number * DAY for number in range(1, 14)}


@pytest.mark.parametrize("wrong", [DAY, -DAY, 365 * DAY, -365 * DAY], ids=str)
def test_days_are_githubs_whatever_this_machines_clock_says(
    visits: Visits, wrong: timedelta
) -> None:
    visits.github.cut_traffic(shown=False)
    visits.github.set_traffic(visits.rid, "views", lambda day: (day.day, 1))
    visits.github.set_traffic(visits.rid, "clones", {YESTERDAY: (5, 1)})
    visits.read(clock=HandClock(visits.clock.now + wrong))
    assert set(visits.windows()) == {TODAY}
    assert visits.rejected() == []
    assert visits.known() == {TODAY - n * DAY: ((TODAY - n * DAY).day, 1) for n in range(1, 14)}
    zeros = [day for day, value in visits.known("clones").items() if value == (0, 0)]
    assert zeros == [TODAY - number * DAY for number in range(13, 1, -1)]


@pytest.mark.parametrize("wrong", [DAY, 365 * DAY], ids=str)
def test_a_clock_that_is_put_right_has_the_traffic_read_again_and_loses_nothing(
    visits: Visits, wrong: timedelta
) -> None:
    visits.github.set_traffic(visits.rid, "views", lambda _: (24, 3))
    visits.read(clock=HandClock(visits.clock.now + wrong))
    visits.load_list()  # which sets the ledger's time right
    visits.clock.advance(hours=1)
    loaded = visits.read()
    assert (loaded.counts["traffic"].asked, loaded.lost_days) == (2, 0)
    visits.at(TODAY + DAY)
    assert visits.read().lost_days == 0
    assert visits.known()[TODAY] == (24, 3)


def test_a_wrong_clock_does_not_make_github_behind(github: StandIn, ledger_url: str) -> None:
    visits = Visits(github, ledger_url, HandClock(NOW), count=3)
    for rid in visits.ids:
        github.set_traffic(rid, "views", lambda _: (24, 3))
    visits.read(clock=HandClock(visits.clock.now + 5 * DAY))
    lost_at = {row["lost_at"] for row in snapshot(visits.url)["resource_states"]}
    assert {each.date() for each in lost_at} == {TODAY + 14 * DAY}


def test_an_answer_of_a_request_over_midnight_proves_no_zero(visits: Visits) -> None:
    visits.github.set_traffic(visits.rid, "views", {YESTERDAY: (24, 3)})
    visits.clock.now = visits.clock.now.replace(hour=23, minute=59, second=59, microsecond=600_000)
    visits.read()
    assert (visits.stored(), visits.known()) == ({YESTERDAY: (24, 3)}, {})
    assert set(visits.windows()) == {TODAY}
