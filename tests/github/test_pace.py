"""A limit on the pace: fewer requests under way at a time from then on."""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.inside.github import GitHubClient
from tests.support.runs import fill

ANSWER = 0.1  # seconds that an answer takes: what arrives within them is under way together


def most_under_way(arrivals: list[float]) -> int:
    return max(sum(t - ANSWER < other <= t for other in arrivals) for t in arrivals)


def pages_told(github: Sandbox) -> tuple[list[float], list[MutableMapping[str, Any]]]:
    """Read the listing four pages at a time; return when requests arrived, and what was logged."""
    arrivals: list[float] = []

    def note(_: object) -> None:
        arrivals.append(time.monotonic())

    github.on_request, github.delay = note, ANSWER
    with capture_logs() as events, GitHubClient(token=TOKEN, api_url=github.url) as client:
        assert sum(page.item_count for page in client.repository_pages()) == 1_000
    return arrivals, list(events)


def named(events: list[MutableMapping[str, Any]], name: str) -> list[MutableMapping[str, Any]]:
    return [event for event in events if event["event"] == name]


@pytest.mark.matrix("http.pace")
@pytest.mark.parametrize("status", [403, 429])
def test_after_a_limit_on_the_pace_half_as_many_are_under_way(github: Sandbox, status: int) -> None:
    fill(github, 1_000)
    github.fail(
        status=status,
        path="/user/repos",
        query={"page": "2"},
        headers={"Retry-After": "1", "X-RateLimit-Remaining": "4000"},
        body=b'{"message": "You have exceeded a secondary rate limit."}',
    )
    arrivals, events = pages_told(github)
    (slowed,) = named(events, "rate_limit.slowed")
    assert slowed["at_once"] == 2
    pause = max(range(1, len(arrivals)), key=lambda n: arrivals[n] - arrivals[n - 1])
    assert arrivals[pause] - arrivals[pause - 1] > 1  # as long as it was told to wait
    assert most_under_way(arrivals[pause:]) == 2


def test_without_one_as_many_are_under_way_as_were_asked_for(github: Sandbox) -> None:
    fill(github, 1_000)
    arrivals, events = pages_told(github)
    assert most_under_way(arrivals) > 2
    assert named(events, "rate_limit.slowed") == []
