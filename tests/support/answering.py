"""A ledger whose resources GitHub refuses, puts off, or tells of something else."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

from structlog.testing import capture_logs

from tests.conftest import QUICK, TOKEN
from tests.stand_in import StandIn
from tests.support.database import HandClock, Json, snapshot
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient
from tests.support.inside.load import Choice
from tests.support.inside.resources import DOWNLOADS, LANGUAGES, TRAFFIC, Figures, Resource
from tests.support.inside.run import RunOutcome
from tests.support.runs import sync

# What stands for a resource: its route below a repository, an answer, and a table.
ROUTES: dict[str, tuple[Resource | Figures, str, Any, str]] = {
    "downloads": (
        *(DOWNLOADS, "releases"),
        [{"id": 1, "tag_name": "v1", "draft": False, "prerelease": False, "assets": []}],
        "releases",
    ),
    "languages": (LANGUAGES, "languages", {"C": 1}, "repository_languages"),
    "traffic": (
        *(TRAFFIC, "traffic/views"),
        {"count": 0, "uniques": 0, "views": []},
        "traffic_windows",
    ),
}


class WaitsByHand(threading.Event):
    """A stop that is never set; whoever waits for it finds that the time has passed."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__()
        self._clock = clock
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        seconds = timeout or 0.0
        self.waits.append(seconds)
        self._clock.advance(seconds=seconds)
        return False


class Answering:
    """Runs of the account "me" that load one resource, by a clock that stands still."""

    def __init__(self, github: StandIn, url: str, name: str) -> None:
        self.github, self.url, self.clock = github, url, HandClock()
        self.resource, self.route, self._answer, self._table = ROUTES[name]
        self.events: list[Any] = []
        github.now = self.clock
        github.set_scopes(TOKEN, ("public_repo",))

    def add(self, name: str, owner: str = "octo") -> int:
        """Add a repository that has the resource, and that the account may push to."""
        id_ = self.github.add_repository(owner, name)
        if owner != "octo":
            self.github.add_collaborator("octo", id_)
        self.answer(id_)
        return id_

    def answer(self, id_: int) -> None:
        """Set what GitHub has of a repository; each repository's releases have ids of their own."""
        told = self._answer
        if isinstance(told, list):
            told = [{**each, "id": 1000 + id_} for each in told]
        self.github.set_child(id_, self.route, told)

    def run(
        self,
        *,
        by_name: bool = False,
        stop: threading.Event | None = None,
        max_wait: float = 0.0,
        **options: Any,
    ) -> RunOutcome:
        """Load the list and the resource; `events` has the log, `requests()` what was asked."""
        self.github.clear_requests()
        retry = type(QUICK)(attempts=3, base=0.01, max_wait=max_wait)
        client = GitHubClient(
            token=TOKEN, api_url=self.github.url, retry=retry, clock=self.clock, stop=stop
        )
        choices = (Choice(resource=self.resource, by_name=by_name),)
        with Store(self.url, clock=self.clock) as store, client, capture_logs() as self.events:
            return sync(client, store, **{"resources": choices, **options})

    def requests(self, id_: int | None = None) -> int:
        """Return the number of requests for the resource in the last run, of a repository."""
        below = f"/repositories/{'' if id_ is None else f'{id_}/'}"
        found = [each for each in self.github.requests if each.path.startswith(below)]
        return sum(each.path.count("/") > 2 for each in found)

    def state(self, id_: int) -> Json:
        """Return the state of the resource of a repository."""
        states = snapshot(self.url)["resource_states"]
        (found,) = [each for each in states if each["repository_id"] == id_]
        return found

    def pause(self, id_: int) -> timedelta | None:
        """Return the time between the last request and the next."""
        state = self.state(id_)
        return None if state["next_at"] is None else state["next_at"] - state["checked_at"]

    def status(self, id_: int) -> str:
        return str(self.state(id_)["status"])

    def stored(self, id_: int) -> list[Json]:
        """Return the rows of a repository in the resource's table."""
        return [row for row in snapshot(self.url)[self._table] if row["repository_id"] == id_]

    def told(self, event: str) -> list[str]:
        """Return the levels at which the last run logged an event."""
        return [each["log_level"] for each in self.events if each["event"] == event]
