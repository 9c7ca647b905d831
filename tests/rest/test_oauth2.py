"""OAuth 2: what a token endpoint is asked for, and when."""

from __future__ import annotations

import threading
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from sync.rest import RestClient, Token
from tests.rest.conftest import Connect
from tests.rest.helpers import ONCE
from tests.rest.oauth2_server import (
    CLIENT_SECRET,
    FIRST_REFRESH,
    NOW,
    Clock,
    bearers,
    forms,
    granted,
    refreshing,
    signing_in,
)
from tests.support.fault_server import FaultServer, Peer, answer
from tests.support.inside.core import BadCredentials, ConfigError, ServerError

# What is asked of the token endpoint


def test_client_credentials_are_sent_in_a_header_and_the_grant_in_the_body(
    connect: Connect,
) -> None:
    with FaultServer(granted("token-number-1")) as tokens, FaultServer() as server:
        connect(server.url, auth=signing_in(tokens, scope=["read", "write"])).get("/x")
    asked = tokens.request
    pair = b64encode(f"an-id:{CLIENT_SECRET}".encode()).decode()
    assert (asked.method, asked.target) == ("POST", "/oauth/token")
    assert asked.headers["authorization"] == f"Basic {pair}"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert forms(tokens) == [{"grant_type": ["client_credentials"], "scope": ["read write"]}]
    assert CLIENT_SECRET.encode() not in server.request.raw


def test_client_credentials_are_sent_in_the_body_if_wanted(connect: Connect) -> None:
    with FaultServer(granted("token-number-1")) as tokens, FaultServer() as server:
        auth = signing_in(tokens, placement="body", scope="read write")
        connect(server.url, auth=auth).get("/x")
    assert "authorization" not in tokens.request.headers
    assert forms(tokens) == [
        {
            "grant_type": ["client_credentials"],
            "client_id": ["an-id"],
            "client_secret": [CLIENT_SECRET],
            "scope": ["read write"],
        }
    ]


def test_a_refresh_token_of_an_app_without_a_secret_is_sent_with_its_client_id(
    connect: Connect,
) -> None:
    with FaultServer(granted("token-number-1")) as tokens, FaultServer() as server:
        connect(server.url, auth=refreshing(tokens)).get("/x")
    assert forms(tokens) == [
        {
            "grant_type": ["refresh_token"],
            "refresh_token": [FIRST_REFRESH],
            "client_id": ["an-id"],
        }
    ]
    assert bearers(server) == ["token-number-1"]


def test_a_token_in_a_form_is_read_as_one_in_json(connect: Connect) -> None:
    body = b"access_token=token-number-1&token_type=bearer&expires_in=3600&refresh_token=second-one"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    kept: list[tuple[Token, str]] = []
    with FaultServer(answer(200, body, headers)) as tokens, FaultServer() as server:
        auth = refreshing(tokens, on_renewed=lambda *given: kept.append(given), clock=Clock())
        connect(server.url, auth=auth).get("/x")
    assert bearers(server) == ["token-number-1"]
    assert kept == [
        (Token(value="token-number-1", expires_at=NOW + timedelta(hours=1)), "second-one")
    ]


# When


def test_nothing_is_asked_before_the_first_request() -> None:
    with FaultServer(granted("token-number-1")) as tokens, FaultServer() as server:
        with RestClient(server.url, auth=signing_in(tokens)):
            pass
        assert tokens.connections == 0


def test_many_threads_ask_for_one_token_once(connect: Connect) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slowly(peer: Peer) -> bool:
        asked.set()
        go_on.wait(15)
        peer.send(granted("token-number-1"))
        return True

    with FaultServer(slowly) as tokens, FaultServer() as server, ThreadPoolExecutor(8) as pool:
        client = connect(server.url, auth=signing_in(tokens), pool_size=8)
        under_way = [pool.submit(client.get, "/x") for _ in range(8)]
        assert asked.wait(15)
        assert server.requests == []
        go_on.set()
        assert [future.result().status for future in under_way] == [200] * 8
    assert len(tokens.requests) == 1
    assert bearers(server) == ["token-number-1"] * 8


def test_a_token_is_renewed_before_its_end_and_not_sooner(connect: Connect) -> None:
    clock = Clock()
    script = [granted(f"token-number-{n}") for n in (1, 2, 3)]
    with FaultServer(*script) as tokens, FaultServer() as server:
        client = connect(server.url, auth=signing_in(tokens, clock=clock))
        for minutes in (0, 54, 56, 57, 110, 112):
            clock.now = NOW + timedelta(minutes=minutes)
            client.get("/x")
    numbers = [int(token.removeprefix("token-number-")) for token in bearers(server)]
    assert numbers == [1, 1, 2, 2, 2, 3]  # five minutes before the end of its hour


def test_a_token_that_cannot_be_renewed_now_is_used_until_its_end(connect: Connect) -> None:
    clock = Clock()
    script = (granted("token-number-1"), answer(503))
    with FaultServer(*script) as tokens, FaultServer() as server:
        client = connect(server.url, auth=signing_in(tokens, clock=clock, retry=ONCE), retry=ONCE)
        for minutes in (0, 56, 56.1, 59.9):
            clock.now = NOW + timedelta(minutes=minutes)
            client.get("/x")
        assert len(tokens.requests) == 3  # it is left alone for half a minute after each try
        clock.now = NOW + timedelta(minutes=60)
        with pytest.raises(ServerError):
            client.get("/x")
    assert bearers(server) == ["token-number-1"] * 4


def test_a_token_that_is_given_along_is_used_as_long_as_it_holds(connect: Connect) -> None:
    clock = Clock()
    with FaultServer(granted("token-number-1")) as tokens, FaultServer() as server:
        auth = refreshing(
            tokens,
            access_token="token-number-0\n",
            expires_at=NOW + timedelta(hours=1),
            clock=clock,
        )
        client = connect(server.url, auth=auth)
        client.get("/x")
        client.get("/x")
        assert tokens.requests == []
        clock.now += timedelta(hours=2)
        client.get("/x")
    assert bearers(server) == ["token-number-0", "token-number-0", "token-number-1"]


def test_a_refused_token_is_renewed_once_and_the_caller_notices_nothing(connect: Connect) -> None:
    with (
        FaultServer(granted("token-number-1"), granted("token-number-2")) as tokens,
        FaultServer(answer(), answer(401), answer(200, {"x": 1})) as server,
    ):
        client = connect(server.url, auth=signing_in(tokens))
        client.get("/x")
        assert client.post("/x", json={"a": 1}).json() == {"x": 1}
    assert bearers(server) == ["token-number-1", "token-number-1", "token-number-2"]
    assert [request.body for request in server.requests[1:]] == [b'{"a": 1}'] * 2


def test_a_second_refusal_reaches_the_caller(connect: Connect) -> None:
    script = [granted(f"token-number-{n}") for n in (1, 2, 3)]
    with FaultServer(*script) as tokens, FaultServer(answer(401, {"message": "No."})) as server:
        client = connect(server.url, auth=signing_in(tokens))
        with pytest.raises(BadCredentials, match=r"GET http.*/x: 401: No\."):
            client.get("/x")
        assert bearers(server) == ["token-number-1", "token-number-2"]
        assert len(tokens.requests) == 2


def test_threads_whose_token_is_refused_together_renew_it_once(connect: Connect) -> None:
    """Eight requests are under way with the first token when the server stops accepting it."""
    arrived = threading.Barrier(8)

    def refuse(peer: Peer) -> bool:
        arrived.wait(15)
        peer.send(answer(401))
        return True

    with (
        FaultServer(granted("token-number-1"), granted("token-number-2")) as tokens,
        FaultServer(*[refuse] * 8, answer()) as server,
        ThreadPoolExecutor(8) as pool,
    ):
        client = connect(server.url, auth=signing_in(tokens), pool_size=8)
        done = [pool.submit(client.get, "/x") for _ in range(8)]
        assert [future.result().status for future in done] == [200] * 8
    assert len(tokens.requests) == 2
    assert sorted(bearers(server)) == ["token-number-1"] * 8 + ["token-number-2"] * 8


# Refresh tokens that are exchanged with each use


def test_a_new_refresh_token_is_used_next_and_handed_out_to_be_kept(connect: Connect) -> None:
    kept: list[tuple[Token, str]] = []
    clock = Clock()
    script = (
        granted("token-number-1", refresh_token="refresh-token-number-2"),
        granted("token-number-2", refresh_token="refresh-token-number-2"),  # the same
        granted("token-number-3"),  # none
        granted("token-number-4", refresh_token="refresh-token-number-3"),
    )
    with FaultServer(*script) as tokens, FaultServer() as server:
        auth = refreshing(tokens, on_renewed=lambda *given: kept.append(given), clock=clock)
        client = connect(server.url, auth=auth)
        for _ in script:
            client.get("/x")
            clock.now += timedelta(hours=1)
        sent = [form["refresh_token"][0] for form in forms(tokens)]
    assert sent == [FIRST_REFRESH, *["refresh-token-number-2"] * 3]
    assert [(token.value, refresh) for token, refresh in kept] == [
        ("token-number-1", "refresh-token-number-2"),
        ("token-number-4", "refresh-token-number-3"),
    ]
    assert kept[0][0].expires_at == NOW + timedelta(hours=1)
    assert "number" not in repr(kept[0][0])


def test_a_refresh_token_that_could_not_be_kept_is_not_lost(connect: Connect) -> None:
    def keep(*_: object) -> None:
        raise ConfigError("the disk is full")

    script = (
        granted("token-number-1", refresh_token="refresh-token-number-2"),
        granted("token-number-2"),
    )
    with FaultServer(*script) as tokens, FaultServer() as server:
        client = connect(server.url, auth=refreshing(tokens, on_renewed=keep))
        with pytest.raises(ConfigError, match="disk is full"):
            client.get("/x")
        client.get("/x")
        assert forms(tokens)[1]["refresh_token"] == ["refresh-token-number-2"]
    assert bearers(server) == ["token-number-2"]


def test_a_client_id_that_is_an_ordinary_word_masks_nothing(
    connect: Connect, events: list[Any]
) -> None:
    with FaultServer(granted("token-number-1")) as tokens, FaultServer() as server:
        auth = signing_in(tokens, client_id="bookshelves")
        connect(server.url, auth=auth).get("/bookshelves")
    assert events[-1]["url"] == f"{server.url}/bookshelves"
