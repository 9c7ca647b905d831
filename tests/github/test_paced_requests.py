"""Requests for resources keep the pace that a server allows; those of a listing only count."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import QUICK, TOKEN
from tests.support.inside.core import Interrupted, ServerError
from tests.support.inside.github import GitHubClient, Limits, Pace, RateLimit, SharedLimits
from tests.support.inside.resources import LANGUAGES
from tests.support.process import start_repoledger, write_config
from tests.support.runs import fill

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
QUOTA = RateLimit(limit=5_000, remaining=4_000, reset=NOW + timedelta(hours=1))


def paced_by(points: int, window: float = 3600.0, *, quota: RateLimit | None = QUOTA) -> Limits:
    limits = Limits()
    limits.keep_pace(Pace(points=points, seconds=1e9, window=window))
    if quota is not None:
        limits.note_quota(quota, NOW)
    return limits


@contextmanager
def turn(limits: Limits, *, paced: bool) -> Iterator[None]:
    """Take a turn; raise Interrupted where it would have to wait."""

    def give_up() -> None:
        raise Interrupted

    with limits.turn(reserve=0, clock=lambda: NOW, require_running=give_up, paced=paced):
        yield


def request(limits: Limits, *, paced: bool) -> bool:
    """Send a request and note its answer; tell whether it was sent without a wait."""
    try:
        with turn(limits, paced=paced):
            limits.note_answer(0.1)
    except Interrupted:
        return False
    return True


def test_a_request_that_is_not_paced_counts_and_is_not_held_back() -> None:
    limits = paced_by(points=2)
    assert request(limits, paced=False)
    assert request(limits, paced=True)
    assert not request(limits, paced=True)
    assert request(limits, paced=False)


def test_a_request_in_flight_and_one_that_failed_count() -> None:
    limits = paced_by(points=2)
    with pytest.raises(ServerError), turn(limits, paced=True):
        raise ServerError("cut off")
    with turn(limits, paced=True):
        assert not request(limits, paced=True)
    for_one = paced_by(points=1)
    with turn(for_one, paced=False):
        assert not request(for_one, paced=True)


def test_a_server_that_sets_no_limits_is_not_paced() -> None:
    limits = paced_by(points=1, quota=None)
    assert all(request(limits, paced=True) for _ in range(5))


def test_accounts_of_one_user_share_the_pace_with_what_each_had_sent_before() -> None:
    shared = SharedLimits()
    mine, other = shared.of("me", "github.com", "a"), shared.of("work", "github.com", "b")
    for limits, sent in ((mine, 2), (other, 3)):
        limits.keep_pace(Pace(points=7, seconds=1e9, window=3600.0))
        limits.note_quota(QUOTA, NOW)
        assert all(request(limits, paced=True) for _ in range(sent))
    shared.join("me", "github.com", 1, mine)
    with turn(other, paced=True):
        joined, _ = shared.join("work", "github.com", 1, other)
    assert joined is mine
    assert request(joined, paced=True)
    assert not request(joined, paced=True)


def test_limits_without_a_pace_take_that_of_the_others() -> None:
    limits = Limits()
    limits.note_quota(QUOTA, NOW)
    other = paced_by(points=1)
    with turn(other, paced=True):
        limits.merge(other)
    assert not request(limits, paced=True)


# Of a client


class Scene:
    """A client whose limits are given, and a server that notes when each request arrives."""

    def __init__(self, github: Sandbox, limits: Limits, on_request: Callable[[], object]) -> None:
        self.ids = fill(github, 10)
        self.arrivals: list[float] = []
        self.stop = threading.Event()
        self.client = GitHubClient(
            token=TOKEN, api_url=github.url, limits=limits, retry=QUICK, stop=self.stop
        )

        def note(_: object) -> None:
            self.arrivals.append(time.monotonic())
            on_request()

        github.on_request = note

    def ask(self, times: int) -> None:
        """Request a resource that often, several at a time."""
        answers = [
            self.client.in_background(self.client.figures, LANGUAGES, self.ids[n % 10], {})
            for n in range(times)
        ]
        for answer in answers:
            answer.result(timeout=60)


def nothing() -> None:
    """Do nothing at a request."""


def test_the_server_never_sees_more_requests_for_resources_than_the_pace_allows(
    github: Sandbox,
) -> None:
    scene = Scene(github, paced_by(points=20, window=0.5), nothing)
    with scene.client as client:
        client.check()
        scene.ask(90)
        assert client.stats.pace_seconds > 0
        assert client.stats.wait_seconds == 0  # it is no wait for quota
    assert len(scene.arrivals) == 91
    for last in scene.arrivals:
        assert sum(last - 0.5 < each <= last for each in scene.arrivals) <= 20


def test_a_server_that_keeps_githubs_pace_refuses_no_request_for_resources() -> None:
    start = time.monotonic()

    def fast() -> datetime:  # a minute of the server's is half a second
        return NOW + 120 * timedelta(seconds=time.monotonic() - start)

    with Sandbox(now=fast) as github:
        github.add_user("octo", token=TOKEN, scopes=())
        scene = Scene(github, paced_by(points=20, window=0.5), nothing)
        github.set_pace(20)
        with scene.client as client:
            client.check()
            scene.ask(70)
            assert client.stats.by_status[200] == client.stats.requests == 71


def test_repeated_requests_count_as_well(github: Sandbox) -> None:
    scene = Scene(github, paced_by(points=2, window=0.3), nothing)
    github.fail(times=2, path="/repositories/*", status=502, body=b"")
    with scene.client:
        scene.ask(3)
    assert len(scene.arrivals) == 3 + 2
    for last in scene.arrivals:
        assert sum(last - 0.3 < each <= last for each in scene.arrivals) <= 2


def test_a_listing_is_not_held_back_by_the_pace(github: Sandbox) -> None:
    scene = Scene(github, paced_by(points=1), nothing)
    with scene.client as client:
        client.check()
        assert sum(page.item_count for page in client.repository_pages()) == 10
        assert client.repository_if_changed(scene.ids[0], None)
        assert client.stats.pace_seconds == 0


def test_a_stop_ends_a_wait_for_the_pace_and_sends_nothing_more(github: Sandbox) -> None:
    scene = Scene(github, paced_by(points=3), nothing)
    with scene.client as client, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(scene.ask, 8)
        while client.stats.pace_seconds == 0:
            assert not asked.done()
        scene.stop.set()
        with pytest.raises(Interrupted):
            asked.result(timeout=30)
    assert len(scene.arrivals) == 3


def test_a_client_paces_itself_by_githubs_numbers_whichever_limits_it_is_given(
    github: Sandbox,
) -> None:
    with GitHubClient(token=TOKEN, api_url=github.url) as client:
        for limits in (client.limits, Limits()):
            client.limits = limits
            assert limits.pace is not None
            assert (limits.pace.points, limits.pace.seconds) == (855, 90.0)
    given = paced_by(points=1)
    with GitHubClient(token=TOKEN, api_url=github.url, limits=given) as client:
        assert given.pace is not None
        assert given.pace.points == 1


@pytest.mark.slow
def test_sigterm_ends_a_run_that_waits_for_the_pace(github: Sandbox, tmp_path: Path) -> None:
    fill(github, 1_000)
    allowed, asked = threading.Event(), []

    def note(_: object) -> None:
        asked.append(True)
        if len(asked) >= 855:
            allowed.set()

    github.on_request = note
    write_config(tmp_path, github.url, extra="[resources]\nlanguages = true\n")
    process = start_repoledger("backfill", "--json", cwd=tmp_path, TOKEN=TOKEN)
    assert allowed.wait(120)
    os.kill(process.pid, signal.SIGTERM)
    stdout, _ = process.communicate(timeout=30)
    (stopped,) = json.loads(stdout)
    assert stopped["status"] == "interrupted"
    assert len(asked) < 1_000
