"""The whole history of stars: read page by page at first, and again when it no longer adds up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import QUICK, TOKEN
from tests.resources.contract import load
from tests.stand_in import StandIn
from tests.support.database import HandClock, snapshot, values
from tests.support.fault_server import FaultServer
from tests.support.inside.core import Interrupted
from tests.support.inside.database import ResourceCounts, RunCounts, Store
from tests.support.inside.github import GitHubClient
from tests.support.inside.load import Choice, RunWriter, load_resources
from tests.support.inside.resources import STARS
from tests.support.runs import sync

pytestmark = pytest.mark.slow_on_servers

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)  # a Tuesday
CREATED = "2024-06-01T00:00:00Z"  # 92 weeks before: 4 pages
DAY = timedelta(days=1)


class Skies:
    """A repository whose stars are a matter of its own, and a ledger that reads them."""

    def __init__(self, github: StandIn, url: str) -> None:
        self.github, self.url, self.clock = github, url, HandClock(NOW)
        github.now = self.clock
        self.id = self.add("one")
        self.set(**{"2024-06-02": 5, "2025-03-01": 7, "2026-03-01": 1})

    def add(self, name: str) -> int:
        return self.github.add_repository("octo", name, created_at=CREATED)

    def set(self, **days: int) -> None:
        self.github.set_stars(self.id, {date.fromisoformat(d): n for d, n in days.items()})

    def client(self) -> GitHubClient:
        return GitHubClient(token=TOKEN, api_url=self.github.url, retry=QUICK, clock=self.clock)

    def read_list(self) -> None:
        with Store(self.url, clock=self.clock) as store, self.client() as client:
            sync(client, store)

    def load(self) -> ResourceCounts:
        """Read what is due, without the listing."""
        self.github.clear_requests()
        return load(self.url, self.client(), self.clock, "me", [STARS])

    def later(self, **amount: float) -> ResourceCounts:
        """Let time pass, read the listing and what is due."""
        self.clock.advance(**amount)
        self.read_list()
        return self.load()

    def load_pages(self, number: int) -> None:
        """Read this many pages, in a run that is stopped then."""
        client, left = self.client(), iter(range(1, number))

        def stop(*_: Any) -> None:
            if next(left, None) is None:
                client.stop.set()

        with Store(self.url, clock=self.clock) as store, client:
            run = store.start_run("me", client.host, "test")
            writer = RunWriter(run, store, client.stats)
            with pytest.raises(Interrupted):
                load_resources(writer, client, [Choice(resource=STARS)], told=stop)
            store.finish_run(run, status="interrupted", counts=RunCounts(), complete=False)

    @property
    def pages(self) -> list[str]:
        """The numbers of the pages that were requested since the last reading began."""
        asked = [r for r in self.github.requests if r.path.endswith("/stargazers/history")]
        return [request.query.get("page", "1") for request in asked]

    @property
    def days(self) -> dict[str, int]:
        rows = snapshot(self.url)["star_history"]
        return {str(r["day"]): r["stars"] for r in rows if r["repository_id"] == self.id}

    @property
    def total(self) -> int:
        return sum(self.days.values())


@pytest.fixture
def skies(github: StandIn, ledger_url: str) -> Skies:
    return Skies(github, ledger_url)


@pytest.fixture
def elsewhere() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


def test_history_from_before_the_first_sync_is_read_to_its_beginning(skies: Skies) -> None:
    counts = skies.later()
    assert (counts.asked, counts.stored) == (4, 3)
    assert skies.pages == ["1", "2", "3", "4"]
    assert skies.days == {"2024-06-02": 5, "2025-03-01": 7, "2026-03-01": 1}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_run_that_ends_after_any_page_is_continued_with_the_next_page(
    skies: Skies, number: int
) -> None:
    skies.read_list()
    skies.load_pages(number)
    read = [str(page) for page in range(1, 5)]
    assert skies.later(hours=1).asked == 4 - number
    assert skies.pages == read[number:]
    assert skies.days == {"2024-06-02": 5, "2025-03-01": 7, "2026-03-01": 1}
    assert skies.later(hours=1).asked == 0


def test_each_page_is_a_transaction_of_its_own(skies: Skies) -> None:
    skies.read_list()
    skies.load_pages(2)
    assert skies.days == {"2025-03-01": 7, "2026-03-01": 1}


def test_stars_that_come_while_the_first_pages_are_read_are_not_missed(skies: Skies) -> None:
    skies.read_list()
    skies.load_pages(2)
    skies.github.star(skies.id, 3)
    skies.later(hours=1)
    skies.later(days=1)
    assert skies.days["2026-03-03"] == 3
    assert skies.total == 16


def test_weeks_that_shift_while_they_are_read_count_once(skies: Skies) -> None:
    skies.read_list()
    skies.load_pages(2)
    skies.clock.advance(days=21)
    skies.github.star(skies.id, 2)
    skies.later()
    skies.later(days=1)
    assert skies.days == {"2024-06-02": 5, "2025-03-01": 7, "2026-03-01": 1, "2026-03-24": 2}


def test_later_only_the_first_page_is_read_and_only_if_the_number_has_changed(
    skies: Skies,
) -> None:
    skies.later()
    assert skies.later(days=2).asked == 0
    skies.github.star(skies.id)
    assert skies.later(days=1).asked == 1
    assert skies.pages == ["1"]
    assert skies.total == 14
    assert skies.later(days=30).asked == 0


def test_stars_that_are_taken_back_leave_their_day_and_the_counter_keeps_what_was(
    skies: Skies,
) -> None:
    skies.later()
    skies.github.unstar(skies.id, date(2026, 3, 1))
    skies.later(days=1)
    assert skies.days == {"2024-06-02": 5, "2025-03-01": 7}
    counted = "SELECT stargazers_count FROM repository_metrics ORDER BY day"
    assert values(skies.url, counted) == [(13,), (12,)]


def test_a_star_of_long_ago_that_is_taken_back_has_the_whole_history_be_read_once_a_week(
    skies: Skies,
) -> None:
    skies.later()
    skies.github.unstar(skies.id, date(2024, 6, 2), 2)
    assert skies.later(days=1).asked == 1
    assert skies.total == 13  # as told a day ago
    assert skies.later(days=1).asked == 0
    skies.later(days=5)  # a week after the whole was read
    assert skies.pages == ["1", "2", "3", "4"]
    assert skies.days["2024-06-02"] == 3
    assert skies.later(days=8).asked == 0


def test_an_unchanged_first_page_does_not_hide_that_an_older_one_has_changed(skies: Skies) -> None:
    skies.github.set_stars(skies.id, {date(2024, 6, 2): 5})
    skies.later()
    skies.clock.advance(days=3)
    skies.github.unstar(skies.id, date(2024, 6, 2))
    assert skies.later(hours=1).not_modified == 1
    skies.later(days=7)
    assert skies.days == {"2024-06-02": 4}


def test_a_number_that_never_agrees_has_all_pages_be_read_no_more_than_once_a_week(
    skies: Skies,
) -> None:
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    weeks = [
        {"week": int((begin - 7 * n * DAY).timestamp()), "total": 1, "days": [1, *[0] * 6]}
        for n in range(92)
    ]
    skies.github.set_child(skies.id, "stargazers/history", weeks)
    skies.later()
    requests = sum(skies.later(days=1).asked for _ in range(28))
    assert requests == 4 * 4
    assert skies.total == 92


def test_the_whole_history_is_read_again_after_90_days(skies: Skies) -> None:
    skies.later()
    assert skies.later(days=80).asked == 0
    skies.later(days=11)
    assert skies.pages[0] == "1"
    assert len(skies.pages) == 4


def test_40_000_stars_are_as_many_requests_as_one(skies: Skies) -> None:
    skies.set(**{"2024-06-02": 25_000, "2025-03-01": 14_000, "2026-03-01": 1_000})
    assert skies.later().asked == 4
    assert skies.total == 40_000
    counted = "SELECT stargazers_count FROM repository_metrics"
    assert values(skies.url, counted) == [(40_000,)]


def test_a_link_to_another_server_fails_this_repository_alone_and_is_not_followed(
    skies: Skies, elsewhere: FaultServer
) -> None:
    other = skies.add("two")
    skies.github.set_stars(other, {date(2026, 3, 1): 4})
    link = f'<{elsewhere.url}/repositories/{skies.id}/stargazers/history?page=2>; rel="next"'
    path = f"/repositories/{skies.id}/stargazers/history"
    skies.github.fail(1, 200, path, {"Link": link}, b"[]")
    counts = skies.later()
    assert counts.failed == 1
    assert elsewhere.requests == []
    found = {r["repository_id"]: r["status"] for r in snapshot(skies.url)["resource_states"]}
    assert found == {skies.id: "failed", other: "complete"}
    assert skies.days == {}
    skies.later(hours=2)
    assert skies.total == 13


@pytest.mark.parametrize("status", [403, 404, 410, 451, 500])
def test_a_further_page_that_is_refused_waits_its_time_and_is_gone_on_with(
    skies: Skies, status: int
) -> None:
    skies.read_list()
    path = f"/repositories/{skies.id}/stargazers/history"
    skies.github.fail(9, status, path, body=b'{"message": "No"}', query={"page": "3"})
    skies.load()
    assert skies.pages[:3] == ["1", "2", "3"]
    skies.github.forgive()
    skies.later(days=8)
    assert skies.pages == ["3", "4"]
    assert skies.total == 13


def test_a_page_that_cannot_be_read_three_times_has_the_first_one_be_read_again(
    skies: Skies,
) -> None:
    skies.read_list()
    path = f"/repositories/{skies.id}/stargazers/history"
    skies.github.fail(99, 422, path, body=b'{"message": "No"}', query={"page": "3"})
    skies.load()
    for _ in range(2):
        assert skies.later(days=1).failed == 1
        assert skies.pages == ["3"]
    skies.github.star(skies.id)
    skies.later(days=1)
    assert skies.pages == ["1", "2", "3"]
    assert skies.days["2026-03-05"] == 1
