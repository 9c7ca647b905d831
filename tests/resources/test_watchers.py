"""Watchers: a counter that no listing tells, kept by the day beside those that it does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.resources.contract import Example, ResourceContract, Scene
from tests.stand_in import StandIn
from tests.support.database import HandClock, Json, snapshot, values
from tests.support.inside.resources import WATCHERS

pytestmark = pytest.mark.slow_on_servers


class WatchedScene(Scene):
    """What is told is a field of the repository's own object; an answer holds for a week."""

    def answer_with(self, answers: Mapping[str, Any]) -> None:
        self.path = f"/repositories/{self.repository}"
        self.github.edit(self.repository, subscribers_count=answers[""])

    def push(self) -> None:
        self.clock.advance(days=7)
        self.sync()

    def rows(self) -> dict[str, list[Json]]:
        found = super().rows()["repository_metrics"]
        told = [row for row in found if row["subscribers_count"] is not None]
        return {"repository_metrics": told}

    def counted(self) -> list[tuple[Any, ...]]:
        """Return stars, forks and watchers of each day with a row."""
        counters = "stargazers_count, forks_count, subscribers_count"
        return values(self.url, f"SELECT {counters} FROM repository_metrics ORDER BY day")


class TestWatchers(ResourceContract):
    example = Example(resource=WATCHERS, first={"": 5}, changed={"": 6}, empty={"": 0})

    @pytest.fixture
    def scene(self, github: StandIn, ledger_url: str) -> WatchedScene:
        clock = HandClock(datetime.now().astimezone() - timedelta(days=60))
        return WatchedScene(self.example, github, ledger_url, clock)

    def test_nothing_is_an_answer_too(self, scene: Scene) -> None:
        scene.answer_with({"": 0})
        assert scene.load().stored == 1
        (row,) = scene.rows()["repository_metrics"]
        assert row["subscribers_count"] == 0

    def test_it_is_kept_on_the_days_on_which_it_changed_with_the_counters_of_the_listing(
        self, scene: WatchedScene
    ) -> None:
        scene.github.edit(scene.repository, stargazers_count=7, forks_count=3)
        scene.push()
        scene.load()
        scene.push()
        scene.load()
        scene.answer_with({"": 6})
        scene.push()
        scene.load()
        assert scene.counted() == [(0, 0, None), (7, 3, 5), (7, 3, 6)]

    def test_a_listing_of_the_same_day_leaves_it_in_place(self, scene: WatchedScene) -> None:
        scene.load()
        scene.github.star(scene.repository)
        scene.clock.advance(days=-1, hours=1)
        scene.sync()
        assert scene.counted() == [(1, 0, 5)]

    def test_a_listing_of_another_day_leaves_it_as_last_told(self, scene: WatchedScene) -> None:
        scene.load()
        scene.github.star(scene.repository)
        scene.sync()
        assert scene.counted() == [(0, 0, 5), (1, 0, None)]
        scene.push()
        assert scene.load().stored == 0

    def test_an_answer_about_another_repository_is_not_stored(self, scene: WatchedScene) -> None:
        scene.load()
        other = scene.github.add_repository("octo", "two", subscribers_count=99)
        body = json.dumps(scene.github.get(other, full=True)).encode()
        scene.push()
        scene.github.fail(1, 200, scene.path, body=body)
        assert scene.load().failed == 1
        mine = f"repository_id = {scene.repository}"
        detail = values(scene.url, f"SELECT detail FROM resource_states WHERE {mine}")
        told = f"the answer is about repository {other}, not {scene.repository}"
        assert detail == [(f"UnexpectedAnswer: {told}",)]
        assert [row["subscribers_count"] for row in scene.rows()["repository_metrics"]] == [5, 99]

    @pytest.mark.parametrize("odd", [None, -1, "5", 2**63, 1.5], ids=str)
    def test_an_odd_number_is_not_stored(self, scene: WatchedScene, odd: Any) -> None:
        scene.load()
        before = scene.rows()
        scene.answer_with({"": odd})
        scene.push()
        assert scene.load().failed == 1
        assert scene.rows() == before

    def test_what_a_clock_that_was_ahead_has_dated_is_moved_to_the_present_day(
        self, github: StandIn, ledger_url: str
    ) -> None:
        clock = HandClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
        scene = WatchedScene(self.example, github, ledger_url, clock)
        scene.load()
        right = clock.now
        github.now = lambda: right
        scene.answer_with({"": 8})
        clock.advance(days=7)  # this machine's clock alone
        scene.load()
        days = "SELECT day, subscribers_count FROM repository_metrics ORDER BY day"
        assert [str(day) for day, _ in values(scene.url, days)] == ["2026-03-02", "2026-03-09"]
        clock.now = right - timedelta(days=1)
        scene.sync()
        found = [(str(day), count) for day, count in values(scene.url, days)]
        assert found == [("2026-03-02", 8)]
        assert len(snapshot(scene.url)["repository_metrics"]) == 1
