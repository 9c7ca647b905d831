"""Traffic after GitHub could not answer about it for long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import QUICK, TOKEN
from tests.resources.contract import load
from tests.stand_in import StandIn
from tests.support.database import HandClock, values
from tests.support.inside.database import ResourceCounts, Store
from tests.support.inside.github import GitHubClient
from tests.support.inside.load import ResourcePlan, next_check
from tests.support.inside.resources import TRAFFIC
from tests.support.runs import fill, sync

pytestmark = pytest.mark.slow_on_servers

BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Scene:
    """Repositories without visits, which are read every five days, and an hour after outages."""

    def __init__(self, github: StandIn, url: str, repositories: int) -> None:
        self.github, self.url = github, url
        self.clock = github.now = HandClock(BEGIN)
        github.set_scopes(TOKEN, ("public_repo",))
        self.ids = fill(github, repositories)
        with Store(url, clock=self.clock) as store, self.client() as client:
            sync(client, store)
        for _ in range(3):
            self.read()
            self.clock.advance(days=2)

    def client(self) -> GitHubClient:
        return GitHubClient(token=TOKEN, api_url=self.github.url, retry=QUICK, clock=self.clock)

    def read(self) -> ResourceCounts:
        return load(self.url, self.client(), self.clock, "me", [TRAFFIC])

    def fail_for(self, days: int) -> None:
        """Read every four hours, while GitHub does not answer."""
        self.github.answer_child("traffic/*", 500)
        for _ in range(6 * days):
            self.read()
            self.clock.advance(hours=4)
        self.github.answer_child("traffic/*", None)

    def lost_at(self) -> datetime:
        (found,) = values(self.url, "SELECT min(lost_at) FROM resource_states")[0]
        return datetime.fromisoformat(str(found)).replace(tzinfo=UTC)


def test_a_repository_that_failed_for_days_is_read_again_before_anything_is_lost(
    github: StandIn, ledger_url: str
) -> None:
    scene = Scene(github, ledger_url, 1)
    scene.fail_for((scene.lost_at() - scene.clock()) // DAY)
    lost = 0
    for _ in range(20):
        lost += scene.read().lost_days
        scene.clock.advance(hours=4)
    assert lost == 0
    assert scene.lost_at() > scene.clock()


def test_after_an_outage_every_repository_is_read_by_the_runs_of_the_next_hours(
    github: StandIn, ledger_url: str
) -> None:
    scene = Scene(github, ledger_url, 8)
    until = scene.lost_at()
    scene.fail_for((until - scene.clock()) // DAY + 6)
    for _ in range(2):
        scene.clock.advance(hours=2)
        scene.read()
    assert scene.lost_at().date() >= (scene.clock() + 13 * DAY).date()


@pytest.mark.parametrize(
    ("left", "pause"),
    [
        (10 * DAY, DAY),
        (2 * DAY, 12 * HOUR),
        (2 * HOUR, HOUR),
        (-2 * HOUR, HOUR),
        (-2 * DAY, 12 * HOUR),
        (-9 * DAY, DAY),
    ],
)
def test_a_failure_is_repeated_soon_around_the_time_at_which_something_is_lost(
    left: timedelta, pause: timedelta
) -> None:
    found = next_check(
        ResourcePlan(number=0, due=TRAFFIC.due, cost=2),
        "failed",
        repository_id=1,
        memory={"idle": 2},
        failures=9,
        now=BEGIN,
        lost_at=BEGIN + left,
    )
    assert found == BEGIN + pause
