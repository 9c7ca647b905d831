"""Repositories with traffic, read by runs; what the ledger then knows of each day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import requests

from tests.conftest import QUICK, TOKEN
from tests.resources.contract import load_all
from tests.stand_in import StandIn
from tests.support.database import HandClock, Json, rows, snapshot
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient
from tests.support.inside.load import Loaded
from tests.support.inside.resources import TRAFFIC, Figures, Resource
from tests.support.runs import sync

DAY = timedelta(days=1)
NOW = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)
TODAY = NOW.date()

Value = tuple[int, int]  # count and uniques


def answer(kind: str, days: dict[date, Value] | Sequence[tuple[Any, Any, Any]]) -> Json:
    """Return the JSON of an answer about views or clones."""
    told = [(f"{d}T00:00:00Z", *v) for d, v in days.items()] if isinstance(days, dict) else days
    found = [dict(zip(("timestamp", "count", "uniques"), row, strict=True)) for row in told]
    count, uniques = (
        sum(row[n] for row in found if isinstance(row[n], int) and 0 <= row[n] < 2**62)
        for n in ("count", "uniques")
    )
    return {"count": count, "uniques": uniques, kind: found}


class Visits:
    """A ledger of an account whose repositories have traffic, and the runs that read it.

    `clock` is that of the stand-in, of the client and of the ledger.
    """

    def __init__(self, github: StandIn, url: str, clock: HandClock, count: int = 1) -> None:
        self.github, self.url, self.clock = github, url, clock
        github.now = clock
        github.set_scopes(TOKEN, ("public_repo",))
        self.ids = [github.add_repository("octo", f"repo-{n}") for n in range(count)]
        self.rid = self.ids[0]
        self.load_list()

    def client(self, token: str = TOKEN, clock: HandClock | None = None) -> GitHubClient:
        return GitHubClient(
            token=token, api_url=self.github.url, retry=QUICK, clock=clock or self.clock
        )

    def load_list(self, token: str = TOKEN, account: str = "me") -> None:
        """Load the list of repositories."""
        with Store(self.url, clock=self.clock) as store, self.client(token) as client:
            assert sync(client, store, account=account).status == "succeeded"

    def read(
        self,
        *resources: Resource | Figures,
        clock: HandClock | None = None,
        token: str = TOKEN,
        account: str = "me",
        **options: Any,
    ) -> Loaded:
        """Read every repository, in a run of its own."""
        clock, every = clock or self.clock, timedelta(minutes=10)
        given = list(resources) or [TRAFFIC]
        client = self.client(token, clock)
        return load_all(self.url, client, clock, account, given, every, **options)

    def at(self, day: date, hour: int = 9) -> None:
        """Set the clock."""
        self.clock.now = datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC)

    def told(self, kind: str = "views") -> dict[date, Value]:
        """Return what GitHub tells now."""
        url = f"{self.github.url}/repositories/{self.rid}/traffic/{kind}"
        found = requests.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60).json()
        return {
            datetime.fromisoformat(row["timestamp"]).date(): (row["count"], row["uniques"])
            for row in found[kind]
        }

    def stored(self, kind: str = "views", rid: int | None = None) -> dict[date, Value]:
        """Return the rows of `traffic_days` of a repository."""
        return {
            row["day"]: (row["count"], row["uniques"])
            for row in snapshot(self.url)["traffic_days"]
            if (row["kind"], row["repository_id"]) == (kind, rid or self.rid)
        }

    def windows(self, kind: str = "views", rid: int | None = None) -> dict[date, Json]:
        """Return the readings of a repository, by the day of the reading."""
        return {
            row["read_on"]: row
            for row in snapshot(self.url)["traffic_windows"]
            if (row["kind"], row["repository_id"]) == (kind, rid or self.rid)
        }

    def known(self, kind: str = "views", rid: int | None = None) -> dict[date, Value]:
        """Return what is known of days: those that a reading of a later day proves.

        A day that is missing is unknown.
        """
        stored = self.stored(kind, rid)
        proven = {
            read_on - number * DAY
            for read_on, window in self.windows(kind, rid).items()
            for number in range(1, 14)
            if window["complete_until"] and window["complete_until"] >= read_on - number * DAY
        }
        return {day: stored.get(day, (0, 0)) for day in sorted(proven)}

    def state(self, rid: int | None = None, resource: str = "traffic") -> Json:
        """Return the row of `resource_states` of a repository."""
        (row,) = [
            each
            for each in snapshot(self.url)["resource_states"]
            if (each["repository_id"], each["resource"]) == (rid or self.rid, resource)
        ]
        return row

    def rejected(self) -> list[str]:
        """Return the reasons for which parts of answers were set aside."""
        return [row["reason"] for row in rows(self.url, "SELECT * FROM rejected_items ORDER BY id")]
