"""The events that requests leave in the log."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync.rest import RestClient, RetryPolicy
from tests.rest.conftest import Connect
from tests.rest.helpers import QUICK
from tests.support.fault_server import FaultServer, answer
from tests.support.inside.core import NotFound, RateLimited

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def flat(events: list[Any]) -> list[Any]:
    """Return the events with what differs from run to run taken out, after a look at it."""
    for event in events:
        if event["event"] == "http.request":
            assert event.pop("duration_ms") >= 0
        if event["event"] == "http.retry_scheduled":
            assert 0 <= event.pop("seconds") <= QUICK.cap
    return events


def test_an_answered_request_is_one_event(connect: Connect, events: list[Any]) -> None:
    with FaultServer(answer(200, b"[1]", {"X-Request-Id": "r-1"})) as server:
        connect(server.url).get("/x", params={"page": 2})
    assert flat(events) == [
        {
            "event": "http.request",
            "log_level": "debug",
            "method": "GET",
            "url": f"{server.url}/x?page=2",
            "status": 200,
            "bytes": 3,
            "attempt": 1,
            "request_id": "r-1",
        }
    ]


def test_each_redirect_is_a_request_of_its_own(connect: Connect, events: list[Any]) -> None:
    with FaultServer(answer(302, headers={"Location": "/y"}), answer()) as server:
        connect(server.url).get("/x")
    assert [(e["event"], e["status"], e["url"]) for e in events] == [
        ("http.request", 302, f"{server.url}/x"),
        ("http.request", 200, f"{server.url}/y"),
    ]


def test_a_failure_and_its_retry_are_told_with_their_cause(
    connect: Connect, events: list[Any]
) -> None:
    failing = answer(503, {"message": "tired"}, {"X-Request-Id": "r-9"})
    with FaultServer(failing, answer()) as server:
        connect(server.url).get("/x")
    url = f"{server.url}/x"
    _, failed, scheduled, _ = flat(events)
    assert failed == {
        "event": "http.request_failed",
        "log_level": "warning",
        "method": "GET",
        "url": url,
        "status": 503,
        "error": "ServerError",
        "message": "503: tired",
        "attempt": 1,
        "request_id": "r-9",
    }
    assert scheduled == {
        "event": "http.retry_scheduled",
        "log_level": "warning",
        "method": "GET",
        "url": url,
        "attempt": 2,
    }
    assert [(e["event"], e.get("attempt")) for e in events] == [
        ("http.request", 1),
        ("http.request_failed", 1),
        ("http.retry_scheduled", 2),
        ("http.request", 2),
    ]


def test_a_final_failure_is_told_once_and_no_retry_announced(
    connect: Connect, events: list[Any]
) -> None:
    with FaultServer(answer(404)) as server, pytest.raises(NotFound):
        connect(server.url).get("/x")
    assert [e["event"] for e in events] == ["http.request", "http.request_failed"]


def test_a_connection_that_failed_has_no_status(connect: Connect, events: list[Any]) -> None:
    with FaultServer(lambda peer: peer.reset(), answer()) as server:
        connect(server.url).get("/x")
    assert [e["event"] for e in events] == [
        "http.request_failed",
        "http.retry_scheduled",
        "http.request",
    ]
    assert (events[0]["error"], events[0]["status"]) == ("ConnectFailed", None)


def test_a_wait_for_a_rate_limit_tells_how_long_and_until_when(
    connect: Connect, events: list[Any]
) -> None:
    limited = answer(429, headers={"Retry-After": "0"})
    with FaultServer(limited, answer(429), answer()) as server:
        client = connect(server.url, clock=lambda: NOW)
        client.get("/x")
    waits = [event for event in events if event["event"] == "rate_limit.waiting"]
    assert waits == [
        {
            "event": "rate_limit.waiting",
            "log_level": "warning",
            "seconds": 1.0,
            "until": NOW.isoformat(),
            "secondary": False,
        },
        {
            "event": "rate_limit.waiting",
            "log_level": "warning",
            "seconds": 0.0,
            "until": None,
            "secondary": False,
        },
    ]
    assert client.stats.wait_seconds == pytest.approx(1.02)


def test_a_wait_beyond_max_wait_is_not_begun(connect: Connect, events: list[Any]) -> None:
    with (
        FaultServer(answer(429, headers={"Retry-After": "3600"})) as server,
        pytest.raises(RateLimited) as caught,
    ):
        connect(server.url, clock=lambda: NOW, retry=RetryPolicy(max_wait=60)).get("/x")
    assert caught.value.retry_at == NOW + timedelta(hours=1)
    assert [e["event"] for e in events] == ["http.request", "http.request_failed"]


class Reserved(RestClient):
    """A client that holds its first request back, to stay within a quota."""

    held = False

    def turn(self) -> AbstractContextManager[None]:
        if not self.held:
            self.held = True
            raise RateLimited("reserved", sent=False)
        return super().turn()


def test_a_request_that_the_client_itself_held_back_is_a_wait_and_no_failure(
    events: list[Any],
) -> None:
    with FaultServer() as server, Reserved(server.url, retry=QUICK) as client:
        client.get("/x")
    assert [e["event"] for e in events] == ["rate_limit.waiting", "http.request"]
    assert len(server.requests) == 1


def test_a_client_counts_what_it_did(connect: Connect) -> None:
    script = (answer(302, b"", {"Location": "/y"}), answer(503, b"12"), answer(304, b""), answer())
    with FaultServer(*script) as server:
        client = connect(server.url)
        client.get("/x", headers={"If-None-Match": '"e"'})
        client.get("/z")
    assert (client.stats.requests, client.stats.not_modified, client.stats.bytes) == (4, 1, 4)
