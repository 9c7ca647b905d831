"""Where a listing ends: of servers that know no page numbers, or that leave their links out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.conftest import QUICK, TOKEN
from tests.support.fault_server import FaultServer, Peer, answer
from tests.support.hub import USER, a_repository
from tests.support.inside.core import (
    BadCredentials,
    Forbidden,
    NotFound,
    RestError,
    ServerError,
    UnexpectedAnswer,
)
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient
from tests.support.ledger import value
from tests.support.runs import sync

# How many there are, what is asked for -> what stands on the page, and the query of the next one.
List = Callable[[int, dict[str, str]], tuple[range, str | None]]


def by_cursor(count: int, query: dict[str, str]) -> tuple[range, str | None]:
    """A list that is linked by cursors; what it is told of page numbers it passes over."""
    start, size = int(query.get("after", 0)), int(query["per_page"])
    more = f"per_page={size}&after={start + size}" if start + size < count else None
    return range(start, min(start + size, count)), more


def by_strict_cursor(count: int, query: dict[str, str]) -> tuple[range, str | None]:
    """The same, of a server that has no answer to a cursor and a page number together."""
    assert not {"page", "after"} <= set(query)
    return by_cursor(count, query)


def capped(most: int, *, linked: bool) -> List:
    """A list whose pages are shorter than what is asked for."""

    def give(count: int, query: dict[str, str]) -> tuple[range, str | None]:
        size, number = min(int(query["per_page"]), most), int(query.get("page", 1))
        more = f"per_page={query['per_page']}&page={number + 1}" if number * size < count else None
        return range((number - 1) * size, min(number * size, count)), more if linked else None

    return give


class Listed:
    """A server of repositories that are listed in some way; `failing` sizes of pages fail."""

    def __init__(self, how: List, count: int) -> None:
        self.how, self.count = how, count
        self.failing: tuple[str, ...] = ()
        self.links: dict[str, str] = {}  # of pages that none follows
        self.beyond: int | None = None  # the status of pages behind the last one
        self.server = FaultServer(self._talk)

    def _talk(self, peer: Peer) -> bool:
        assert peer.received is not None
        parts = urlsplit(peer.received.target)
        query = dict(parse_qsl(parts.query))
        if parts.path == "/user":
            peer.send(answer(body=USER))
        elif query.get("per_page") in self.failing:
            peer.send(answer(502))
        elif self.beyond and "page" in query and not self.how(self.count, query)[0]:
            peer.send(
                answer(self.beyond, b"" if self.beyond == 204 else {"message": "No such page"})
            )
        else:
            self._give(peer, query, peer.received.headers.get("if-none-match"))
        return True

    def _give(self, peer: Peer, query: dict[str, str], known: str | None) -> None:
        found, more = self.how(self.count, query)
        body = json.dumps([a_repository(number + 1) for number in found]).encode()
        # Of the body alone: that more has come behind it does not show.
        etag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
        if known == etag:
            peer.send(answer(304, b"", {"ETag": etag}))
            return
        link = (
            {"Link": f'<{self.server.url}/user/repos?{more}>; rel="next"'} if more else self.links
        )
        peer.send(answer(body=body, headers={"ETag": etag, **link}))


@contextmanager
def listed(how: List, count: int) -> Iterator[tuple[Listed, GitHubClient]]:
    github = Listed(how, count)
    with (
        github.server as server,
        GitHubClient(token=TOKEN, api_url=server.url, retry=QUICK) as client,
    ):
        yield github, client


@pytest.mark.matrix("http.ends")
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 300])
@pytest.mark.parametrize("how", [by_cursor, by_strict_cursor])
def test_a_list_that_is_linked_by_cursors_is_read_to_its_end(
    how: List, count: int, store: Store
) -> None:
    if how is by_strict_cursor and count == 100:
        count = 400  # a first page may have a number, as far as anybody knows
    with listed(how, count) as (_, client):
        outcome = sync(client, store)
    assert (outcome.status, outcome.counts.items, outcome.counts.inserted) == (
        *("succeeded", count, count),
    )


@pytest.mark.matrix("http.ends")
@pytest.mark.parametrize("count", [100, 200, 250])
@pytest.mark.parametrize(
    "how", [by_cursor, by_strict_cursor, capped(50, linked=True), capped(50, linked=False)]
)
def test_what_comes_behind_pages_that_are_as_they_were_is_found(
    how: List, count: int, store: Store
) -> None:
    if how is by_strict_cursor and count == 100:
        count = 300
    with listed(how, count) as (github, client):
        sync(client, store)
        again = sync(client, store)
        assert (again.status, again.counts.unchanged) == ("succeeded", count)
        github.count = count + 1
        outcome = sync(client, store)
    assert (outcome.status, outcome.counts.inserted, outcome.counts.removed) == ("succeeded", 1, 0)
    assert value(store.url, "SELECT count(*) FROM current_repositories") == count + 1


@pytest.mark.matrix("http.ends")
@pytest.mark.parametrize("count", [29, 30, 31, 60, 75])
@pytest.mark.parametrize("linked", [True, False])
def test_a_first_run_is_complete_though_pages_are_short_and_nothing_links_them(
    count: int, linked: bool, store: Store
) -> None:
    with listed(capped(30, linked=linked), count) as (_, client):
        outcome = sync(client, store)
    assert (outcome.complete, outcome.counts.inserted) == (True, count)


@pytest.mark.matrix("http.ends")
@pytest.mark.parametrize("beyond", [204, 400, 404, 410, 416, 422])
@pytest.mark.parametrize(
    ("count", "failing"), [(3, ()), (100, ()), (110, ("100",)), (100, ("100",))]
)
def test_a_page_behind_the_last_one_that_is_refused_is_the_end(
    beyond: int, count: int, failing: tuple[str, ...]
) -> None:
    with listed(capped(100, linked=False), count) as (github, client):
        github.beyond, github.failing = beyond, failing
        ids = [id_ for page in client.repository_pages() for id_ in page.ids]
    assert ids == list(range(1, count + 1))


def test_a_run_that_is_refused_a_page_behind_the_last_one_is_complete(store: Store) -> None:
    with listed(capped(100, linked=False), 3) as (github, client):
        github.beyond = 404
        assert [sync(client, store).status for _ in range(2)] == ["succeeded"] * 2


@pytest.mark.matrix("http.ends")
@pytest.mark.parametrize(
    ("beyond", "kind"), [(401, BadCredentials), (403, Forbidden), (503, ServerError)]
)
def test_what_may_stand_behind_a_page_that_cannot_be_had_is_not_taken_for_the_end(
    beyond: int, kind: type[RestError]
) -> None:
    with listed(capped(100, linked=False), 100) as (github, client):
        github.beyond = beyond
        with pytest.raises(kind):
            list(client.repository_pages())


def test_a_page_that_a_link_led_to_and_that_is_not_there_is_no_end() -> None:
    with listed(capped(100, linked=True), 200) as (github, client):
        shrunk = {"1": 200, "2": 100}

        def give(_: int, query: dict[str, str]) -> tuple[range, str | None]:
            return capped(100, linked=True)(shrunk[query.get("page", "1")], query)

        github.how, github.beyond = give, 404
        with pytest.raises(NotFound):
            list(client.repository_pages())


def test_a_page_that_only_shows_that_there_is_no_more_costs_no_quota_and_is_not_counted(
    store: Store,
) -> None:
    with listed(capped(100, linked=True), 3) as (_, client):
        sync(client, store)
        before = client.stats.requests - client.stats.not_modified
        outcome = sync(client, store)
        # But for who it is, which this server does not tell conditionally.
        assert client.stats.requests - client.stats.not_modified == before + 1
    assert (outcome.counts.pages, outcome.counts.unchanged) == (1, 3)


def uneven(*sizes: int) -> List:
    """A list that nothing links, whose pages hold what is left of so many when some are hidden."""

    def give(count: int, query: dict[str, str]) -> tuple[range, str | None]:
        number = int(query.get("page", 1))
        start = sum(sizes[: number - 1])
        size = sizes[number - 1] if number <= len(sizes) else 0
        return range(start, min(start + size, count)), None

    return give


@pytest.mark.matrix("http.ends")
@pytest.mark.parametrize("sizes", [(30, 29, 30), (100, 99, 100), (1, 100, 5), (3,)])
def test_where_nothing_links_the_pages_only_an_empty_one_is_the_end(
    sizes: tuple[int, ...], store: Store
) -> None:
    count = sum(sizes)
    with listed(uneven(*sizes), count) as (_, client):
        outcome = sync(client, store)
        assert (outcome.complete, outcome.counts.inserted) == (True, count)
        asked = client.stats.requests
        again = sync(client, store)
        assert (again.status, again.counts.unchanged) == ("succeeded", count)
        # Who it is, each page, and that there is no more: all but the first conditionally.
        assert client.stats.requests - asked == len(sizes) + 2
        assert client.stats.not_modified == len(sizes) + 1


def test_links_to_what_is_no_page_do_not_make_a_list_a_linked_one() -> None:
    with listed(uneven(30, 29, 30), 89) as (github, client):
        github.links = {"Link": '<https://docs.example/>; rel="deprecation"'}
        assert sum(page.item_count for page in client.repository_pages()) == 89


@pytest.mark.parametrize("how", [by_cursor, capped(30, linked=False), capped(30, linked=True)])
def test_what_has_no_pages_of_the_size_asked_for_is_not_put_together_of_smaller_ones(
    how: List,
) -> None:
    with listed(how, 120) as (github, client):
        github.failing = ("100",)
        with pytest.raises(UnexpectedAnswer, match="whole pages fail"):
            list(client.repository_pages())


def test_an_answer_that_repeats_a_page_and_links_on_is_followed() -> None:
    """The list has grown in between."""
    with listed(by_cursor, 100) as (github, client):

        def grown(count: int, query: dict[str, str]) -> tuple[range, str | None]:
            return by_cursor(count if "page" in query or "after" in query else 100, query)

        github.how, github.count = grown, 150
        ids = [id_ for page in client.repository_pages() for id_ in page.ids]
    assert ids == list(range(1, 151))
