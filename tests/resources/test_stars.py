"""Stars: the history that GitHub tells of those that are left, page by page of 30 weeks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from tests.conftest import TOKEN
from tests.resources.contract import Example, ResourceContract, Scene
from tests.stand_in import StandIn
from tests.support.database import HandClock, Json, snapshot, values
from tests.support.inside.resources import STARS

pytestmark = pytest.mark.slow_on_servers

DAY, WEEK = timedelta(days=1), timedelta(days=7)


def sunday(ago: int) -> date:
    """Return the Sunday that began a week, which is `ago` weeks before that of 2026-01-04."""
    return date(2026, 1, 4) - ago * WEEK


def week(ago: int, *days: int, total: int | None = None, **fields: Any) -> Json:
    begins = datetime.combine(sunday(ago), time(), UTC)
    counts = [*days, *[0] * 7][:7]
    told = sum(counts) if total is None else total
    return {"week": int(begins.timestamp()), "total": told, "days": counts, **fields}


class StarScene(Scene):
    """The listing has the number of stars, which moves where the other resources see a push."""

    def answer_with(self, answers: Mapping[str, Any]) -> None:
        self.github.edit(self.repository, stargazers_count=9)
        super().answer_with(answers)

    def push(self) -> None:
        told = self.github.get(self.repository)["stargazers_count"]
        self.github.edit(self.repository, stargazers_count=told + 1)
        self.sync()

    def history(self) -> dict[str, int]:
        return {str(row["day"]): row["stars"] for row in self.rows()["star_history"]}


class TestStars(ResourceContract):
    example = Example(
        resource=STARS,
        first={"stargazers/history": [week(0, 1, 2), week(1, 0, 3)]},
        changed={"stargazers/history": [week(0, 1, 2, 4), week(1, 0, 2)]},
        empty={"stargazers/history": [week(0), week(1)]},
    )

    @pytest.fixture
    def scene(self, github: StandIn, ledger_url: str) -> Scene:
        clock = HandClock(datetime.now().astimezone() - timedelta(days=30))
        return StarScene(self.example, github, ledger_url, clock)

    def test_what_is_gone_stays_and_that_it_is_gone_is_written(self, scene: Scene) -> None:
        """Stars are the exception: those that were taken back are gone from the day they were of.

        What the counter was is in `repository_metrics`.
        """
        scene.load()
        scene.answer_with(self.example.empty)
        scene.push()
        scene.push()
        assert scene.load().stored == 3
        assert scene.rows() == {"star_history": []}
        counted = "SELECT stargazers_count FROM repository_metrics ORDER BY day"
        assert values(scene.url, counted) == [(9,), (10,), (11,)]

    def read(self, scene: Scene, *weeks: Any) -> dict[str, int]:
        """Have GitHub tell these weeks, and return the days as stored."""
        assert isinstance(scene, StarScene)
        scene.answer_with({"stargazers/history": list(weeks)})
        scene.push()
        scene.load()
        return scene.history()

    def rejected(self, scene: Scene) -> list[str]:
        return [row["reason"] for row in snapshot(scene.url)["rejected_items"]]

    def test_days_of_the_newest_week_that_are_still_to_come_are_dropped(
        self, github: StandIn, ledger_url: str
    ) -> None:
        clock = HandClock(datetime(2026, 1, 5, 12, tzinfo=UTC))
        scene = StarScene(self.example, github, ledger_url, clock)  # a day later: a Tuesday
        scene.answer_with({"stargazers/history": [week(0, 1, 2, 3, 4, 5, 6, 7)]})
        scene.load()
        assert scene.history() == {"2026-01-04": 1, "2026-01-05": 2, "2026-01-06": 3}

    def test_a_week_that_is_told_twice_counts_once(self, scene: Scene) -> None:
        found = self.read(scene, week(1, 2), week(1, 2), week(2, 3))
        assert found == {str(sunday(1)): 2, str(sunday(2)): 3}

    def test_a_week_whose_total_is_not_the_sum_of_its_days_is_set_aside(self, scene: Scene) -> None:
        found = self.read(scene, week(1, 2), week(2, 3, 1, total=5))
        assert found == {str(sunday(1)): 2}
        assert self.rejected(scene) == [f"weeks: the days of {sunday(2)} are not 5 in total"]

    def test_a_week_that_begins_on_a_monday_is_set_aside(self, scene: Scene) -> None:
        monday = week(1)["week"] + 86_400
        found = self.read(scene, week(2, 3), week(1, 2, week=monday))
        assert found == {str(sunday(2)): 3}
        assert "is not the beginning of a Sunday in UTC" in self.rejected(scene)[0]

    @pytest.mark.parametrize(
        "odd",
        [
            week(1, week=1.5),
            week(1, week=None),
            week(1, week=2**62),
            week(1, days=[1, 2, 3]),
            week(1, days=[0] * 8),
            week(1, days=[-1, 1, 0, 0, 0, 0, 0]),
            week(1, days=[2**62, 0, 0, 0, 0, 0, 0], total=2**62),
            week(1, days=[2**63, 0, 0, 0, 0, 0, 0], total=2**63),
            week(1, days=["1", 0, 0, 0, 0, 0, 0], total=1),
            week(1, total=-1),
            {},
            None,
            "a week",
            [1],
        ],
        ids=str,
    )
    def test_an_odd_week_is_set_aside_and_the_others_are_stored(
        self, scene: Scene, odd: Any
    ) -> None:
        assert self.read(scene, odd, week(2, 3)) == {str(sunday(2)): 3}
        assert len(self.rejected(scene)) == 1
        assert scene.state()["status"] == "complete"
        assert scene.load(full=True).asked == 0  # not again before it is due

    @pytest.mark.parametrize("answer", [{}, {"message": "no"}, 7, None, "text"], ids=str)
    def test_an_answer_of_another_shape_changes_nothing(self, scene: Scene, answer: Any) -> None:
        scene.load()
        before = scene.rows()
        scene.answer_with({"stargazers/history": answer})
        scene.push()
        assert scene.load().failed == 1
        assert scene.rows() == before
        assert scene.state()["status"] == "failed"

    def test_a_repository_without_stars_is_not_requested(self, scene: Scene) -> None:
        scene.github.edit(scene.repository, stargazers_count=0)
        scene.sync()
        assert scene.load().asked == 0

    def test_when_the_last_star_is_taken_back_the_history_is_read_once_more(
        self, scene: Scene
    ) -> None:
        scene.load()
        scene.answer_with(self.example.empty)
        scene.github.edit(scene.repository, stargazers_count=0)
        scene.sync()
        assert scene.load().asked == 1
        assert scene.rows() == {"star_history": []}

    def test_a_push_alone_has_nothing_requested(self, scene: Scene) -> None:
        scene.load()
        scene.github.push(scene.repository)
        scene.sync()
        assert scene.load().asked == 0

    def test_no_more_than_30_weeks_are_requested_at_once(self, scene: Scene) -> None:
        scene.load()
        asked = [r.query for r in scene.github.requests if r.path.endswith("/history")]
        assert asked == [{"per_page": "30"}]

    def test_it_asks_nobody_who_gave_the_stars(self, scene: Scene) -> None:
        scene.github.set_scopes(TOKEN, ("repo",))
        scene.load()
        paths = {request.path for request in scene.github.requests}
        assert not [path for path in paths if path.endswith("/stargazers")]
        told = {name for name, _ in snapshot(scene.url)["star_history"][0].items()}
        assert told == {"host", "repository_id", "day", "stars", "changed_at"}
