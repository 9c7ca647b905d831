"""Every way of signing in: what is sent, to whom, and that nothing else shows it."""

from __future__ import annotations

import logging
from base64 import b64encode
from datetime import datetime
from typing import Any

import pytest

from sync.rest import (
    BasicAuth,
    BearerAuth,
    ClientCredentials,
    CookieAuth,
    HeaderAuth,
    NoAuth,
    QueryAuth,
    RefreshToken,
    Token,
)
from tests.rest.conftest import Connect
from tests.rest.helpers import ONCE, assert_only_ours, everything_said
from tests.rest.strategies import (
    CLIENT_SECRET,
    REFRESH_TOKEN,
    SECRET,
    STRATEGIES,
    Observed,
    Strategy,
    observe,
    table,
    token_endpoint,
)
from tests.support.fault_server import FaultServer, Received, answer
from tests.support.inside.core import ConfigError, ForeignOrigin, RestError

BASIC = b64encode(f"octo:{SECRET}".encode()).decode()
SENT = {
    "Basic": ("authorization", f"Basic {BASIC}"),
    "Bearer": ("authorization", f"Bearer {SECRET}"),
    "any scheme": ("authorization", f"token {SECRET}"),
    "any header": ("x-api-key", SECRET),
    "query parameter": ("?api_token", SECRET),
    "session cookie": ("cookie", f"session={SECRET}"),
    "OAuth 2, client credentials": ("authorization", f"Bearer {SECRET}"),
    "OAuth 2, refresh token": ("authorization", f"Bearer {SECRET}"),
    "OAuth 1.0a": ("authorization", f'oauth_signature="{SECRET}%26{SECRET}"'),
}
# Of each, whatever its form, that lets somebody else sign in.
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001  # without a zone, as meant
SECRETS = (SECRET, CLIENT_SECRET, REFRESH_TOKEN, BASIC)

each = pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)


@pytest.fixture(scope="module")
def observed() -> dict[str, Observed]:
    return {strategy.name: observe(strategy) for strategy in STRATEGIES}


def assert_signed(request: Received, strategy: Strategy) -> None:
    """The credential stands where it belongs, once, and nowhere else."""
    place, value = SENT[strategy.name]
    if place.startswith("?"):
        assert request.target.count(f"{place[1:]}={value}") == 1
        assert value not in request.raw.partition(b"\r\n")[2].decode()
    else:
        assert value in request.headers[place]
        assert value not in request.target
    credentials = {"authorization", "x-api-key", "cookie"} & request.headers.keys()
    assert credentials == set() if place.startswith("?") else credentials == {place}


@each
def test_every_request_is_signed_also_the_one_that_a_redirect_leads_to(
    strategy: Strategy, observed: dict[str, Observed]
) -> None:
    sent = observed[strategy.name].sent
    assert [request.target.partition("?")[0] for request in sent] == ["/x", "/moved", "/x", "/x"]
    for request in sent:
        assert_signed(request, strategy)


@each
def test_logs_errors_and_reprs_show_no_secret(
    strategy: Strategy, observed: dict[str, Observed]
) -> None:
    seen = observed[strategy.name]
    assert "http.request" in seen.logged
    assert "NotFound" in seen.said
    for secret in SECRETS:
        assert secret not in seen.logged
        assert secret not in seen.said


@each
def test_a_redirect_to_another_origin_takes_nothing_there(
    strategy: Strategy, observed: dict[str, Observed]
) -> None:
    assert observed[strategy.name].elsewhere == 0
    assert "ForeignOrigin" in observed[strategy.name].said


@each
def test_a_link_to_another_origin_takes_nothing_there(connect: Connect, strategy: Strategy) -> None:
    with FaultServer() as elsewhere, token_endpoint() as tokens:
        link = {"Link": f'<{elsewhere.url}/2>; rel="next"'}
        with FaultServer(answer(200, [], link)) as server:
            client = connect(server.url, auth=strategy.make(tokens.url))
            with pytest.raises(ForeignOrigin) as caught:
                list(client.pages("/1"))
    assert elsewhere.connections == 0
    assert len(server.requests) == 1
    assert_only_ours(caught.value)


@each
def test_nothing_that_libraries_log_shows_a_secret(
    connect: Connect, strategy: Strategy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with token_endpoint() as tokens, FaultServer() as server:
        connect(server.url, auth=strategy.make(tokens.url)).get("/x")
    logged = "\n".join(record.getMessage() for record in caplog.records)
    assert "GET /x" in logged  # urllib3 does
    for secret in SECRETS:
        assert secret not in logged


@each
def test_an_answer_does_not_show_the_secret_that_was_sent_for_it(
    connect: Connect, strategy: Strategy
) -> None:
    with token_endpoint() as tokens, FaultServer() as server:
        response = connect(server.url, auth=strategy.make(tokens.url)).get("/x")
    assert SECRET not in repr(response)
    assert "/x" in repr(response)


@each
def test_a_live_client_can_exchange_its_way_of_signing_in(
    connect: Connect, strategy: Strategy
) -> None:
    with token_endpoint() as tokens, FaultServer() as server:
        client = connect(server.url, auth=BearerAuth("of-the-former-user"))
        client.get("/1")
        client.auth = strategy.make(tokens.url)
        client.get("/2")
        client.auth = NoAuth()
        client.get("/3")
    former, mine, nobody = server.requests
    assert former.headers["authorization"] == "Bearer of-the-former-user"
    assert_signed(mine, strategy)
    assert b"of-the-former-user" not in mine.raw
    assert not {"authorization", "cookie", "x-api-key"} & nobody.headers.keys()
    assert SECRET.encode() not in nobody.raw


@each
def test_its_repr_names_the_way_and_no_secret(strategy: Strategy) -> None:
    auth = strategy.make("https://tokens.example.com")
    assert repr(auth).startswith(type(auth).__name__)
    for secret in SECRETS:
        assert secret not in repr(auth)


def test_the_table_of_strategies_has_a_row_for_each_and_no_secret_astray() -> None:
    rows = list(table())[2:]
    assert len(rows) == len(STRATEGIES) == len(SENT)
    for row in rows:
        assert row.endswith("| no | no | nothing |"), row


def endpoint(**given: Any) -> dict[str, Any]:
    return {"token_url": "https://a.example/token", "client_id": "an-id", **given}


UNUSABLE = [
    (HeaderAuth, ("X Key", "sesame77"), {}, "header's name"),
    (HeaderAuth, ("X-Key: x\r\nY", "sesame77"), {}, "header's name"),
    (HeaderAuth, ("", "sesame77"), {}, "header's name"),
    (HeaderAuth, (7, "sesame77"), {}, "header's name"),
    (HeaderAuth, ("X-Key", "sesame77\r\nX: y"), {}, "line break"),
    (HeaderAuth, ("X-Key", ""), {}, "empty"),
    (HeaderAuth, ("X-Key", 7), {}, "must be text"),
    (HeaderAuth, ("X-Key", "sesame77"), {"scheme": "two words"}, "scheme"),
    (HeaderAuth, ("X-Key", "sesame77"), {"scheme": "a\n"}, "scheme"),
    (HeaderAuth, ("X-Key", "sesame77"), {"scheme": 7}, "scheme"),
    (HeaderAuth, ("X-Key", "sesame77"), {"scheme": None}, "scheme"),
    (QueryAuth, ("a b", "sesame77"), {}, "parameter's name"),
    (QueryAuth, ("a=b&c", "sesame77"), {}, "parameter's name"),
    (QueryAuth, ("", "sesame77"), {}, "parameter's name"),
    (QueryAuth, (None, "sesame77"), {}, "parameter's name"),
    (QueryAuth, ("key", "sesame77\n\n"), {}, "line break"),
    (QueryAuth, ("key", None), {}, "must be text"),
    (CookieAuth, ("a;b", "sesame77"), {}, "cookie's name"),
    (CookieAuth, (b"a", "sesame77"), {}, "cookie's name"),
    (CookieAuth, ("a", "sesame77; b=c"), {}, "space"),
    (CookieAuth, ("a", "sesame77;b=c"), {}, "semicolon"),
    (CookieAuth, ("a", 'sesame"77'), {}, "quote"),
    (CookieAuth, ("a", ""), {}, "empty"),
    (BasicAuth, ("me", "sesame77\ud800"), {}, "line break"),
    (BasicAuth, ("me\ud800", "sesame77"), {}, "user name"),
    (BearerAuth, ("sesame77 sesame77",), {}, "space"),
    (ClientCredentials, (), endpoint(client_secret=""), "client secret is empty"),
    (ClientCredentials, (), endpoint(client_secret=None), "must be text"),
    (ClientCredentials, (), endpoint(client_secret="sesame77\nx"), "line break"),
    (ClientCredentials, (), endpoint(client_secret="sesame77", client_id=""), "client id"),
    (ClientCredentials, (), endpoint(client_secret="sesame77", client_id="a:b"), "':'"),
    (ClientCredentials, (), endpoint(client_secret="sesame77", placement="cookie"), "placement"),
    (ClientCredentials, (), endpoint(client_secret="sesame77", timeout=0), "timeout"),
    (
        ClientCredentials,
        (),
        endpoint(client_secret="sesame77", token_url="http://a.example/token"),
        "the token endpoint is http://",
    ),
    (
        ClientCredentials,
        (),
        endpoint(client_secret="sesame77", token_url="https://me:sesame77@a.example/"),
        "user:password",
    ),
    (ClientCredentials, (), endpoint(client_secret="sesame77", token_url="a/token"), "https://"),
    (ClientCredentials, (), endpoint(client_secret="sesame77", token_url=None), "a URL"),
    (RefreshToken, (), endpoint(refresh_token=""), "refresh token is empty"),
    (RefreshToken, (), endpoint(refresh_token=7), "must be text"),
    (RefreshToken, (), endpoint(refresh_token="sesame77", access_token="a b"), "access token"),
    (Token, (), {"value": "sesame77", "expires_at": NAIVE}, "time zone"),
]


@pytest.mark.parametrize(("make", "args", "options", "complaint"), UNUSABLE)
def test_what_cannot_be_sent_is_refused_when_it_is_made_and_not_shown(
    make: Any, args: tuple[Any, ...], options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint) as caught:
        make(*args, **options)
    assert "sesame" not in everything_said(caught.value)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("/x", "/x?key=a%2Bb%26c%3Dd"),
        ("/x?page=2", "/x?page=2&key=a%2Bb%26c%3Dd"),
        ("/x?key=somebody&page=2", "/x?page=2&key=a%2Bb%26c%3Dd"),
        ("/x?monkey=1", "/x?monkey=1&key=a%2Bb%26c%3Dd"),
    ],
)
def test_a_token_in_the_query_stands_there_once_and_leaves_the_rest_as_it_is(
    connect: Connect, given: str, sent: str
) -> None:
    with FaultServer() as server:
        connect(server.url, auth=QueryAuth("key", "a+b&c=d")).get(given)
    assert server.request.target == sent


def test_a_short_token_in_the_query_is_masked_too(connect: Connect, events: list[Any]) -> None:
    with FaultServer(answer(404)) as server:
        client = connect(server.url, auth=QueryAuth("pin", "8351"), retry=ONCE)
        with pytest.raises(RestError) as caught:
            client.get("/x")
    assert server.request.target == "/x?pin=8351"
    assert "8351" not in everything_said(caught.value) + repr(events)


def test_the_pages_of_a_listing_are_read_although_their_links_repeat_the_token(
    connect: Connect,
) -> None:
    link = {"Link": f'</x?page=2&api_token={SECRET}>; rel="next"'}
    with FaultServer(answer(200, [1], link), answer(200, [2])) as server:
        client = connect(server.url, auth=QueryAuth("api_token", SECRET))
        assert [page.json() for page in client.pages("/x")] == [[1], [2]]
    assert server.requests[1].target == f"/x?page=2&api_token={SECRET}"
