"""Clients that others wrote for GitHub work with the sandbox, over the real socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import github as pygithub
import githubkit
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sync.sandbox import Sandbox

COUNT = 257


@pytest.fixture
def rids(github: Sandbox) -> list[int]:
    """The ids of many repositories, oldest first."""
    return [
        github.add_repository("octo", f"r{number}", topics=["a"], license="mit")
        for number in range(COUNT)
    ]


@pytest.fixture
def pygithub_client(github: Sandbox) -> Iterator[pygithub.Github]:
    client = pygithub.Github(
        base_url=github.url,
        auth=pygithub.Auth.Token("octo-token"),
        per_page=100,
        seconds_between_requests=0,
        retry=None,
    )
    with client:
        yield client


@pytest.fixture
def githubkit_client(github: Sandbox) -> Iterator[Any]:
    client = githubkit.GitHub(
        "octo-token", base_url=github.url, http_cache=False, auto_retry=False, trust_env=False
    )
    with client:
        yield client


def test_pygithub_pages_through_a_long_listing(
    pygithub_client: pygithub.Github, rids: list[int]
) -> None:
    found = pygithub_client.get_user().get_repos(sort="created", direction="asc")
    assert [item.id for item in found] == rids
    assert found.totalCount == COUNT
    assert found[0].created_at.tzinfo is not None
    assert found[0].license is not None
    assert found[0].license.spdx_id == "MIT"


def test_pygithub_reads_one_repository_and_follows_a_rename(
    github: Sandbox, pygithub_client: pygithub.Github, rids: list[int]
) -> None:
    github.rename(rids[0], "renamed")
    assert pygithub_client.get_repo("octo/r0").full_name == "octo/renamed"
    assert pygithub_client.get_repo(rids[0]).topics == ["a"]
    assert pygithub_client.get_user("octo").public_repos == COUNT


def test_pygithub_reads_the_limit_and_the_scopes(
    github: Sandbox, pygithub_client: pygithub.Github
) -> None:
    github.set_quota("octo-token", limit=100, remaining=40)
    assert pygithub_client.get_rate_limit().resources.core.remaining == 40
    assert pygithub_client.get_user().login == "octo"
    assert pygithub_client.oauth_scopes == ["repo"]
    assert pygithub_client.rate_limiting == (39, 100)


def test_pygithub_recognizes_the_errors(github: Sandbox, pygithub_client: pygithub.Github) -> None:
    with pytest.raises(pygithub.UnknownObjectException):
        pygithub_client.get_repo("octo/none")
    github.set_quota("octo-token", remaining=0)
    with pytest.raises(pygithub.RateLimitExceededException):
        pygithub_client.get_repo("octo/none")
    github.revoke_token("octo-token")
    with pytest.raises(pygithub.BadCredentialsException):
        pygithub_client.get_repo("octo/none")


def test_githubkit_pages_through_a_long_listing(githubkit_client: Any, rids: list[int]) -> None:
    listing = githubkit_client.rest.paginate(
        githubkit_client.rest.repos.list_for_authenticated_user,
        per_page=100,
        sort="created",
        direction="asc",
    )
    found = list(listing)
    assert [item.id for item in found] == rids
    assert found[0].license_.spdx_id == "MIT"


def test_githubkit_reads_one_repository_and_the_limit(
    githubkit_client: Any, rids: list[int]
) -> None:
    answer = githubkit_client.rest.repos.get("octo", "r0")
    assert (answer.parsed_data.id, answer.parsed_data.permissions.admin) == (rids[0], True)
    limit = githubkit_client.rest.rate_limit.get().parsed_data
    assert limit.resources.core.used == 1


def test_githubkit_recognizes_the_errors(github: Sandbox, githubkit_client: Any) -> None:
    with pytest.raises(githubkit.exception.RequestFailed):
        githubkit_client.rest.repos.get("octo", "none")
    github.set_quota("octo-token", remaining=0)
    with pytest.raises(githubkit.exception.PrimaryRateLimitExceeded):
        githubkit_client.rest.repos.get("octo", "none")
