"""Plausible figures for the demo and for measurements, which follow the sandbox's clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.conftest import START

if TYPE_CHECKING:
    from sync.sandbox import Sandbox

Get = Callable[..., requests.Response]
CREATED = datetime(2026, 1, 15, tzinfo=UTC)


@pytest.fixture
def rid(github: Sandbox, moments: list[datetime]) -> int:
    """A repository with 412 stars, some 40 views a day, and three releases."""
    rid = github.add_repository(
        "octo", "hello", created_at=CREATED, stargazers_count=412, language="C"
    )
    github.add_activity(rid, visits=40, releases=3)
    return rid


def all_weeks(get: Get, rid: int) -> list[dict[str, Any]]:
    path = f"/repositories/{rid}/stargazers/history"
    return [week for page in (1, 2) for week in get(path, page=page).json()]


def test_all_stars_so_far_have_a_day_and_keep_it(
    github: Sandbox, get: Get, rid: int, moments: list[datetime]
) -> None:
    before = all_weeks(get, rid)
    assert sum(week["total"] for week in before) == 412
    assert sum(week["total"] > 0 for week in before) > 20
    moments.append(START + timedelta(days=7))
    github.star(rid, by=3)
    newest, *older = all_weeks(get, rid)
    assert (newest["total"], older) == (3, before)


def test_traffic_is_plausible_and_a_day_never_changes(
    get: Get, rid: int, moments: list[datetime]
) -> None:
    path = f"/repositories/{rid}/traffic/"
    first = get(path + "views").json()
    assert 14 * 10 < first["count"] < 14 * 6 * 80
    assert all(0 < row["uniques"] <= row["count"] for row in first["views"])
    assert 0 < get(path + "clones").json()["count"] < first["count"]
    moments.append(START + timedelta(days=3))
    later = get(path + "views").json()
    both = {row["timestamp"] for row in first["views"][:-1]} & {
        row["timestamp"] for row in later["views"][1:]
    }
    assert len(both) == 10
    for answer in (first, later):
        assert [row for row in first["views"] if row["timestamp"] in both] == [
            row for row in answer["views"] if row["timestamp"] in both
        ]


def test_referrers_and_paths_are_those_of_the_repository_as_it_is_called(
    github: Sandbox, get: Get, rid: int
) -> None:
    github.rename(rid, "renamed")
    path = f"/repositories/{rid}/traffic/popular/"
    paths, referrers = get(path + "paths").json(), get(path + "referrers").json()
    assert all(row["path"].startswith("/octo/renamed") for row in paths)
    assert len(paths) == len(referrers) == 10
    counts = [row["count"] for row in referrers]
    assert counts == sorted(counts, reverse=True)


def test_downloads_grow_from_day_to_day_and_not_within_a_day(
    get: Get, rid: int, moments: list[datetime]
) -> None:
    def counts() -> dict[int, int]:
        found = get(f"/repositories/{rid}/releases").json()
        assets = [asset for release in found for asset in release["assets"]]
        return {asset["id"]: asset["download_count"] for asset in assets}

    first = counts()
    assert len(first) == 6
    moments.append(START + timedelta(hours=5))
    assert counts() == first
    moments.append(START + timedelta(days=30))
    later = counts()
    assert first.keys() == later.keys()
    assert all(later[asset] >= count for asset, count in first.items())
    assert sum(later.values()) > sum(first.values())


def test_a_repository_may_be_idle(github: Sandbox, get: Get, rid: int) -> None:
    idle = github.add_repository("octo", "idle", created_at=CREATED)
    github.add_activity(idle, visits=0, releases=0)
    answers = {
        child: get(f"/repositories/{idle}/{child}").json()
        for child in ("traffic/views", "traffic/popular/paths", "releases", "languages")
    }
    assert answers == {
        "traffic/views": {"count": 0, "uniques": 0, "views": []},
        "traffic/popular/paths": [],
        "releases": [],
        "languages": {},
    }


def test_of_many_repositories_some_are_active_and_most_are_idle(github: Sandbox, get: Get) -> None:
    ids = [github.add_repository("octo", f"r{n}", created_at=CREATED) for n in range(200)]
    for rid in ids:
        github.add_activity(rid)
    viewed = [rid for rid in ids if get(f"/repositories/{rid}/traffic/views").json()["count"]]
    released = [rid for rid in ids if get(f"/repositories/{rid}/releases").json()]
    assert 30 < len(viewed) < 90
    assert 20 < len(released) < 80
