"""Credentials and headers: checked when given, sent as they should be, never shown."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from requests import PreparedRequest
from requests.auth import AuthBase

from sync.rest import BasicAuth, BearerAuth, NoAuth, RestClient
from tests.rest.conftest import Connect
from tests.rest.helpers import ONCE, assert_only_ours, everything_said
from tests.support.fault_server import FaultServer, Peer, answer
from tests.support.inside.core import ConfigError, RestError, redaction

TOKEN = "ghp_" + "c7" * 18
BASE = "https://api.example.com"
SECRET = "parameter77"


@pytest.mark.parametrize(
    ("token", "complaint"),
    [
        (TOKEN + "\nX-Evil: 1", "line break"),
        (TOKEN + "\n\n", "line break"),
        ("\n" + TOKEN, "line break"),
        (TOKEN + " ", "space"),
        (TOKEN + "\x00", "cannot be sent"),
        (TOKEN + "é", "cannot be sent"),
        ("\ufeff" + TOKEN, "cannot be sent"),
        ("", "empty"),
        ("\n", "empty"),
        (None, "must be text, not NoneType"),
        (TOKEN.encode(), "must be text, not bytes"),
    ],
)
def test_a_token_that_cannot_be_sent_is_refused_and_not_shown(token: Any, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as caught:
        BearerAuth(token)
    assert TOKEN not in everything_said(caught.value)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_token_may_end_in_one_newline_as_files_do(connect: Connect, ending: str) -> None:
    with FaultServer() as server:
        connect(server.url, auth=BearerAuth(TOKEN + ending)).get("/x")
    assert server.request.headers["authorization"] == f"Bearer {TOKEN}"


def test_basic_credentials_are_sent_in_utf_8(connect: Connect) -> None:
    with FaultServer() as server:
        connect(server.url, auth=("jos\u00e9", "p\u00e4ss:w\u00f6rd")).get("/x")
    scheme, _, encoded = server.request.headers["authorization"].partition(" ")
    assert scheme == "Basic"
    assert b64decode(encoded).decode() == "jos\u00e9:p\u00e4ss:w\u00f6rd"


@pytest.mark.parametrize(
    "auth",
    [
        ("", "open sesame 1"),
        ("a:b", "open sesame 1"),
        ("a\nb", "open sesame 1"),
        ("me", ""),
        ("me", "open sesame 1\n"),
        ("me", None),
        (7, "open sesame 1"),
        ("me", 7),
        "open sesame 1",
        ("me", "open sesame 1", "x"),
        {"token": "open sesame 1"},
    ],
)
def test_other_unusable_credentials_are_refused_when_the_client_is_made(auth: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        RestClient(BASE, auth=auth)
    assert "open sesame" not in everything_said(caught.value)


def test_exchanged_credentials_are_used_from_the_next_request_on(connect: Connect) -> None:
    with FaultServer() as server:
        client = connect(server.url, auth=BearerAuth(TOKEN))
        client.get("/1")
        client.auth = BearerAuth(TOKEN + "2")
        client.get("/2")
        client.auth = None
        client.get("/3")
    sent = [request.headers.get("authorization") for request in server.requests]
    assert sent == [f"Bearer {TOKEN}", f"Bearer {TOKEN}2", None]


def test_unusable_credentials_are_refused_in_exchange_and_the_old_ones_stay(
    connect: Connect,
) -> None:
    with FaultServer() as server:
        client = connect(server.url, auth=BearerAuth(TOKEN))
        with pytest.raises(ConfigError):
            client.auth = "a token"  # type: ignore[assignment]
        client.get("/x")
    assert server.request.headers["authorization"] == f"Bearer {TOKEN}"


def test_two_clients_side_by_side_share_no_credentials(connect: Connect) -> None:
    cookie = {"Set-Cookie": "session=of-the-first"}
    with FaultServer(answer(headers=cookie), answer()) as server:
        first = connect(server.url, auth=BearerAuth(TOKEN), headers={"X-Api-Key": "first key"})
        second = connect(server.url, auth=("me", "second password"))
        third = connect(server.url)
        for client in (first, second, third, first):
            client.get("/x")
    one, two, three, again = (request.headers for request in server.requests)
    assert (one["authorization"], one["x-api-key"]) == (f"Bearer {TOKEN}", "first key")
    assert two["authorization"].startswith("Basic ")
    assert "authorization" not in three
    assert not {"x-api-key", "cookie"} & (two.keys() | three.keys())
    assert "cookie" not in again  # what a server wants kept is not kept


@pytest.mark.parametrize(
    ("headers", "complaint"),
    [
        ({"X-Token": "sesame77\nX-Evil: 1"}, "header X-Token contains a line break"),
        ({"X-Token": "sesame77\r"}, "line break"),
        ({"X-Token": "sesame77 "}, "line break"),
        ({"X-Token": "sesame77\x7f"}, "control character"),
        ({"X-Token": "sesame77\u20ac"}, "control character"),
        ({"X-Token": 77}, "must be text, not int"),
        ({"X-Token": b"sesame77"}, "must be text, not bytes"),
        ({"X-Token": None}, "must be text, not NoneType"),
        ({"X Token": "sesame77"}, "header's name"),
        ({"X-Token:": "sesame77"}, "header's name"),
        ({"": "sesame77"}, "header's name"),
        ({7: "sesame77"}, "header's name"),
    ],
)
def test_headers_that_cannot_be_sent_are_refused_and_their_values_not_shown(
    connect: Connect, headers: Any, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint) as caught:
        RestClient(BASE, headers=headers)
    assert "sesame77" not in everything_said(caught.value)
    with FaultServer() as server:
        with pytest.raises(ConfigError, match=complaint) as caught:
            connect(server.url).get("/x", headers=headers)
        assert "sesame77" not in everything_said(caught.value)
    assert server.connections == 0


class Careless(AuthBase):
    """Somebody else's credentials, which check nothing and tell everything."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = "Bearer careless77\nX-Evil: 1"
        return request


def test_credentials_of_a_foreign_kind_with_a_line_break_are_neither_sent_nor_shown(
    connect: Connect,
) -> None:
    with FaultServer() as server:
        client = connect(server.url, auth=Careless())
        with pytest.raises(ConfigError) as caught:
            client.get("/x")
    assert "careless77" not in everything_said(caught.value)
    assert_only_ours(caught.value)
    assert server.requests == []


def test_no_repr_shows_a_secret() -> None:
    client = RestClient(BASE, auth=BearerAuth(TOKEN), headers={"X-Api-Key": "reprsecret77"})
    shown = repr([client, client.auth, BasicAuth("me", "reprsecret77"), NoAuth()])
    assert TOKEN not in shown
    assert "reprsecret77" not in shown
    assert "RestClient('https://api.example.com'" in shown


def echo(peer: Peer) -> None:
    """Answer as a server does that repeats what it was sent."""
    body = {"message": f"{'x' * 280} no such token: {TOKEN}", "errors": [{"message": TOKEN}]}
    peer.send(answer(401, body, {"Connection": "close"}))


def reset(peer: Peer) -> None:
    peer.reset()


@pytest.mark.parametrize(
    "script",
    [
        echo,
        reset,
        answer(302, headers={"Location": "https://evil.example.com/?token=" + TOKEN}),
        answer(302, headers={"Location": "http://[" + TOKEN}),
        answer(429, {"message": TOKEN}),
        answer(500, f"<html>{TOKEN}".encode()),
        answer(500, b"x" * 190 + TOKEN.encode()),
        answer(200, length=10_000, headers={"Connection": "close"}),
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    ],
)
def test_no_error_says_the_token_in_any_way(
    connect: Connect, script: Any, events: list[Any]
) -> None:
    with FaultServer(script) as server:
        client = connect(server.url, auth=BearerAuth(TOKEN), retry=ONCE)
        with pytest.raises(RestError) as caught:
            client.get("/x")
    said = everything_said(caught.value) + repr(events)
    assert "c7c7" not in said
    assert_only_ours(caught.value)


def test_a_secret_parameter_is_masked_wherever_the_url_is_named(
    connect: Connect, events: list[Any]
) -> None:
    with FaultServer(answer(404)) as server:
        with pytest.raises(RestError) as caught:
            connect(server.url).get("/x", params={"access_token": SECRET, "page": 2})
        assert server.request.target == f"/x?access_token={SECRET}&page=2"
    said = everything_said(caught.value) + repr(events)
    assert SECRET not in said
    assert caught.value.url.endswith("?access_token=***&page=2")


@pytest.mark.matrix("http.netrc")
@pytest.mark.parametrize("auth", [None, BearerAuth(TOKEN)])
def test_netrc_is_never_used(
    connect: Connect, auth: AuthBase | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login thief password stolen77\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with FaultServer(answer(302, headers={"Location": "/y"}), answer()) as server:
        connect(server.url, auth=auth).get("/x")
    expected = None if auth is None else f"Bearer {TOKEN}"
    assert [r.headers.get("authorization") for r in server.requests] == [expected, expected]


class Passing(AuthBase):
    """Something else with each request, as what is renewed or signed is."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        self.count += 1
        request.headers["Authorization"] = f"Bearer sent-once-number-{self.count:04}"
        return request


def test_what_is_sent_once_is_masked_and_does_not_pile_up(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redaction, "_MOST_SHORT_LIVED", len(redaction._short_lived) + 10)
    known = len(redaction._longest_first)
    with FaultServer(answer()) as server:
        client = connect(server.url, auth=Passing())
        for n in range(1, 101):
            client.get("/")
            assert redaction.scrub(f"sent-once-number-{n:04}") == "***"
    assert len(redaction._longest_first) < known + 100


def test_a_secret_that_stays_is_not_forgotten_for_what_is_sent_once(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redaction, "_MOST_SHORT_LIVED", len(redaction._short_lived) + 10)
    with FaultServer(answer()) as server:
        connect(server.url, auth=BearerAuth("stays-all-the-time")).get("/")
        client = connect(server.url, auth=Passing())
        for _ in range(30):
            client.get("/")
    assert redaction.scrub("stays-all-the-time") == "***"
