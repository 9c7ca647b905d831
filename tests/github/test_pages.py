"""Pages that the server cannot give whole are asked for in pieces."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from structlog.testing import capture_logs

from sync.sandbox import Sandbox
from tests.conftest import QUICK, TOKEN
from tests.support.fault_server import FaultServer, Peer, answer
from tests.support.hub import a_repository
from tests.support.inside.core import ServerError, UnexpectedAnswer
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient, protocol
from tests.support.ledger import value
from tests.support.runs import fill, sync

pytestmark = pytest.mark.matrix("http.5xx")


def refuse(github: Sandbox, *sizes: int) -> None:
    """Have GitHub fail for every page of these sizes."""
    for size in sizes:
        github.fail(times=10_000, status=502, path="/user/repos", query={"per_page": str(size)})


def sizes_asked_for(github: Sandbox) -> list[str]:
    asked = [r.query["per_page"] for r in github.requests if r.path == "/user/repos"]
    return list(dict.fromkeys(asked))


@pytest.mark.parametrize("count", [0, 1, 25, 99, 100, 101, 150, 225, 300])
@pytest.mark.parametrize("refused", [(100,), (100, 50)])
def test_a_listing_in_smaller_pages_is_the_same_listing(
    github: Sandbox, client: GitHubClient, count: int, refused: tuple[int, ...]
) -> None:
    ids = fill(github, count)
    refuse(github, *refused)
    pages = list(client.repository_pages())
    assert [id_ for page in pages for id_ in page.ids] == ids
    assert sizes_asked_for(github) == ["100", "50", "25"][: len(refused) + 1]
    # A full page is followed by one more, as ever; each tells as much as a whole one would.
    assert len(pages) == count // 100 + 1
    assert {page.etag for page in pages} == {None}


def test_a_server_that_always_fails_is_left_alone_after_a_few_requests(
    github: Sandbox, client: GitHubClient
) -> None:
    refuse(github, 100, 50, 25)
    with capture_logs() as events, pytest.raises(ServerError):
        list(client.repository_pages())
    assert [e["per_page"] for e in events if e["event"] == "page.divided"] == [50, 25]
    assert len(github.requests) == 3 + 2 + QUICK.attempts


@pytest.mark.matrix("http.told-in-part")
@pytest.mark.parametrize("status", [502, 503])
def test_a_server_that_says_until_when_it_is_away_is_not_asked_for_less(
    github: Sandbox, client: GitHubClient, store: Store, status: int
) -> None:
    fill(github, 3)
    github.fail(times=9, status=status, path="/user/repos", headers={"Retry-After": "3600"})
    outcome = sync(client, store)
    assert (outcome.status, outcome.not_before is not None) == ("deferred", True)
    asked = [r.query["per_page"] for r in github.requests if r.path == "/user/repos"]
    assert asked == ["100"]


@pytest.mark.parametrize("given", [30, 70])
def test_a_server_with_a_page_size_of_its_own_is_not_read_past_what_it_gives(
    github: Sandbox, client: GitHubClient, given: int
) -> None:
    ids = fill(github, 200)
    refuse(github, 100)
    body = json.dumps([github.get(id_) for id_ in ids[:given]]).encode()
    link = f'<{github.url}/user/repos?per_page=50&page=2>; rel="next"'
    github.fail(
        status=200, headers={"Link": link}, body=body, path="/user/repos", query={"per_page": "50"}
    )
    with pytest.raises(UnexpectedAnswer, match=f"has {given} and a link to more"):
        list(client.repository_pages())


def test_where_pages_hold_fewer_than_asked_for_none_is_asked_for_in_pieces() -> None:
    """Page 3 of a server that gives 50 at most begins at 101, and its pieces at 201."""

    def give(peer: Peer) -> bool:
        assert peer.received is not None
        query = dict(parse_qsl(urlsplit(peer.received.target).query))
        number, size = int(query.get("page", "1")), min(int(query["per_page"]), 50)
        if (number, query["per_page"]) == (3, "100"):
            peer.send(answer(502))
            return True
        listed = [a_repository(id_) for id_ in range(1, 231)][(number - 1) * size : number * size]
        following = f"{server.url}/user/repos?per_page=100&page={number + 1}"
        more = {"Link": f'<{following}>; rel="next"'} if number * size < 230 else {}
        peer.send(answer(body=listed, headers=more))
        return True

    with (
        FaultServer(give) as server,
        GitHubClient(token=TOKEN, api_url=server.url, retry=QUICK) as client,
        pytest.raises(ServerError),
    ):
        list(client.repository_pages())


def test_pages_behind_the_one_that_failed_are_asked_for_in_the_size_that_went(
    github: Sandbox, client: GitHubClient
) -> None:
    ids = fill(github, 1_000)
    refuse(github, 100)
    client.concurrency = 1
    assert [id_ for page in client.repository_pages() for id_ in page.ids] == ids
    whole = [r for r in github.requests if r.query.get("per_page") == "100"]
    assert len(whole) == 3


def test_what_is_stored_and_counted_is_as_if_the_page_had_come_whole(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    ids = fill(github, 60)
    github.add_object({**github.get(ids[0]), "id": "abc"}, listed_by="octo")
    for n in range(70):
        github.add_repository("octo", f"later-{n}")
    refuse(github, 100)
    outcome = sync(client, store)
    assert (outcome.status, outcome.counts.pages) == ("partial", 2)
    assert (outcome.counts.inserted, outcome.counts.rejected) == (130, 1)
    assert value(store.url, "SELECT position FROM rejected_items") == 60


def test_a_page_in_pieces_is_asked_for_whole_by_the_next_run(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    fill(github, 150)
    github.fail(times=3, status=502, path="/user/repos", query={"per_page": "100"})
    assert sync(client, store).status == "succeeded"
    github.clear_requests()
    with GitHubClient(token=TOKEN, api_url=github.url, retry=QUICK) as later:
        outcome = sync(later, store)
    assert (outcome.status, outcome.counts.unchanged) == ("succeeded", 150)
    assert sizes_asked_for(github) == ["100"]


def test_a_page_that_is_remembered_is_asked_for_as_it_was(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    fill(github, 350)
    sync(client, store)
    github.clear_requests()
    # Of four pages one fails; the three others are answered 304.
    github.fail(times=3, status=502, path="/user/repos", query={"per_page": "100", "page": "2"})
    outcome = sync(client, store)
    assert (outcome.status, outcome.counts.unchanged) == ("succeeded", 350)
    statuses = [r.status for r in github.requests if r.path == "/user/repos"]
    assert statuses.count(304) == 3
    assert statuses.count(200) == 2


def test_an_announced_end_is_told_in_pages_of_the_usual_size(
    github: Sandbox, client: GitHubClient
) -> None:
    fill(github, 260)
    refuse(github, 100, 50)
    first = next(client.repository_pages())
    assert first.last_url is not None
    assert first.last_url.endswith("page=3")
    assert json.loads(first.items[0].payload or "")["id"] == first.ids[0]


def test_pieces_cover_exactly_their_page() -> None:
    url = "https://x/user/repos?per_page=100&page=3"
    base = "https://x/user/repos?per_page="
    pieces = protocol.PAGING.pieces
    assert pieces(url, 50) == [f"{base}50&page=5", f"{base}50&page=6"]
    assert pieces(url, 25) == [f"{base}25&page={n}" for n in (9, 10, 11, 12)]
