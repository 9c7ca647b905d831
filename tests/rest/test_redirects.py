"""Redirects: followed within the origin, and nowhere else."""

from __future__ import annotations

import pytest

from sync.rest import BearerAuth
from tests.rest.conftest import Connect
from tests.rest.helpers import assert_only_ours
from tests.support.fault_server import FaultServer, answer
from tests.support.inside.core import ForeignOrigin, RestError, UnexpectedAnswer

TOKEN = "ghp_" + "r4" * 18


def redirect(location: str, status: int = 302) -> bytes:
    return answer(status, headers={"Location": location})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_within_the_origin_is_followed_with_the_same_credentials(
    connect: Connect, status: int
) -> None:
    with FaultServer(redirect("/new?x=1", status), answer(200, {"new": True})) as server:
        response = connect(server.url, auth=BearerAuth(TOKEN)).get("/old")
    assert response.json() == {"new": True}
    assert response.url == f"{server.url}/new?x=1"
    assert [request.target for request in server.requests] == ["/old", "/new?x=1"]
    assert server.requests[1].headers["authorization"] == f"Bearer {TOKEN}"


def test_five_redirects_are_followed_and_a_sixth_is_not(connect: Connect) -> None:
    hops = [redirect(f"/{n}") for n in range(1, 6)]
    with FaultServer(*hops, answer()) as server:
        assert connect(server.url).get("/0").url == f"{server.url}/5"
    with (
        FaultServer(*hops, redirect("/6"), answer()) as server,
        pytest.raises(UnexpectedAnswer, match="more than 5 redirects"),
    ):
        connect(server.url).get("/0")
    assert len(server.requests) == 6


def test_a_loop_of_redirects_ends(connect: Connect) -> None:
    with (
        FaultServer(redirect("/x")) as server,
        pytest.raises(UnexpectedAnswer, match="redirects") as caught,
    ):
        connect(server.url).get("/x")
    assert len(server.requests) == 6
    assert (caught.value.method, caught.value.url) == ("GET", f"{server.url}/x")


@pytest.mark.matrix("http.redirects")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{other}/steal",
        "//127.0.0.1:{other}/steal",
        "http://localhost:{other}/steal",
        "http://127.0.0.1@127.0.0.1:{other}/",
        "https://127.0.0.1:{other}/steal",
    ],
)
def test_another_origin_receives_nothing_at_all(
    connect: Connect, status: int, location: str
) -> None:
    with FaultServer() as other:
        target = location.format(other=other.port)
        with FaultServer(redirect(target, status)) as server:
            client = connect(server.url, auth=BearerAuth(TOKEN), headers={"Private-Token": TOKEN})
            with pytest.raises(ForeignOrigin, match="leads away") as caught:
                client.get("/x")
    assert other.connections == 0
    assert len(server.requests) == 1
    assert_only_ours(caught.value)


@pytest.mark.matrix("http.foreign-next")
def test_a_link_to_another_origin_is_refused_and_that_origin_receives_nothing(
    connect: Connect,
) -> None:
    with FaultServer() as other:
        link = answer(200, [], {"Link": f'<{other.url}/2>; rel="next"'})
        with FaultServer(link) as server:
            client = connect(server.url, auth=BearerAuth(TOKEN))
            following = client.get("/1").links["next"]
            with pytest.raises(ForeignOrigin):
                client.get(following)
    assert other.connections == 0


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_what_changes_the_server_is_not_repeated_at_another_address(
    connect: Connect, method: str, status: int
) -> None:
    with (
        FaultServer(redirect("/new", status), answer()) as server,
        pytest.raises(UnexpectedAnswer) as caught,
    ):
        connect(server.url).request(method, "/old")
    assert caught.value.status == status
    assert len(server.requests) == 1


@pytest.mark.parametrize("location", ["http://[", "http://[::1", "//[x]/"])
def test_a_redirect_to_no_url_at_all_is_an_error_of_ours(connect: Connect, location: str) -> None:
    with FaultServer(redirect(location)) as server, pytest.raises(RestError) as caught:
        connect(server.url).get("/x")
    assert len(server.requests) == 1
    assert_only_ours(caught.value)


def test_a_redirect_without_a_location_is_an_unexpected_answer(connect: Connect) -> None:
    with FaultServer(answer(302)) as server, pytest.raises(UnexpectedAnswer, match="302"):
        connect(server.url).get("/x")
