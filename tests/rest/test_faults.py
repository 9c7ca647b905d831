"""What goes wrong on the wire, and what the client makes of it."""

from __future__ import annotations

import gzip
import itertools
import threading
import time
from typing import Any

import pytest
import structlog

from sync.rest import RetryPolicy
from tests.rest.conftest import Connect
from tests.rest.helpers import ONCE, QUICK, assert_only_ours, decode_json
from tests.support.fault_server import Answer, FaultServer, Peer, answer
from tests.support.inside.core import (
    ConnectFailed,
    Interrupted,
    NotJson,
    RestError,
    ServerError,
    TimedOut,
    TooLarge,
)

GOOD = answer(200, {"good": True})
CLOSE = {"Connection": "close"}
CHUNKED = {"Transfer-Encoding": "chunked"}
HALF_A_CHUNK = answer(200, b"5\r\n{}", CHUNKED, length=-1)
HALF_A_GZIP = answer(
    200, gzip.compress(b'{"long": "' + bytes(range(32, 127)) * 9)[:60], {"Content-Encoding": "gzip"}
)


def drip_body(peer: Peer) -> None:
    peer.send(answer(200, b"", length=100_000))
    peer.drip(itertools.repeat(b" ", 200))


def drip_headers(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\n")
    peer.drip(itertools.repeat(b"X: y\r\n", 200))


def drip_unbounded_body(peer: Peer) -> None:
    peer.send(answer(200, b"", length=-1))
    peer.drip(itertools.repeat(b" ", 200))


def drip_last_body(peer: Peer) -> None:
    peer.send(answer(200, b"", CLOSE, length=100_000))
    peer.drip(itertools.repeat(b" ", 200))


def drip_interim_answers(peer: Peer) -> None:
    peer.drip(itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n", 200))


def stall_after_headers(peer: Peer) -> None:
    peer.send(answer(200, b"{", length=100))
    peer.hold()


@pytest.mark.parametrize(
    "fault",
    [
        Peer.reset,
        b"",
        b"HTTP/1.1 ",
        b"this is not HTTP\r\n\r\n",
        answer(200, b'{"cut', CLOSE, length=100),
        HALF_A_CHUNK,
        answer(200, b"zz\r\n{}", CHUNKED, length=-1),
        answer(200, b"not gzip", {"Content-Encoding": "gzip"}),
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"y" * 70_000 + b"\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"Content-Length: 2\r\n\r\n{}",
    ],
)
def test_a_broken_answer_is_asked_for_again_and_at_last_is_a_failed_connection(
    connect: Connect, fault: Answer
) -> None:
    with FaultServer(fault, fault, GOOD) as server:
        assert connect(server.url).get("/x").json() == {"good": True}
    assert len(server.requests) == 3
    with FaultServer(fault) as server, pytest.raises(ConnectFailed) as caught:
        connect(server.url).get("/x")
    assert len(server.requests) == QUICK.attempts
    assert_only_ours(caught.value)
    assert (caught.value.method, caught.value.url) == ("GET", f"{server.url}/x")
    assert len(str(caught.value)) < 400
    assert "object at 0x" not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [
        answer(200, b"<html>maintenance</html>", {"Content-Type": "text/html"}),
        answer(200, b'{"cut by a prox', CLOSE, length=-1),
        answer(200, b""),
        HALF_A_GZIP,
    ],
)
def test_a_body_that_is_not_json_is_asked_for_again(connect: Connect, fault: bytes) -> None:
    with FaultServer(fault, GOOD) as server:
        assert connect(server.url).fetch("/x", decode_json) == {"good": True}
    with FaultServer(fault) as server, pytest.raises(NotJson):
        connect(server.url).fetch("/x", decode_json)
    assert len(server.requests) == QUICK.attempts


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504])
def test_a_passing_trouble_of_the_server_is_sat_out(connect: Connect, status: int) -> None:
    with FaultServer(answer(status), answer(status), GOOD) as server:
        assert connect(server.url).get("/x").status == 200
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422, 451])
def test_a_refusal_is_taken_at_once(connect: Connect, status: int) -> None:
    with FaultServer(answer(status), GOOD) as server, pytest.raises(RestError):
        connect(server.url).get("/x")
    assert len(server.requests) == 1


def test_a_post_that_may_have_taken_effect_is_not_repeated(connect: Connect) -> None:
    with FaultServer(answer(503), GOOD) as server, pytest.raises(ServerError):
        connect(server.url).post("/x", json={})
    assert len(server.requests) == 1


def test_a_refused_connection_is_said_to_be_refused(connect: Connect, events: list[Any]) -> None:
    with FaultServer() as server:
        pass
    with pytest.raises(ConnectFailed, match="could not connect: connection refused") as caught:
        connect(server.url).get("/x")
    assert_only_ours(caught.value)
    assert len([e for e in events if e["event"] == "http.retry_scheduled"]) == QUICK.attempts - 1


def test_a_host_without_an_address_is_said_to_have_none(connect: Connect) -> None:
    with pytest.raises(ConnectFailed, match="host name cannot be resolved") as caught:
        connect("https://api.invalid", retry=ONCE, timeout=10).get("/x")
    assert_only_ours(caught.value)


@pytest.mark.matrix("http.body-trickles", "http.headers-trickle")
@pytest.mark.parametrize(
    "fault",
    [
        drip_body,
        drip_headers,
        drip_unbounded_body,
        drip_last_body,
        drip_interim_answers,
        stall_after_headers,
        Peer.hold,
    ],
)
def test_an_answer_that_takes_too_long_as_a_whole_is_cut(connect: Connect, fault: Answer) -> None:
    with FaultServer(fault) as server:
        started = time.monotonic()
        with pytest.raises(TimedOut, match=r"no whole answer within 0\.15 s") as caught:
            connect(server.url, timeout=0.15, retry=ONCE).get("/x")
        assert time.monotonic() - started < 8  # the drip lasts 10
    assert_only_ours(caught.value)


def test_a_connection_that_was_cut_is_not_used_again(connect: Connect) -> None:
    with FaultServer(drip_body, GOOD) as server:
        assert connect(server.url, timeout=0.15).get("/x").json() == {"good": True}
    assert [request.connection for request in server.requests] == [1, 2]


def drip_tls(peer: Peer) -> None:
    peer.send(b"\x16\x03\x03\x3f\xff")  # a handshake record of 16 kB follows
    peer.drip(itertools.repeat(b"\x00", 200))


def test_a_tls_handshake_that_drips_is_cut(connect: Connect) -> None:
    with FaultServer(talk=drip_tls) as server:
        started = time.monotonic()
        with pytest.raises(TimedOut):
            connect(f"https://127.0.0.1:{server.port}", timeout=0.15, retry=ONCE).get("/x")
        assert time.monotonic() - started < 8


@pytest.mark.matrix("http.headers-trickle")
def test_a_proxy_that_drips_its_answer_to_connect_is_cut(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer(drip_headers) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        started = time.monotonic()
        with pytest.raises(TimedOut):
            connect("https://api.example", timeout=0.15, retry=ONCE).get("/x")
        assert time.monotonic() - started < 8
    assert proxy.request.method == "CONNECT"


def test_a_server_without_tls_behind_https_is_said_so(connect: Connect) -> None:
    with (
        FaultServer(talk=lambda peer: peer.send(b"HTTP/1.1 400 No\r\n\r\n")) as server,
        pytest.raises(ConnectFailed, match="TLS") as caught,
    ):
        connect(f"https://127.0.0.1:{server.port}", retry=ONCE).get("/x")
    assert_only_ours(caught.value)


@pytest.mark.parametrize("fault", [drip_body, drip_headers, drip_last_body, Peer.hold])
def test_the_stop_event_ends_a_slow_answer(connect: Connect, fault: Answer) -> None:
    stop = threading.Event()
    with FaultServer(fault) as server:
        client = connect(server.url, stop=stop)

        def stop_it() -> None:
            server.wait_for_requests(1)
            stop.set()

        setter = threading.Thread(target=stop_it)
        setter.start()
        started = time.monotonic()
        with pytest.raises(Interrupted) as caught:
            client.get("/x")
        assert time.monotonic() - started < 8
        setter.join()
    assert len(server.requests) == 1
    assert_only_ours(caught.value)


@pytest.mark.parametrize(
    "reply", [answer(503), answer(429), answer(429, headers={"Retry-After": "60"})]
)
def test_the_stop_event_ends_a_wait(connect: Connect, reply: bytes) -> None:
    stop = threading.Event()

    def stop_at_wait(_: Any, __: str, event: Any) -> Any:
        if event["event"] in ("http.retry_scheduled", "rate_limit.waiting"):
            stop.set()
        raise structlog.DropEvent

    structlog.configure(processors=[stop_at_wait])
    with FaultServer(reply) as server:
        client = connect(server.url, stop=stop, retry=RetryPolicy(base=60, cap=60))
        started = time.monotonic()
        with pytest.raises(Interrupted, match="waiting for a retry"):
            client.get("/x")
        assert time.monotonic() - started < 20
    assert len(server.requests) == 1


def test_nothing_is_sent_once_the_stop_event_is_set(connect: Connect) -> None:
    stop = threading.Event()
    stop.set()
    with FaultServer() as server, pytest.raises(Interrupted):
        connect(server.url, stop=stop).get("/x")
    assert server.connections == 0


BOMB = gzip.compress(b"\0" * 200_000_000, 9)


@pytest.mark.parametrize(
    "fault",
    [
        answer(200, BOMB, {"Content-Encoding": "gzip"}),
        answer(200, BOMB, {"Content-Encoding": "gzip", **CLOSE}, length=-1),
        answer(200, b"y" * 3_000_000),
        answer(200, b"y" * 3_000_000, CLOSE, length=-1),
    ],
)
def test_a_body_beyond_the_cap_is_not_read_further_nor_asked_for_again(
    connect: Connect, fault: bytes
) -> None:
    with (
        FaultServer(fault) as server,
        pytest.raises(TooLarge, match="exceeds 1,000,000 bytes") as caught,
    ):
        connect(server.url, max_body=1_000_000).get("/x")
    assert len(server.requests) == 1
    assert caught.value.status == 200
    assert_only_ours(caught.value)


def test_a_body_as_large_as_the_cap_is_read(connect: Connect) -> None:
    with FaultServer(answer(200, b"y" * 1000)) as server:
        assert len(connect(server.url, max_body=1000).get("/x").body) == 1000
