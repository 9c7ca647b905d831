"""Sending requests: what goes over the wire, and over which connection."""

from __future__ import annotations

import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sync.rest import Response, RestClient
from tests.rest.conftest import Connect
from tests.rest.helpers import assert_only_ours, decode_json
from tests.support.fault_server import FaultServer, Peer, after, answer
from tests.support.inside.core import ConfigError, Interrupted, NotJson


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_each_method_sends_its_verb_below_the_base_url(connect: Connect, method: str) -> None:
    with FaultServer() as server:
        response: Response = getattr(connect(f"{server.url}/api/v3/"), method)("/things/1")
    assert (server.request.method, server.request.target) == (method.upper(), "/api/v3/things/1")
    assert (response.status, response.method) == (200, method.upper())


def test_an_answer_carries_what_the_server_said(connect: Connect) -> None:
    with FaultServer(answer(201, {"id": 7}, {"X-Thing": "yes"})) as server:
        response = connect(server.url).post("/things", json={"name": "é"})
    assert response.status == 201
    assert response.url == f"{server.url}/things"
    assert response.headers["x-THING"] == "yes"
    assert response.json() == {"id": 7}
    assert response.elapsed > 0


def test_parameters_json_and_headers_arrive_as_given(connect: Connect) -> None:
    with FaultServer() as server:
        client = connect(server.url)
        client.post("/x?a=1", params={"b": "é &"}, json={"k": [1]}, headers={"X-One": "1"})
    request = server.request
    assert request.target == "/x?a=1&b=%C3%A9+%26"
    assert json.loads(request.body) == {"k": [1]}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-one"] == "1"


@pytest.mark.parametrize(
    ("data", "body", "kind"),
    [
        ({"a": "1 2"}, b"a=1+2", "application/x-www-form-urlencoded"),
        (b"\x00raw", b"\x00raw", None),
        ("text", b"text", None),
        (io.BytesIO(b"from a file"), b"from a file", None),
    ],
)
def test_data_is_sent_as_a_form_or_as_it_is(
    connect: Connect, data: Any, body: bytes, kind: str | None
) -> None:
    with FaultServer() as server:
        connect(server.url).post("/x", data=data)
    assert (server.request.body, server.request.headers.get("content-type")) == (body, kind)


@pytest.mark.parametrize(
    "body",
    [
        {"data": io.BytesIO(b"the whole file")},
        {"files": {"upload": ("a.txt", io.BytesIO(b"the whole file"))}},
        {"json": {"text": "the whole file"}},
    ],
)
def test_a_body_is_sent_whole_again_when_a_request_is_repeated(
    connect: Connect, body: dict[str, Any]
) -> None:
    with FaultServer(answer(503), answer()) as server:
        connect(server.url).put("/x", **body)
    assert [b"the whole file" in request.body for request in server.requests] == [True, True]


def test_persistent_headers_go_with_every_request_and_give_way_to_a_request_s_own(
    connect: Connect,
) -> None:
    with FaultServer() as server:
        client = connect(server.url, headers={"User-Agent": "me/1", "X-Version": "1"})
        client.get("/1")
        client.get("/2", headers={"X-Version": "2"})
        client.get("/3")
    sent = [(r.headers["user-agent"], r.headers["x-version"]) for r in server.requests]
    assert sent == [("me/1", "1"), ("me/1", "2"), ("me/1", "1")]
    assert server.requests[0].headers["accept"] == "application/json"


@pytest.mark.parametrize(
    "first",
    [
        answer(),
        answer(304, b""),
        b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        answer(200, b"x" * 600_000),
        answer(302, headers={"Location": "/y"}),
        answer(503),
    ],
)
def test_requests_share_one_connection(connect: Connect, first: bytes) -> None:
    with FaultServer(first, answer()) as server:
        client = connect(server.url)
        client.get("/1")
        client.get("/2")
    assert len(server.requests) >= 2
    assert {request.connection for request in server.requests} == {1}


def test_a_connection_that_the_server_closed_meanwhile_is_replaced(connect: Connect) -> None:
    def answer_and_hang_up(peer: Peer) -> None:
        peer.send(answer())

    with FaultServer(answer_and_hang_up) as server:
        client = connect(server.url)
        assert [client.get("/x").status for _ in range(3)] == [200, 200, 200]


def test_a_client_is_closed_at_the_end_of_its_with_block() -> None:
    with FaultServer() as server:
        with RestClient(server.url) as client:
            client.get("/1")
        with pytest.raises(Interrupted):
            client.get("/2")
    assert len(server.requests) == 1


def test_closing_a_client_ends_the_requests_that_are_under_way(connect: Connect) -> None:
    with FaultServer(Peer.hold) as server, ThreadPoolExecutor() as pool:
        client = connect(server.url)
        pending = pool.submit(client.get, "/slow")
        server.wait_for_requests(1)
        client.close()
        assert isinstance(pending.exception(timeout=10), Interrupted)


def test_a_closed_client_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with FaultServer() as server, RestClient(server.url) as client:
        client.get("/1")
        assert any(thread.name == "rest-watchdog" for thread in threading.enumerate())
    assert set(threading.enumerate()) <= before


def test_several_threads_share_a_client(connect: Connect) -> None:
    release = threading.Event()
    script = [after(release, answer(200, {"n": n})) for n in range(4)]
    with FaultServer(*script, answer(200, {"n": 4})) as server:
        client = connect(server.url, pool_size=4)
        with ThreadPoolExecutor(4) as pool:
            pending = [pool.submit(client.fetch, f"/{n}", decode_json) for n in range(4)]
            server.wait_for_requests(4)  # all four are under way at the same time
            release.set()
            found = {each.result(timeout=10)["n"] for each in pending}
        assert found == {0, 1, 2, 3}
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: client.get(f"/{n}"), range(40)))
    assert server.connections == 4
    assert client.stats.requests == 44
    assert client.stats.by_status == {200: 44}
    assert sorted(r.target for r in server.requests[:4]) == ["/0", "/1", "/2", "/3"]


def test_fetch_returns_what_the_decoder_makes_of_the_answer(connect: Connect) -> None:
    with FaultServer(answer(200, [1, 2, 3])) as server:
        total = connect(server.url).fetch("/x", lambda answer: sum(answer.json()), params={"a": 1})
    assert total == 6
    assert server.request.target == "/x?a=1"


def test_a_head_request_has_no_body(connect: Connect) -> None:
    with FaultServer(answer(200, b"", length=12)) as server:
        assert connect(server.url).request("HEAD", "/x").body == b""


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_of_nothing_is_refused(timeout: float) -> None:
    with pytest.raises(ConfigError, match="timeout"):
        RestClient("https://api.example.com", timeout=timeout)


def test_a_request_that_cannot_be_written_down_is_refused(connect: Connect) -> None:
    with FaultServer() as server:
        with pytest.raises(ConfigError, match="cannot be sent") as caught:
            connect(server.url).post("/x", json={"n": float("nan")})
        assert_only_ours(caught.value)
    assert server.requests == []


@pytest.mark.matrix("http.odd-json")
@pytest.mark.parametrize(
    "text",
    [
        b"<html>down for maintenance</html>",
        b'{"cut": ',
        b"\xef\xbb\xbf{}",
        b"",
        b"[" * 100_000,
        b"[" + b"9" * 5000 + b"]",
        b"[NaN]",
        b"[1e400]",
        b'"\xff"',
    ],
)
def test_a_body_that_is_not_sound_json_is_an_error_of_ours(text: bytes) -> None:
    response = Response(method="GET", url="https://a.example/x", status=200, headers={}, body=text)
    with pytest.raises(NotJson, match="x: the answer is not JSON") as caught:
        response.json()
    assert len(str(caught.value)) < 500
    assert caught.value.__context__ is None
