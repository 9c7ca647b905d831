"""Stars by week and day, the number of watchers, and forks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.conftest import START

if TYPE_CHECKING:
    from sync.sandbox import Sandbox

Get = Callable[..., requests.Response]
TODAY, DAY = START.date(), timedelta(days=1)  # a Sunday, with which a week begins
WEEK = 7 * 86400


@pytest.fixture
def rid(github: Sandbox, moments: list[datetime]) -> int:
    """A repository that was created in the 70th week before this one, on a Wednesday."""
    created = datetime(2025, 7, 2, 9, tzinfo=UTC)
    return github.add_repository("octo", "hello", created_at=created)


@pytest.fixture
def weeks(get: Get, rid: int) -> Callable[[], list[dict[str, Any]]]:
    """All weeks of its history, page after page."""

    def all_weeks() -> list[dict[str, Any]]:
        found, url = [], f"/repositories/{rid}/stargazers/history?per_page=30"
        while url:
            answer = get(url, token=None)
            assert answer.status_code == 200, answer.text
            found += answer.json()
            url = answer.links.get("next", {}).get("url", "")
        return found

    return all_weeks


def by_day(weeks: list[dict[str, Any]]) -> dict[date, int]:
    return {
        datetime.fromtimestamp(week["week"] + number * 86400, UTC).date(): stars
        for week in weeks
        for number, stars in enumerate(week["days"])
        if stars
    }


def test_weeks_come_newest_first_from_sunday_to_the_week_of_the_creation(
    weeks: Callable[[], list[dict[str, Any]]],
) -> None:
    found = weeks()
    begins = [week["week"] for week in found]
    assert begins[0] == int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
    assert begins == [begins[0] - number * WEEK for number in range(71)]
    assert begins[-1] == int(datetime(2025, 6, 29, tzinfo=UTC).timestamp())
    assert {(week["total"], tuple(week["days"])) for week in found} == {(0, (0,) * 7)}


def test_pages_hold_thirty_weeks_at_most_and_lead_to_each_other(get: Get, rid: int) -> None:
    path = f"/repositories/{rid}/stargazers/history"
    first = get(path, per_page=100)
    assert len(first.json()) == 30
    assert first.links["next"]["url"].endswith(f"{path}?per_page=100&page=2")
    last = get(first.links["last"]["url"])
    assert (len(last.json()), "next" in last.links) == (11, False)
    assert get(path, page=5).json() == []
    assert len(get(path, per_page=7).json()) == 7
    assert get(path, page=101).status_code == 422


def test_stars_are_told_by_the_day_and_agree_with_the_counter(
    github: Sandbox, get: Get, rid: int, weeks: Callable[[], list[dict[str, Any]]]
) -> None:
    told = {date(2025, 7, 2): 5, TODAY - 40 * DAY: 112, TODAY - DAY: 3}
    github.set_stars(rid, told)
    github.star(rid, by=2)
    assert by_day(weeks()) == told | {TODAY: 2}
    assert weeks()[0] == {"week": weeks()[0]["week"], "total": 2, "days": [2, 0, 0, 0, 0, 0, 0]}
    assert get(f"/repositories/{rid}/stargazers/count", token=None).json() == {"count": 122}
    assert github.get(rid)["stargazers_count"] == 122
    with pytest.raises(ValueError, match="older than the repository"):
        github.set_stars(rid, {date(2025, 7, 1): 1})


def test_stars_that_are_taken_back_vanish_from_their_day(
    github: Sandbox, rid: int, weeks: Callable[[], list[dict[str, Any]]]
) -> None:
    github.set_stars(rid, {TODAY - 40 * DAY: 112, TODAY - DAY: 3})
    github.unstar(rid, TODAY - 40 * DAY, by=9)
    assert by_day(weeks()) == {TODAY - 40 * DAY: 103, TODAY - DAY: 3}
    github.star(rid, by=-4)
    assert by_day(weeks()) == {TODAY - 40 * DAY: 102}
    assert github.get(rid)["stargazers_count"] == 102
    with pytest.raises(ValueError, match="only 0 stars"):
        github.unstar(rid, TODAY)


def test_stars_without_a_day_are_of_the_creation_and_later_ones_of_today(
    github: Sandbox, get: Get, moments: list[datetime]
) -> None:
    rid = github.add_repository(
        "octo", "known", created_at=START - timedelta(days=9), stargazers_count=7
    )
    path = f"/repositories/{rid}/stargazers/history"
    assert by_day(get(path).json()) == {TODAY - 9 * DAY: 7}
    moments.append(START + timedelta(days=1))
    github.edit(rid, stargazers_count=10)
    assert by_day(get(path).json()) == {TODAY - 9 * DAY: 7, TODAY + DAY: 3}


def test_weeks_move_on_when_a_week_begins(
    get: Get, rid: int, weeks: Callable[[], list[dict[str, Any]]], moments: list[datetime]
) -> None:
    first, etag = weeks()[0], get(f"/repositories/{rid}/stargazers/history").headers["ETag"]
    moments.append(START + timedelta(days=6, hours=11))
    same = get(f"/repositories/{rid}/stargazers/history", headers={"If-None-Match": etag})
    assert same.status_code == 304
    moments.append(START + timedelta(days=6, hours=12))
    assert len(weeks()) == 72
    assert weeks()[1] == first


def test_a_history_may_be_given_word_for_word(github: Sandbox, get: Get, rid: int) -> None:
    odd = [{"week": "Monday", "total": 1, "days": []}] * 40
    github.set_child(rid, "stargazers/history", odd)
    first = get(f"/repositories/{rid}/stargazers/history")
    assert first.json() == odd[:30]
    assert get(first.links["next"]["url"]).json() == odd[30:]


def test_watchers_are_told_of_a_single_repository_alone(
    github: Sandbox, get: Get, rid: int
) -> None:
    github.edit(rid, subscribers_count=5)
    assert get(f"/repositories/{rid}").json()["subscribers_count"] == 5
    assert "subscribers_count" not in get("/user/repos").json()[0]


def test_forks_come_newest_first_or_oldest_first_in_pages(
    github: Sandbox, get: Get, rid: int
) -> None:
    github.add_user("other", token="other-token")
    hour = timedelta(hours=1)
    forks = [
        github.add_fork(rid, "other", f"copy-{number}", created_at=START + number * hour)
        for number in range(3)
    ]
    path = f"/repositories/{rid}/forks"
    assert [fork["id"] for fork in get(path).json()] == forks[::-1]
    first = get(path, sort="oldest", per_page=2)
    assert [fork["id"] for fork in first.json()] == forks[:2]
    assert [fork["id"] for fork in get(first.links["next"]["url"]).json()] == forks[2:]
    assert {fork["fork"] for fork in get(path).json()} == {True}
    assert get(path, sort="size").status_code == 400
    counted = get(f"/repositories/{rid}").json()
    assert (counted["forks_count"], counted["forks"]) == (3, 3)


def test_private_and_deleted_forks_are_not_listed(github: Sandbox, get: Get, rid: int) -> None:
    github.add_user("other", token="other-token")
    hidden, deleted, left = (github.add_fork(rid, "other", name) for name in "abc")
    github.make_private(hidden)
    github.delete(deleted)
    path = f"/repositories/{rid}/forks"
    assert [fork["id"] for fork in get(path).json()] == [left]
    assert len(get(path, token="other-token").json()) == 2
