"""Children of a repository: lists and objects below its path, such as releases and languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from sync.sandbox import Sandbox
from tests.support.inside.sandbox import child

Get = Callable[..., requests.Response]
RELEASES = [{"id": number, "tag_name": f"v{number}"} for number in range(1, 36)]


@pytest.fixture
def rid(github: Sandbox) -> int:
    """A repository with many releases and two languages."""
    rid = github.add_repository("octo", "hello")
    github.set_child(rid, "releases", RELEASES)
    github.set_child(rid, "languages", {"Python": 1000, "C": 5})
    return rid


def test_a_list_comes_in_pages_by_name_and_by_id(get: Get, rid: int) -> None:
    assert get("/repos/octo/hello/releases").json() == RELEASES[:30]
    first = get(f"/repositories/{rid}/releases", per_page=20)
    assert first.json() == RELEASES[:20]
    assert {"next", "last"} <= set(first.links)
    assert f"/repositories/{rid}/releases?per_page=20&page=2" in first.links["next"]["url"]
    second = get(first.links["next"]["url"])
    assert second.json() == RELEASES[20:]
    assert {"prev", "first"} <= set(second.links)
    assert "next" not in second.links


def test_an_object_comes_whole(get: Get, rid: int) -> None:
    answer = get("/repos/octo/hello/languages")
    assert answer.json() == {"Python": 1000, "C": 5}
    assert "next" not in answer.links


def test_a_child_that_was_never_set_is_empty(github: Sandbox, get: Get) -> None:
    github.add_repository("octo", "other")
    assert get("/repos/octo/other/languages").json() == {}
    assert get("/repos/octo/other/releases").json() == []


def test_a_child_that_has_not_changed_is_not_modified(github: Sandbox, get: Get, rid: int) -> None:
    known = {"If-None-Match": get("/repos/octo/hello/releases").headers["ETag"]}
    github.star(rid)
    assert get("/repos/octo/hello/releases", headers=known).status_code == 304
    github.set_child(rid, "releases", RELEASES[1:])
    changed = get("/repos/octo/hello/releases", headers=known)
    assert (changed.status_code, changed.json()[0]["id"]) == (200, 2)


def test_a_child_is_seen_by_whoever_sees_its_repository(
    github: Sandbox, get: Get, rid: int
) -> None:
    github.make_private(rid)
    assert get("/repos/octo/hello/languages").status_code == 200
    assert get("/repos/octo/hello/languages", token=None).status_code == 404
    github.block(rid)
    assert get("/repos/octo/hello/languages").status_code == 451
    github.unblock(rid)
    github.delete(rid)
    assert get(f"/repositories/{rid}/languages").status_code == 404


def test_a_former_name_redirects_to_the_same_child(github: Sandbox, get: Get, rid: int) -> None:
    github.rename(rid, "renamed")
    moved = get("/repos/octo/hello/languages")
    assert moved.status_code == 301
    assert moved.headers["Location"] == f"{github.url}/repositories/{rid}/languages"
    assert get(moved.headers["Location"]).json() == {"Python": 1000, "C": 5}


def test_a_further_child_takes_one_route(github: Sandbox, get: Get, rid: int) -> None:
    assert get("/repos/octo/hello/topics").status_code == 404
    github.api.routes.add({"/repos/{owner}/{name}/topics": child("topics", {"names": []})})
    github.set_child(rid, "topics", {"names": ["sql"]})
    assert get("/repos/octo/hello/topics").json() == {"names": ["sql"]}
    assert get(f"/repositories/{rid}/topics").json() == {"names": ["sql"]}
