"""Listings in pages: read to their end, one page at a time, and never in a circle."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sync.rest import Response, RestClient
from tests.rest.conftest import Connect
from tests.rest.helpers import QUICK, assert_only_ours
from tests.support.fault_server import FaultServer, answer
from tests.support.inside.core import NotFound, NotJson, RestError, UnexpectedAnswer


def page(body: object, following: str | None = None, **options: Any) -> bytes:
    headers = {"Link": f'<{following}>; rel="next"'} if following else {}
    return answer(200, body, headers, **options)


def test_the_items_of_all_pages_come_in_their_order(connect: Connect) -> None:
    script = (page([1, 2], "/x?page=2"), page([], "/x?page=3"), page([{"id": 3}]))
    with FaultServer(*script) as server:
        found = list(connect(server.url).items("/x", params={"q": "a b"}, headers={"X-A": "b"}))
    assert found == [1, 2, {"id": 3}]
    assert [request.target for request in server.requests] == [
        "/x?q=a+b",
        "/x?page=2",
        "/x?page=3",
    ]
    assert {request.headers["x-a"] for request in server.requests} == {"b"}


def test_the_pages_themselves_can_be_had(connect: Connect) -> None:
    with FaultServer(page([1], "/x?page=2"), page([2])) as server:
        pages = list(connect(server.url).pages("/x"))
        assert [each.url for each in pages] == [f"{server.url}/x", f"{server.url}/x?page=2"]


def test_a_page_is_asked_for_when_the_one_before_it_is_done_with(connect: Connect) -> None:
    with FaultServer(page([1, 2], "/x?page=2"), page([3])) as server:
        items = connect(server.url).items("/x")
        assert server.requests == []
        assert [next(items), next(items)] == [1, 2]
        assert len(server.requests) == 1
        assert next(items) == 3


def test_a_page_that_was_cut_short_is_asked_for_again(connect: Connect) -> None:
    script = (page([1], "/x?page=2"), page(b"[2, 3"), page([2, 3]))
    with FaultServer(*script) as server:
        assert list(connect(server.url).items("/x")) == [1, 2, 3]
    assert len(server.requests) == 3


@pytest.mark.parametrize("following", ["/x", "/x?page=2", "/x?page=3"])
def test_pages_that_lead_in_a_circle_are_an_error(connect: Connect, following: str) -> None:
    script = (page([1], "/x?page=2"), page([2], "/x?page=3"), page([3], following))
    with FaultServer(*script) as server:
        items = connect(server.url).items("/x")
        assert [next(items), next(items), next(items)] == [1, 2, 3]
        with pytest.raises(UnexpectedAnswer, match="circle"):
            next(items)
    assert len(server.requests) == 3


def test_pages_without_end_are_an_error() -> None:
    from tests.support.inside.rest import Leaf, linked

    def leaf(number: int) -> Leaf[int]:
        url = f"https://a.example/{number}"
        response = Response(method="GET", url=url, status=200, headers={}, body=b"[]")
        return Leaf(response, number, f"https://a.example/{number + 1}")

    pages = linked(leaf(0), lambda url: leaf(int(url.rpartition("/")[2])), most=50)
    with pytest.raises(UnexpectedAnswer, match="more than 50 pages"):
        for _ in pages:
            pass


@pytest.mark.parametrize(
    ("body", "kind"), [({"items": []}, UnexpectedAnswer), (7, UnexpectedAnswer), (b"<p>", NotJson)]
)
def test_what_is_no_list_is_an_error_of_ours(
    connect: Connect, body: object, kind: type[RestError]
) -> None:
    with FaultServer(page(body)) as server, pytest.raises(kind) as caught:
        list(connect(server.url).items("/x"))
    assert_only_ours(caught.value)
    assert (caught.value.method, caught.value.url) == ("GET", f"{server.url}/x")


def test_the_error_of_a_later_page_reaches_whoever_reads_the_list(connect: Connect) -> None:
    with FaultServer(page([1], "/x?page=2"), answer(404)) as server:
        items = connect(server.url).items("/x")
        assert next(items) == 1
        with pytest.raises(NotFound):
            next(items)


class Envelope(msgspec.Struct):
    rows: list[int]
    cursor: str | None = None


class Enveloped(RestClient):
    """A service that gives its pages in an object, with the next address inside."""

    def page_items(self, response: Response) -> list[int]:
        return response.decode(Envelope).rows

    def next_page(self, response: Response) -> str | None:
        cursor = response.decode(Envelope).cursor
        return cursor and f"/rows?cursor={cursor}"


def test_a_service_that_gives_its_pages_in_another_way_needs_two_methods() -> None:
    script = (
        page({"rows": [1, 2], "cursor": "abc"}),
        page(b'{"rows": [3'),
        page({"rows": [3]}),
    )
    with FaultServer(*script) as server, Enveloped(f"{server.url}/api", retry=QUICK) as client:
        assert list(client.items("/rows")) == [1, 2, 3]
    assert [request.target for request in server.requests] == [
        "/api/rows",
        "/api/rows?cursor=abc",
        "/api/rows?cursor=abc",
    ]


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (b'{"rows": [1', NotJson, "not JSON"),
        (b'{"rows": 1}', UnexpectedAnswer, "Expected `array`"),
        (b"[]", UnexpectedAnswer, "Expected `object`"),
        (b'{"rows": [1], "cursor": 7}', UnexpectedAnswer, "cursor"),
        (b"[" * 100_000, NotJson, "nested too deeply"),
    ],
)
def test_an_answer_of_another_shape_is_an_error_of_ours(
    connect: Connect, body: bytes, kind: type[RestError], reason: str
) -> None:
    with FaultServer(answer(200, body)) as server:
        response = connect(server.url).get("/x")
        with pytest.raises(kind, match=reason) as caught:
            response.decode(Envelope)
    assert type(caught.value) is kind
    assert caught.value.url == f"{server.url}/x"
