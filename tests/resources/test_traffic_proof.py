"""What is known of days without a row, and which days are lost."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.resources.visits import DAY, NOW, TODAY, Visits
from tests.stand_in import StandIn
from tests.support.database import HandClock, rows, snapshot

pytestmark = pytest.mark.slow_on_servers

YESTERDAY = TODAY - DAY


def visits_of(github: StandIn, url: str, count: int) -> Visits:
    return Visits(github, url, HandClock(NOW), count=count)


@pytest.fixture
def visits(github: StandIn, ledger_url: str) -> Visits:
    return visits_of(github, ledger_url, 1)


# Zeros


def test_a_day_is_zero_where_the_repository_has_a_newer_one(visits: Visits) -> None:
    visits.github.set_traffic(visits.rid, "views", {TODAY: (48, 9)})
    visits.read()
    assert visits.known() == {TODAY - number * DAY: (0, 0) for number in range(1, 14)}
    assert visits.known("clones") == {}  # views prove nothing of clones


def test_a_day_is_zero_where_a_repository_that_was_answered_before_has_a_newer_one(
    github: StandIn, ledger_url: str
) -> None:
    """Requests overlap: the first repositories are asked before anything is answered."""
    visits = visits_of(github, ledger_url, 40)
    github.set_traffic(visits.ids[0], "views", {YESTERDAY: (5, 1)})
    visits.read()
    assert visits.windows(rid=visits.ids[0])[TODAY]["complete_until"] == YESTERDAY
    assert visits.known(rid=visits.ids[-1]) == {TODAY - n * DAY: (0, 0) for n in range(1, 14)}
    assert visits.stored(rid=visits.ids[-1]) == {}


def test_a_repository_that_proved_nothing_is_asked_again_when_a_later_answer_shows_a_day(
    github: StandIn, ledger_url: str
) -> None:
    """The first answer may have been from before GitHub had counted that day."""
    visits = visits_of(github, ledger_url, 40)
    github.set_traffic(visits.ids[-1], "views", {YESTERDAY: (5, 1)})
    github.clear_requests()
    loaded = visits.read()
    assert loaded.tallies["traffic"].read == 40
    asked = Counter(each.path for each in github.requests if each.path.endswith("/views"))
    assert asked[f"/repositories/{visits.ids[0]}/traffic/views"] == 2
    assert asked[f"/repositories/{visits.ids[-1]}/traffic/views"] == 1
    assert len(visits.known(rid=visits.ids[0])) == 13
    assert visits.known("clones", visits.ids[0]) == {}


@pytest.mark.parametrize(("later", "known"), [(2, 13), (24, 12), (48, 0)])
def test_answers_of_the_day_before_show_how_far_github_has_counted(
    github: StandIn, ledger_url: str, later: int, known: int
) -> None:
    visits = visits_of(github, ledger_url, 2)
    github.set_traffic(visits.ids[0], "views", lambda _: (48, 9))
    visits.read(only=[visits.ids[0]])
    visits.clock.advance(hours=later)
    visits.read(only=[visits.ids[1]])
    found = visits.known(rid=visits.ids[1])
    assert (len(found), set(found.values()) - {(0, 0)}) == (known, set())


def test_a_reading_on_the_day_itself_does_not_prove_it(visits: Visits) -> None:
    visits.github.set_traffic(visits.rid, "views", lambda _: (48, 9))
    visits.read()
    assert TODAY in visits.stored()
    assert TODAY not in visits.known()
    assert max(visits.known()) == YESTERDAY


def test_days_that_github_has_not_counted_are_unknown(visits: Visits) -> None:
    visits.github.set_traffic(visits.rid, "views", lambda _: (48, 9))
    visits.github.stall_traffic(TODAY - 7 * DAY)
    visits.read()
    assert max(visits.known()) == TODAY - 7 * DAY
    visits.github.stall_traffic(None)
    visits.clock.advance(hours=2)
    visits.read()
    assert max(visits.known()) == YESTERDAY


def test_zeros_that_an_answer_spells_out_are_no_proof(visits: Visits) -> None:
    """GitHub showed them for every repository for days, in August 2019."""
    zeros = [
        {"timestamp": f"{TODAY - number * DAY}T00:00:00Z", "count": 0, "uniques": 0}
        for number in range(4)
    ]
    told = {"timestamp": f"{TODAY - 4 * DAY}T00:00:00Z", "count": 5, "uniques": 2}
    body: dict[str, Any] = {"count": 5, "uniques": 2, "views": [told, *zeros]}
    visits.github.set_child(visits.rid, "traffic/views", body)
    visits.read()
    assert visits.stored() == {TODAY - 4 * DAY: (5, 2)}
    assert max(visits.known()) == TODAY - 4 * DAY


def test_an_answer_that_leaves_out_a_day_told_before_proves_no_zero(visits: Visits) -> None:
    visits.github.set_traffic(visits.rid, "views", lambda _: (48, 9))
    visits.read()
    visits.github.drop_traffic([TODAY - 4 * DAY, TODAY, TODAY + DAY])
    visits.at(TODAY + 3 * DAY)
    visits.read()
    assert visits.windows()[TODAY + 3 * DAY]["complete_until"] is None
    assert (visits.stored()[TODAY - 4 * DAY], max(visits.known())) == ((48, 9), YESTERDAY)
    visits.clock.advance(hours=1)
    visits.read()  # the same answer again, a 304
    assert max(visits.known()) == YESTERDAY
    visits.github.drop_traffic([])
    visits.clock.advance(hours=1)
    visits.read()
    assert visits.known()[TODAY + DAY] == (48, 9)


# What is lost


def lost(events: list[Any]) -> list[tuple[int, str, str]]:
    told = [each for each in events if each["event"] == "resource.lost"]
    return [(each["days"], each["first"], each["last"]) for each in told]


def read(visits: Visits, day: date) -> tuple[int, list[tuple[int, str, str]], int]:
    """Read on a day; return the lost days by the result, by the log, and by the ledger."""
    visits.at(day)
    with capture_logs() as events:
        number = visits.read().lost_days
    query = "SELECT lost_days FROM resource_runs WHERE resource = 'traffic' ORDER BY run_id DESC"
    return number, lost(events), rows(visits.url, query)[0]["lost_days"]


def test_after_a_gap_of_20_days_exactly_the_lost_days_are_told_and_once(visits: Visits) -> None:
    visits.github.set_traffic(visits.rid, "views", lambda _: (48, 9))
    assert read(visits, TODAY) == (0, [], 0)
    gone = (7, f"{TODAY}", f"{TODAY + 6 * DAY}")
    assert read(visits, TODAY + 20 * DAY) == (7, [gone], 7)
    unknown = [TODAY + n * DAY for n in range(20) if TODAY + n * DAY not in visits.known()]
    assert (unknown[0], unknown[-1], len(unknown)) == (TODAY, TODAY + 6 * DAY, 7)
    for number in (20, 21, 34):
        assert read(visits, TODAY + number * DAY) == (0, [], 0)


def test_13_days_between_two_readings_lose_nothing_and_14_lose_one(visits: Visits) -> None:
    visits.github.set_traffic(visits.rid, "views", lambda _: (48, 9))
    read(visits, TODAY)
    assert read(visits, TODAY + 13 * DAY) == (0, [], 0)
    day = f"{TODAY + 13 * DAY}"
    assert read(visits, TODAY + 27 * DAY) == (1, [(1, day, day)], 1)


def test_what_github_had_not_counted_before_an_outage_is_lost_too(
    github: StandIn, ledger_url: str
) -> None:
    visits = visits_of(github, ledger_url, 3)
    for rid in visits.ids:
        github.set_traffic(rid, "views", lambda _: (48, 9))
    github.stall_traffic(TODAY - 5 * DAY)
    read(visits, TODAY)
    github.stall_traffic(None)
    days = 6
    gone = (days, f"{TODAY - 4 * DAY}", f"{TODAY + DAY}")
    assert read(visits, TODAY + 15 * DAY) == (3 * days, [gone] * 3, 3 * days)
    unknown = [TODAY + n * DAY for n in range(-13, 15) if TODAY + n * DAY not in visits.known()]
    assert (unknown[0], unknown[-1], len(unknown)) == (TODAY - 4 * DAY, TODAY + DAY, days)


def test_a_day_that_was_read_and_not_proven_before_an_outage_is_told_as_lost(
    github: StandIn, ledger_url: str
) -> None:
    visits = visits_of(github, ledger_url, 2)
    busy, idle = visits.ids
    github.set_traffic(busy, "views", lambda _: (48, 9))
    visits.read(only=[busy])
    visits.clock.advance(days=1)
    visits.read(only=[idle])
    days = 8
    gone = (days, f"{TODAY}", f"{TODAY + 7 * DAY}")
    assert read(visits, TODAY + 21 * DAY) == (2 * days, [gone] * 2, 2 * days)
    span = [TODAY + n * DAY for n in range(-12, 21)]
    known = visits.known(rid=idle)
    assert [day for day in span if day not in known] == span[12 : 12 + days]


def test_nothing_counts_as_read_while_one_of_views_and_clones_fails(visits: Visits) -> None:
    visits.github.set_traffic(visits.rid, "views", lambda _: (48, 9))
    visits.github.set_traffic(visits.rid, "clones", lambda _: (4, 1))
    read(visits, TODAY)
    visits.github.answer_child("traffic/clones", 500)
    for number in (10, 20):
        assert read(visits, TODAY + number * DAY) == (0, [], 0)
        assert visits.state()["status"] == "failed"
    assert TODAY + 19 * DAY in visits.known()
    visits.github.answer_child("traffic/clones", None)
    gone = (8, f"{TODAY}", f"{TODAY + 7 * DAY}")
    assert read(visits, TODAY + 21 * DAY) == (8, [gone], 8)
    assert TODAY + 7 * DAY not in visits.known("clones")


def test_a_refusal_loses_nothing_until_it_is_too_late(visits: Visits) -> None:
    visits.github.set_traffic(visits.rid, "views", lambda _: (48, 9))
    read(visits, TODAY)
    visits.github.answer_child("traffic/*", "no push")
    assert read(visits, TODAY + 5 * DAY) == (0, [], 0)
    (before,) = [row["lost_at"] for row in snapshot(visits.url)["resource_states"]]
    assert before.date() == TODAY + 14 * DAY
    visits.github.answer_child("traffic/*", None)
    assert read(visits, TODAY + 12 * DAY) == (0, [], 0)
