"""GitHub is behind with its counting, and runs that read a few repositories each notice it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import QUICK, TOKEN
from tests.resources.contract import load
from tests.stand_in import StandIn
from tests.support.database import HandClock, values
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient
from tests.support.inside.resources import TRAFFIC
from tests.support.runs import fill, sync

pytestmark = pytest.mark.slow_on_servers

BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)
DAY = timedelta(days=1)


class Scene:
    """Three repositories with visits on each day, each read by a run of its own."""

    def __init__(self, github: StandIn, url: str) -> None:
        self.github, self.url = github, url
        self.clock = github.now = HandClock(BEGIN)
        github.set_scopes(TOKEN, ("public_repo",))
        self.ids = fill(github, 3)
        for id_ in self.ids:
            for kind in ("views", "clones"):
                github.set_traffic(id_, kind, lambda _: (9, 3))
        with Store(url, clock=self.clock) as store, self.client() as client:
            sync(client, store)

    def client(self) -> GitHubClient:
        return GitHubClient(token=TOKEN, api_url=self.github.url, retry=QUICK, clock=self.clock)

    def read(self) -> int:
        """Read them in the course of a day; return the number of days that are told as lost."""
        lost = 0
        for id_ in self.ids:
            done = load(self.url, self.client(), self.clock, "me", [TRAFFIC], only=[id_])
            lost += done.lost_days
            self.clock.advance(hours=1)
        return lost

    def lost_at(self) -> set[datetime]:
        rows = values(self.url, "SELECT lost_at FROM resource_states")
        return {datetime.fromisoformat(str(row[0])).replace(tzinfo=UTC) for row in rows}


def test_days_that_github_had_not_counted_before_an_outage_are_told_as_lost_once(
    github: StandIn, ledger_url: str
) -> None:
    scene = Scene(github, ledger_url)
    scene.read()
    scene.clock.advance(days=4)
    newest = scene.clock().date() - 4 * DAY
    github.stall_traffic(newest)
    assert scene.read() == 0
    forgotten = datetime(newest.year, newest.month, newest.day, tzinfo=UTC) + 15 * DAY
    assert scene.lost_at() == {forgotten}
    github.stall_traffic(None)
    scene.clock.advance(days=16)
    whole_since = scene.clock().date() - 13 * DAY
    assert scene.read() == 3 * (whole_since - newest - DAY).days
    assert scene.read() == 0


def test_a_day_late_is_not_behind(github: StandIn, ledger_url: str) -> None:
    scene = Scene(github, ledger_url)
    github.stall_traffic(scene.clock().date() - DAY)
    scene.read()
    midnight = datetime(2026, 3, 1, tzinfo=UTC)
    assert scene.lost_at() == {midnight + 14 * DAY}
