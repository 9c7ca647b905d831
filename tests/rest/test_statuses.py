"""What an answer's status and headers mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from requests.structures import CaseInsensitiveDict

from sync.rest import Response
from tests.rest.conftest import Connect
from tests.rest.helpers import ONCE
from tests.support.fault_server import FaultServer, answer
from tests.support.inside.core import errors
from tests.support.inside.rest import LONGEST_RETRY_AFTER, classify, parse_links, parse_retry_after

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def make(status: int = 200, body: bytes = b"{}", **headers: str) -> Response:
    return Response(
        method="GET",
        url="https://api.example.com/x",
        status=status,
        headers=CaseInsensitiveDict({k.replace("_", "-"): v for k, v in headers.items()}),
        body=body,
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidRequest),
        (401, errors.BadCredentials),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (405, errors.InvalidRequest),
        (408, errors.TimedOut),
        (409, errors.Conflict),
        (410, errors.NotFound),
        (418, errors.InvalidRequest),
        (422, errors.InvalidRequest),
        (429, errors.RateLimited),
        (451, errors.Forbidden),
        (500, errors.ServerError),
        (502, errors.ServerError),
        (503, errors.ServerError),
        (599, errors.ServerError),
        (300, errors.UnexpectedAnswer),
        (302, errors.UnexpectedAnswer),
    ],
)
def test_each_status_is_an_error_of_its_kind_with_the_server_s_message(
    connect: Connect, status: int, kind: type[errors.RestError]
) -> None:
    reply = answer(status, {"message": "because I say so"}, {"X-Request-Id": "r-1"})
    with FaultServer(reply) as server, pytest.raises(errors.RestError) as caught:
        connect(server.url, retry=ONCE).get("/x")
    error = caught.value
    assert type(error) is kind
    assert str(error) == f"GET {server.url}/x: {status}: because I say so"
    assert (error.status, error.method, error.url) == (status, "GET", f"{server.url}/x")
    assert error.request_id == "r-1"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299, 304])
def test_success_and_not_modified_are_no_errors(status: int) -> None:
    assert classify(make(status), NOW) is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message": "no"}', "400: no"),
        (
            b'{"message": "no", "errors": [{"message": "one"}, {"code": "two"}, 3]}',
            "400: no; one; two",
        ),
        (b'{"error": "bad", "error_description": "worse"}', "400: worse; bad"),
        (b'{"detail": "no such thing"}', "400: no such thing"),
        (b'{"message": "a\\nb\\u001b[31m"}', "400: a\\nb\\x1b[31m"),
        (b'{"message": 5}', '400: {"message": 5}'),
        (b'["odd"]', '400: ["odd"]'),
        (b"plain\r\n  text", "400: plain text"),
        (b"\xff\xfe", "400: \ufffd\ufffd"),
        (b"", "400: (empty)"),
        (b'{"errors": "x"}', "400: x"),
        (b'{"message": "no", "errors": ["one", 2, "three"]}', "400: no; one; three"),
        (b'{"message": "no", "error": {"message": "why"}}', "400: no; why"),
    ],
)
def test_the_server_s_message_is_found_and_made_harmless(body: bytes, message: str) -> None:
    error = classify(make(400, body), NOW)
    assert error is not None
    assert error.message == message


def test_a_page_of_html_is_called_that() -> None:
    error = classify(make(502, b"<html>" * 99, Content_Type="text/html; charset=utf-8"), NOW)
    assert error is not None
    assert error.message == "502: an HTML page"


@pytest.mark.parametrize("body", [b"y" * 10_000, b'{"message": "' + b"y" * 10_000 + b'"}'])
def test_a_long_message_is_cut(body: bytes) -> None:
    error = classify(make(500, body), NOW)
    assert error is not None
    assert 200 <= len(error.message) <= 310


@pytest.mark.matrix("http.retry-after")
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        ("1.5", 1.5),
        (" 60 ", 60),
        ("-5", 0),
        ("1e9", LONGEST_RETRY_AFTER.total_seconds()),
        ("99999999999999999999", LONGEST_RETRY_AFTER.total_seconds()),
        ("inf", LONGEST_RETRY_AFTER.total_seconds()),
        ("-inf", 0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30),
        ("Sunday, 01-Mar-26 12:00:30 GMT", 30),
        ("Sun, 01 Mar 2026 13:00:30 +0100", 30),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_RETRY_AFTER.total_seconds()),
    ],
)
def test_retry_after_says_when_to_ask_again(text: str, seconds: float) -> None:
    assert parse_retry_after(make(Retry_After=text), NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_that_says_until_when_it_is_away_is_waited_for_as_for_a_limit(status: int) -> None:
    error = classify(make(status=status, Retry_After="30"), NOW)
    assert isinstance(error, errors.RateLimited)
    assert (error.retry_at, error.secondary) == (NOW + timedelta(seconds=30), False)
    assert isinstance(classify(make(status=status), NOW), errors.ServerError)


@pytest.mark.matrix("http.retry-after")
@pytest.mark.parametrize(
    "text",
    ["", "  ", "soon", "nan", "a, b", "Sun, 99 Mar 2026 12:00:30 GMT", "0x10", "Sun, 01 Mar"],
)
def test_junk_in_retry_after_says_nothing(text: str) -> None:
    assert parse_retry_after(make(Retry_After=text), NOW) is None


def test_no_retry_after_says_nothing() -> None:
    assert parse_retry_after(make(), NOW) is None


def test_a_date_in_retry_after_is_compared_with_the_server_s_own_clock() -> None:
    # The server's clock is two hours ahead of ours.
    response = make(
        Retry_After="Sun, 01 Mar 2026 14:00:30 GMT", Date="Sun, 01 Mar 2026 14:00:00 GMT"
    )
    assert parse_retry_after(response, NOW) == NOW + timedelta(seconds=30)


def test_a_rate_limit_tells_when_to_come_back(connect: Connect) -> None:
    with FaultServer(answer(429, headers={"Retry-After": "3600"})) as server:
        client = connect(server.url, clock=lambda: NOW, retry=ONCE)
        with pytest.raises(errors.RateLimited) as caught:
            client.get("/x")
    assert caught.value.retry_at == NOW + timedelta(hours=1)
    assert caught.value.sent


@pytest.mark.parametrize(
    ("header", "links"),
    [
        ("", {}),
        ("junk", {}),
        ('<https://a.example/?page=2>; rel="next"', {"next": "https://a.example/?page=2"}),
        ("<https://a.example/2>; rel=next", {"next": "https://a.example/2"}),
        ('<https://a.example/2>;REL="Next"', {"next": "https://a.example/2"}),
        (
            '<https://a.example/9>; rel="last", <https://a.example/2>; rel="next"',
            {"last": "https://a.example/9", "next": "https://a.example/2"},
        ),
        (
            '<https://a.example/2>; rel="next last"',
            {"next": "https://a.example/2", "last": "https://a.example/2"},
        ),
        (
            '<https://a.example/2>; title="a, b; c"; rel="next"; foo=bar',
            {"next": "https://a.example/2"},
        ),
        (
            '<https://a.example/2>; title="x; rel=last"; rel=next',
            {"next": "https://a.example/2"},
        ),
        ("<https://a.example/1>; rel=next, <https://a.example/2>; rel=next", "first"),
        ("<https://a.example/1>; rel=next; rel=last", "first"),
        ("junk, <<<>; x, <https://a.example/1>; rel=next, <", "first"),
        ("<?page=2>; rel=next", {"next": "https://a.example/list?page=2"}),
        ("</x>; rel=next", {"next": "https://a.example/x"}),
        ("<x>; rel=next", {"next": "https://a.example/x"}),
        ("<https://[bad>; rel=next", {}),
        ("<https://a.example/2>", {}),
        ('<https://a.example/2>; title="rel=next"', {}),
        ("<https://a.example/a,b;c>; rel=next", {"next": "https://a.example/a,b;c"}),
    ],
)
def test_links_are_found_whatever_their_order_and_form(
    header: str, links: dict[str, str] | str
) -> None:
    if links == "first":
        links = {"next": "https://a.example/1"}
    assert parse_links(header, "https://a.example/list") == links


@pytest.mark.timeout(10)
@pytest.mark.parametrize("piece", ["<", "<a>;", "<a> ", ";a=b", '<a>; rel="', "<a>; rel=next,"])
def test_a_hostile_link_header_costs_no_time(piece: str) -> None:
    parse_links(piece * (64_000 // len(piece)), "https://a.example/")


def test_an_answer_knows_its_links_and_its_date() -> None:
    response = make(Link="</2>; rel=next", Date="Sun, 01 Mar 2026 12:00:00 GMT")
    assert response.links == {"next": "https://api.example.com/2"}
    assert response.date == NOW
    assert make(Date="yesterday").date is None
