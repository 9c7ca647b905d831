"""Traffic: views and clones by day, of which the largest value that was told is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.conftest import TOKEN
from tests.resources.contract import Example, ResourceContract
from tests.resources.visits import DAY, NOW, TODAY, Visits, answer
from tests.stand_in import StandIn
from tests.support.database import HandClock, snapshot, values
from tests.support.inside.resources import LANGUAGES, TRAFFIC, TRAFFIC_POPULAR

pytestmark = pytest.mark.slow_on_servers

# Before any day on which a test of the contract reads.
LAST = (datetime.now(UTC) - timedelta(days=33)).date()


class TestTraffic(ResourceContract):
    example = Example(
        resource=TRAFFIC,
        first={
            "traffic/views": answer("views", {LAST - DAY: (30, 4), LAST: (7, 2)}),
            "traffic/clones": answer("clones", {LAST: (2, 1)}),
        },
        changed={
            "traffic/views": answer("views", {LAST: (9, 2), LAST + DAY: (1, 1)}),
            "traffic/clones": answer("clones", {LAST: (2, 1), LAST + DAY: (3, 1)}),
        },
        empty={"traffic/views": answer("views", {}), "traffic/clones": answer("clones", {})},
        readings=("traffic_windows",),
    )


@pytest.fixture
def visits(github: StandIn, ledger_url: str) -> Visits:
    return Visits(github, ledger_url, HandClock(NOW))


def test_the_cut_oldest_day_never_lowers_a_stored_day(visits: Visits) -> None:
    visits.github.set_traffic(visits.rid, "views", lambda _: (198, 40))
    visits.read()
    visits.clock.advance(days=13, hours=14)
    visits.read()
    assert visits.told()[TODAY - DAY] == (4, 1)
    assert visits.stored()[TODAY - DAY] == (198, 40)


def test_todays_partial_value_is_raised_by_the_next_reading(visits: Visits) -> None:
    visits.github.set_traffic(visits.rid, "views", lambda _: (96, 24))
    visits.read()
    assert visits.stored()[TODAY] == (38, 9)
    visits.clock.advance(hours=12)
    visits.read()
    assert visits.stored()[TODAY] == (86, 21)
    visits.at(TODAY + DAY)
    visits.read()
    assert visits.stored()[TODAY] == (96, 24)


def test_a_day_that_flips_between_two_values_keeps_the_larger_of_each(visits: Visits) -> None:
    day = TODAY - 5 * DAY
    visits.github.set_traffic(visits.rid, "views", {day: (20, 3)})
    visits.github.flip_traffic(visits.rid, "views", day, (18, 4))
    for _ in range(3):
        visits.read()
        visits.clock.advance(hours=1)
    assert visits.stored() == {day: (20, 4)}


def test_the_uniques_of_14_days_are_stored_as_told_and_not_summed(visits: Visits) -> None:
    days = {TODAY - number * DAY: (90, 76) for number in range(1, 11)}
    visits.github.set_traffic(visits.rid, "views", days, uniques=616)
    visits.read()
    window = visits.windows()[TODAY]
    assert (window["count"], window["uniques"]) == (900, 616)
    assert sum(uniques for _, uniques in visits.stored().values()) == 760


def test_days_that_vanish_from_an_answer_stay_as_they_are(visits: Visits) -> None:
    visits.github.set_traffic(visits.rid, "views", lambda _: (10, 2))
    visits.github.set_traffic(visits.rid, "clones", lambda _: (4, 1))
    visits.read()
    before = visits.stored(), visits.stored("clones")
    visits.github.drop_traffic([TODAY - number * DAY for number in range(4, 10)])
    visits.clock.advance(hours=1)
    visits.read()
    after = visits.stored(), visits.stored("clones")
    assert [len(each) for each in after] == [len(each) for each in before]
    assert all(after[n][day] >= told for n in (0, 1) for day, told in before[n].items())


def test_github_is_behind_is_said_where_no_repository_has_yesterday_and_no_zero_is_written(
    github: StandIn, ledger_url: str
) -> None:
    visits = Visits(github, ledger_url, HandClock(NOW), count=3)
    for rid in visits.ids:
        github.set_traffic(rid, "views", lambda _: (10, 2))
        github.set_traffic(rid, "clones", lambda _: (10, 2))
    with capture_logs() as events:
        visits.read()
    assert [each for each in events if each["event"] == "resource.behind"] == []
    visits.at(TODAY + 5 * DAY)
    github.stall_traffic(TODAY + 2 * DAY)
    with capture_logs() as events:
        visits.read()
    (said,) = [each for each in events if each["event"] == "resource.behind"]
    assert said["newest_day"] == f"{TODAY + 2 * DAY}"
    assert "GitHub is behind" in said["message"]
    assert (0, 0) not in visits.stored().values()
    assert max(visits.known()) == TODAY + 2 * DAY
    github.stall_traffic(None)
    visits.clock.advance(hours=3)
    with capture_logs() as events:
        visits.read()
    assert [each for each in events if each["event"] == "resource.behind"] == []
    assert visits.known()[TODAY + 4 * DAY] == (10, 2)


def test_a_gap_in_an_answer_is_a_zero_only_where_proven_and_values_are_whole_numbers(
    visits: Visits,
) -> None:
    days = {TODAY - 2 * DAY: (7, 3), TODAY - 6 * DAY: (5, 1)}
    visits.github.set_traffic(visits.rid, "views", days)
    visits.read()
    assert visits.stored() == days
    expected = {TODAY - n * DAY: (0, 0) for n in range(2, 14)} | days
    assert visits.known() == expected
    assert TODAY - DAY not in visits.known()  # no repository has a day as new
    for day, count in values(visits.url, "SELECT day, count FROM traffic_days"):
        assert (len(str(day)), type(count)) == (10, int)


def test_answers_without_a_day_are_ordinary(visits: Visits) -> None:
    counts = visits.read(TRAFFIC, TRAFFIC_POPULAR).counts["traffic"]
    assert (counts.asked, counts.failed, counts.skipped) == (2, 0, 0)
    assert visits.state()["status"] == "complete"
    assert (visits.stored(), visits.known()) == ({}, {})
    assert visits.windows()[TODAY]["count"] == 0


def test_fifteen_days_in_one_answer_are_stored_all(visits: Visits) -> None:
    visits.github.set_traffic(visits.rid, "views", lambda _: (48, 12))
    visits.read()
    assert len(visits.stored()) == 15
    assert visits.state()["status"] == "complete"


@pytest.mark.parametrize("case", ["no push", "no permission"])
def test_a_refused_request_writes_no_row_and_the_last_good_one_stays(
    visits: Visits, case: str
) -> None:
    visits.github.set_traffic(visits.rid, "views", lambda _: (48, 12))
    visits.read()
    before = {name: snapshot(visits.url)[name] for name in ("traffic_days", "traffic_windows")}
    visits.github.answer_child("traffic/*", case)
    visits.at(TODAY + DAY)
    visits.read()
    assert visits.state()["status"] == "refused"
    after = snapshot(visits.url)
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("no push", "Must have push access to repository"),
        ("no permission", "Resource not accessible by personal access token"),
    ],
)
def test_both_refusals_name_the_permission_and_others_go_on(
    github: StandIn, ledger_url: str, case: str, message: str
) -> None:
    visits = Visits(github, ledger_url, HandClock(NOW), count=2)
    for rid in visits.ids:
        github.set_traffic(rid, "views", lambda _: (48, 12))
    github.answer_child("traffic/*", case, rid=visits.rid)
    with capture_logs() as events:
        loaded = visits.read(TRAFFIC, TRAFFIC_POPULAR, LANGUAGES)
    said = [each for each in events if each["event"] == "resource.refused"]
    assert [each["resource"] for each in said] == ["traffic", "traffic_popular"]
    assert {each["needs"] for each in said} == {"administration: read"}
    assert message in visits.state()["detail"]
    assert loaded.counts["traffic"].refused == 1
    assert visits.state(visits.ids[1])["status"] == "complete"
    assert len(visits.stored(rid=visits.ids[1])) == 15
    assert loaded.counts["languages"].refused == 0


def test_views_and_clones_are_asked_for_by_the_day(visits: Visits) -> None:
    visits.github.clear_requests()
    visits.read()
    asked = [(each.path, dict(each.query)) for each in visits.github.requests]
    about = f"/repositories/{visits.rid}/traffic"
    assert asked == [(f"{about}/{kind}", {"per": "day"}) for kind in ("views", "clones")]


def test_the_days_of_a_repository_go_on_when_it_is_renamed_and_a_reused_name_has_its_own(
    visits: Visits,
) -> None:
    visits.github.set_traffic(visits.rid, "views", {TODAY - DAY: (7, 3)})
    visits.read()
    visits.github.rename(visits.rid, "renamed")
    reused = visits.github.add_repository("octo", "repo-0")
    visits.github.set_traffic(reused, "views", {TODAY: (90, 80)})
    visits.github.set_traffic(visits.rid, "views", {TODAY - DAY: (8, 3), TODAY: (20, 10)})
    visits.at(TODAY + DAY)
    visits.load_list()
    visits.read()
    assert visits.stored() == {TODAY - DAY: (8, 3), TODAY: (20, 10)}
    assert visits.stored(rid=reused) == {TODAY: (90, 80)}


def test_a_repository_of_others_that_may_not_be_pushed_to_is_not_asked_for(
    visits: Visits,
) -> None:
    visits.github.add_user("hubber", token=(other := "ghp_" + "u9" * 18), scopes=("public_repo",))
    visits.github.add_collaborator("hubber", visits.rid, permission="pull")
    visits.load_list(other, "other")
    assert visits.read(token=other, account="other").counts["traffic"].asked == 0


def two_accounts(visits: Visits) -> Any:
    """Let another account, that may push, list the repository; return its token and name."""
    visits.github.add_user("hubber", token=(other := "ghp_" + "u9" * 18), scopes=("public_repo",))
    visits.github.add_collaborator("hubber", visits.rid)
    visits.load_list(other, "other")
    return {"token": other, "account": "other"}


def test_what_two_accounts_read_of_a_repository_is_one_series(visits: Visits) -> None:
    other = two_accounts(visits)
    visits.github.set_traffic(visits.rid, "views", lambda _: (48, 12))
    visits.read()
    visits.at(TODAY + DAY)
    visits.read(**other)
    assert visits.stored()[TODAY] == (48, 12)
    assert set(visits.windows()) == {TODAY, TODAY + DAY}
    assert TOKEN not in str(snapshot(visits.url))
