"""Releases, their assets and downloads, as they change at GitHub."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from tests.stand_in import StandIn

Get = Callable[..., requests.Response]


@pytest.fixture
def rid(github: StandIn) -> int:
    """A repository with two releases."""
    rid = github.add_repository("octo", "hello")
    github.add_release(rid, "v1", assets={"a.zip": 10, "b.zip": 5})
    github.add_release(rid, "v2")
    return rid


@pytest.fixture
def releases(get: Get, rid: int) -> Callable[..., list[Any]]:
    def ask(token: str | None = "octo-token") -> list[Any]:
        answer = get(f"/repositories/{rid}/releases", token=token)
        assert answer.status_code == 200, answer.text
        return list(answer.json())

    return ask


def downloads(release: Any) -> dict[int, int]:
    return {asset["id"]: asset["download_count"] for asset in release["assets"]}


def test_downloads_are_counted_by_asset(
    github: StandIn, rid: int, releases: Callable[..., list[Any]]
) -> None:
    before = releases()
    assert [release["tag_name"] for release in before] == ["v2", "v1"]
    github.download(rid, "v1", "a.zip", by=3)
    assert list(downloads(releases()[1]).values()) == [13, 5]
    assert releases()[0] == before[0]


def test_a_replaced_asset_has_a_new_id_and_begins_at_zero(
    github: StandIn, rid: int, releases: Callable[..., list[Any]]
) -> None:
    before = releases()[1]
    new = github.replace_asset(rid, "v1", "a.zip")
    after = releases()[1]
    assert new not in downloads(before)
    assert downloads(after)[new] == 0
    assert [asset["name"] for asset in after["assets"]] == ["a.zip", "b.zip"]
    assert after["id"] == before["id"]


def test_a_deleted_release_takes_its_assets_with_it(
    github: StandIn, rid: int, releases: Callable[..., list[Any]]
) -> None:
    github.delete_release(rid, "v1")
    assert [release["tag_name"] for release in releases()] == ["v2"]
    with pytest.raises(LookupError):
        github.download(rid, "v1", "a.zip")


def test_drafts_are_told_only_to_who_may_push(
    github: StandIn, rid: int, releases: Callable[..., list[Any]]
) -> None:
    github.add_user("other", token="other-token")
    github.add_token("octo", "github_pat_reads", permissions={"contents": "read"})
    draft = github.add_release(rid, "v3", draft=True)
    assert releases()[0]["id"] == draft
    assert releases()[0]["published_at"] is None
    for token in (None, "other-token", "github_pat_reads"):
        assert [release["tag_name"] for release in releases(token)] == ["v2", "v1"]
    github.add_collaborator("other", rid)
    assert releases("other-token")[0]["id"] == draft


def test_requests_need_not_be_kept(
    github: StandIn, rid: int, releases: Callable[..., list[Any]]
) -> None:
    github.keep_requests = False
    releases()
    assert github.requests == []
