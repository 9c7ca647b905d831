"""Traffic of a repository: the window of 14 days, what is left out of it, the most popular."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.conftest import START

if TYPE_CHECKING:
    from sync.sandbox import Sandbox

Get = Callable[..., requests.Response]
TODAY, DAY = START.date(), timedelta(days=1)  # it is Sunday, 12:00
_BESIDE = Path(__file__).parents[3] / "shared" / "corpus"
CORPUS = Path(os.environ.get("REPOLEDGER_TEST_CORPUS", _BESIDE)) / "traffic.jsonl.gz"


def days(answer: requests.Response, kind: str = "views") -> dict[date, tuple[int, int]]:
    assert answer.status_code == 200, answer.text
    return {
        datetime.fromisoformat(row["timestamp"]).date(): (row["count"], row["uniques"])
        for row in answer.json()[kind]
    }


@pytest.fixture
def rid(github: Sandbox, moments: list[datetime]) -> int:
    """A repository with 100 views by 24 visitors, and 10 clones by 2, each day."""
    rid = github.add_repository("octo", "hello", created_at=START - timedelta(days=100))
    github.set_traffic(rid, "views", lambda _day: (100, 24))
    github.set_traffic(rid, "clones", lambda _day: (10, 2))
    return rid


@pytest.fixture
def views(get: Get, rid: int) -> Callable[..., requests.Response]:
    """Asks for its views by id."""
    return lambda **query: get(f"/repositories/{rid}/traffic/views", **query)


def test_the_window_is_cut_at_both_ends_and_whole_between(views: Get) -> None:
    told = days(views())
    assert list(told) == [TODAY + number * DAY for number in range(-14, 1)]
    assert told[TODAY - 14 * DAY] == told[TODAY] == (50, 12)
    assert {told[TODAY - number * DAY] for number in range(1, 14)} == {(100, 24)}


def test_the_window_moves_with_the_clock(views: Get, moments: list[datetime]) -> None:
    moments.append(START + timedelta(hours=6))
    told = days(views())
    assert (told[TODAY - 14 * DAY], told[TODAY]) == ((25, 6), (75, 18))
    moments.append(datetime(2026, 11, 2, tzinfo=UTC))
    midnight = days(views())
    assert list(midnight) == [TODAY + number * DAY for number in range(-13, 1)]
    assert set(midnight.values()) == {(100, 24)}


def test_the_cut_day_may_be_left_out(github: Sandbox, views: Get, moments: list[datetime]) -> None:
    github.cut_traffic(shown=False)
    assert min(days(views())) == TODAY - 13 * DAY
    moments.append(datetime(2026, 11, 1, tzinfo=UTC))  # when the oldest day is whole
    assert min(days(views())) == TODAY - 14 * DAY
    moments.append(START)
    github.cut_traffic(shown=True)
    assert min(days(views())) == TODAY - 14 * DAY


def test_the_sums_are_of_the_window_and_uniques_are_not_added_up(
    github: Sandbox, views: Get, rid: int
) -> None:
    answer = views().json()
    assert answer["count"] == 1400
    assert 24 < answer["uniques"] < 14 * 24
    github.set_traffic(rid, "views", {TODAY - DAY: (7, 3)}, uniques=5)
    assert views().json() == {
        "count": 7,
        "uniques": 5,
        "views": [{"timestamp": "2026-10-31T00:00:00Z", "count": 7, "uniques": 3}],
    }


def test_days_without_visits_are_left_out(github: Sandbox, get: Get, rid: int) -> None:
    github.set_traffic(rid, "clones", {TODAY - 3 * DAY: (4, 1), TODAY - 2 * DAY: (0, 0)})
    assert days(get("/repos/octo/hello/traffic/clones"), "clones") == {TODAY - 3 * DAY: (4, 1)}
    github.add_repository("octo", "quiet")
    answer = get("/repos/octo/quiet/traffic/clones")
    assert answer.json() == {"count": 0, "uniques": 0, "clones": []}


def test_weeks_begin_on_monday(views: Get) -> None:
    told = days(views(per="week"))
    assert [day.isoformat() for day in told] == ["2026-10-12", "2026-10-19", "2026-10-26"]
    assert [count for count, _ in told.values()] == [50, 700, 650]
    assert days(views(per="day")) == days(views())
    assert views(per="month").status_code == 422


def test_a_stall_has_no_day_newer_than_told_and_all_come_back(
    github: Sandbox, get: Get, views: Get, rid: int
) -> None:
    whole = days(views())
    github.stall_traffic(TODAY - 7 * DAY)
    assert max(days(views())) == TODAY - 7 * DAY
    assert max(days(get("/repos/octo/hello/traffic/clones"), "clones")) == TODAY - 7 * DAY
    github.stall_traffic(None)
    github.stall_traffic(TODAY - 2 * DAY, rid=rid)
    assert max(days(views())) == TODAY - 2 * DAY
    github.stall_traffic(None, rid=rid)
    assert days(views()) == whole


def test_told_days_may_vanish_and_come_back(github: Sandbox, views: Get, rid: int) -> None:
    whole, gone = days(views()), {TODAY - 4 * DAY, TODAY - 5 * DAY}
    github.drop_traffic(gone, rid=rid)
    assert whole.keys() - days(views()).keys() == gone
    assert views().json()["count"] == 1200
    github.drop_traffic((), rid=rid)
    assert days(views()) == whole


def test_an_old_day_may_flip_between_two_values(github: Sandbox, views: Get, rid: int) -> None:
    day = TODAY - 9 * DAY
    github.flip_traffic(rid, "views", day, (90, 20))
    assert {days(views())[day] for _ in range(2)} == {(100, 24), (90, 20)}
    github.flip_traffic(rid, "views", day, None)
    assert {days(views())[day] for _ in range(2)} == {(100, 24)}


def test_the_ten_most_popular_are_told_largest_first(github: Sandbox, get: Get, rid: int) -> None:
    github.set_popular(rid, "referrers", [(f"{n}.example", n, 1) for n in range(1, 13)])
    github.set_popular(rid, "paths", [("/octo/hello", "Hello", 3, 2)])
    referrers = get("/repos/octo/hello/traffic/popular/referrers").json()
    assert referrers[0] == {"referrer": "12.example", "count": 12, "uniques": 1}
    assert [row["count"] for row in referrers] == list(range(12, 2, -1))
    paths = get("/repos/octo/hello/traffic/popular/paths").json()
    assert paths == [{"path": "/octo/hello", "title": "Hello", "count": 3, "uniques": 2}]


def test_the_most_popular_change_once_a_day(
    github: Sandbox, get: Get, rid: int, moments: list[datetime]
) -> None:
    path = f"/repositories/{rid}/traffic/popular/referrers"
    assert get(path).json() == []
    github.set_popular(rid, "referrers", [("a.example", 1, 1)])
    github.set_popular(rid, "referrers", [("b.example", 2, 1)], since=TODAY + DAY)
    assert get(path).json()[0]["referrer"] == "a.example"
    moments.append(START + timedelta(hours=12))
    assert get(path).json()[0]["referrer"] == "b.example"


def test_unchanged_traffic_is_a_304_that_costs_nothing(
    github: Sandbox, get: Get, rid: int, moments: list[datetime]
) -> None:
    github.set_traffic(rid, "views", {TODAY - DAY: (7, 3)})
    path = f"/repositories/{rid}/traffic/views"
    first = get(path)
    again = get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.headers["X-RateLimit-Remaining"] == first.headers["X-RateLimit-Remaining"]
    moments.append(START + timedelta(days=14))
    assert get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_a_former_name_leads_to_the_traffic(github: Sandbox, get: Get, rid: int) -> None:
    github.rename(rid, "renamed")
    moved = get("/repos/octo/hello/traffic/views")
    assert moved.headers["Location"] == f"{github.url}/repositories/{rid}/traffic/views"
    assert get(moved.headers["Location"]).status_code == 200


def test_an_answer_may_be_given_word_for_word(github: Sandbox, get: Get, rid: int) -> None:
    odd: Any = {"count": -1, "views": [{"timestamp": "yesterday"}] * 40}
    github.set_child(rid, "traffic/views", odd)
    assert get("/repos/octo/hello/traffic/views").json() == odd
    rows = [{"referrer": str(number)} for number in range(400)]
    github.set_child(rid, "traffic/popular/referrers", rows)
    assert get("/repos/octo/hello/traffic/popular/referrers").json() == rows


@pytest.mark.skipif(not CORPUS.exists(), reason="no corpus of real readings")
def test_real_readings_can_be_replayed_in_their_own_time(
    github: Sandbox, get: Get, rid: int, moments: list[datetime]
) -> None:
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        readings = [json.loads(line) for _, line in zip(range(20), lines, strict=False)]
    for reading in readings:
        moments.append(datetime.fromisoformat(reading["read_at"]))
        rows = [{"timestamp": d, "count": c, "uniques": u} for d, c, u in reading["views"]]
        github.set_child(rid, "traffic/views", {"count": 0, "uniques": 0, "views": rows})
        answer = get(f"/repositories/{rid}/traffic/views")
        assert [list(row.values()) for row in answer.json()["views"]] == reading["views"]
        assert answer.headers["Date"].endswith(f"{moments[-1]:%H:%M:%S} GMT")
