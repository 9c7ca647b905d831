"""Who may read the traffic of a repository, and what others are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import requests

from tests.stand_in import StandIn

if TYPE_CHECKING:
    from datetime import datetime

Get = Callable[..., requests.Response]
ROUTES = ("views", "clones", "popular/referrers", "popular/paths")
NO_PUSH = "Must have push access to repository"
ACCEPTED = "X-Accepted-GitHub-Permissions"


@pytest.fixture
def rid(github: StandIn) -> int:
    github.add_user("other", token="other-token")
    return github.add_repository("octo", "hello")


@pytest.fixture
def refusal(get: Get, rid: int) -> Callable[[str | None], str]:
    """The message with which a token is refused everywhere; nothing where it is not."""

    def told(token: str | None) -> str:
        answers = [get(f"/repositories/{rid}/traffic/{name}", token=token) for name in ROUTES]
        if answers[0].status_code == 200:
            assert {answer.status_code for answer in answers} == {200}
            return ""
        assert {answer.status_code for answer in answers} == {403}
        (message,) = {answer.json()["message"] for answer in answers}
        return str(message)

    return told


def test_a_classic_token_needs_push_access(github: StandIn, refusal: Callable[..., str]) -> None:
    assert refusal("octo-token") == ""
    assert refusal("other-token") == refusal(None) == NO_PUSH


@pytest.mark.parametrize(("role", "told"), [("pull", NO_PUSH), ("triage", NO_PUSH), ("push", "")])
def test_a_collaborator_needs_the_role_to_push(
    github: StandIn, rid: int, refusal: Callable[..., str], role: str, told: str
) -> None:
    github.add_collaborator("other", rid, permission=role)
    assert refusal("other-token") == told


def test_a_classic_token_needs_a_scope(github: StandIn, refusal: Callable[..., str]) -> None:
    github.set_scopes("octo-token", ["read:org"])
    assert refusal("octo-token") == NO_PUSH
    github.set_scopes("octo-token", ["public_repo"])
    assert refusal("octo-token") == ""


def test_a_fine_grained_token_needs_administration(
    github: StandIn, get: Get, rid: int, refusal: Callable[..., str]
) -> None:
    github.add_token("octo", "github_pat_bare", permissions={"contents": "write"})
    github.add_token("octo", "github_pat_full", permissions={"administration": "read"})
    assert refusal("github_pat_bare") == "Resource not accessible by personal access token"
    refused = get(f"/repositories/{rid}/traffic/views", token="github_pat_bare")
    assert refused.headers[ACCEPTED] == "administration=read"
    assert refusal("github_pat_full") == ""
    answer = get(f"/repositories/{rid}/traffic/views", token="github_pat_full")
    assert answer.headers[ACCEPTED] == "administration=read"
    assert get("/user", token="github_pat_bare").headers[ACCEPTED] == "metadata=read"
    with pytest.raises(ValueError, match="classic token has no permissions"):
        github.add_token("octo", "classic", permissions={})


def test_a_token_may_be_given_the_permission_later(
    github: StandIn, refusal: Callable[..., str]
) -> None:
    github.add_token("octo", "github_pat_token", permissions={})
    assert refusal("github_pat_token") != ""
    github.set_permissions("github_pat_token", {"administration": "read"})
    assert refusal("github_pat_token") == ""
    with pytest.raises(ValueError, match="classic token has no permissions"):
        github.set_permissions("octo-token", {})


def test_a_permission_does_not_make_up_for_push_access(
    github: StandIn, refusal: Callable[..., str]
) -> None:
    github.add_token("other", "github_pat_other", permissions={"administration": "write"})
    assert refusal("github_pat_other") == NO_PUSH


def test_an_installation_needs_administration(
    github: StandIn, moments: list[datetime], rid: int, app_id: int, refusal: Callable[..., str]
) -> None:
    installed = github.install_app(app_id, "octo")
    bare = github.add_installation_token(installed)
    assert refusal(bare.value) == "Resource not accessible by integration"
    full = github.add_installation_token(installed, permissions={"administration": "read"})
    assert refusal(full.value) == ""
    elsewhere = github.install_app(app_id, "other")
    foreign = github.add_installation_token(elsewhere, permissions={"administration": "read"})
    assert refusal(foreign.value) == "Resource not accessible by integration"


def test_the_token_of_actions_never_may(github: StandIn, refusal: Callable[..., str]) -> None:
    github.add_token("octo", "ghs_actions", permissions={"administration": "write"})
    assert refusal("ghs_actions") == "Resource not accessible by integration"


def test_what_a_viewer_may_not_see_is_not_found(github: StandIn, get: Get, rid: int) -> None:
    github.make_private(rid)
    path = "/repos/octo/hello/traffic/views"
    assert get(path).status_code == 200
    assert get(path, token="other-token").status_code == 404
    assert get(path, token=None).status_code == 404
    github.delete(rid)
    assert get(path).status_code == 404


def test_releases_of_a_private_repository_need_contents(
    github: StandIn, get: Get, rid: int
) -> None:
    github.add_token("octo", "github_pat_bare", permissions={"metadata": "read"})
    path = f"/repositories/{rid}/releases"
    assert get(path, token="github_pat_bare").status_code == 200
    github.make_private(rid)
    refused = get(path, token="github_pat_bare")
    assert (refused.status_code, refused.headers[ACCEPTED]) == (403, "contents=read")
    languages = get(f"/repositories/{rid}/languages", token="github_pat_bare")
    assert languages.status_code == 200


@pytest.mark.parametrize("child", ["traffic/views", "traffic/popular/paths", "stargazers/count"])
def test_an_enterprise_server_has_no_traffic_and_no_count_of_stars(child: str) -> None:
    with StandIn(enterprise=True) as server, requests.Session() as session:
        server.add_user("octo", token="octo-token")
        server.add_repository("octo", "hello")
        session.headers["Authorization"] = "Bearer octo-token"
        assert session.get(f"{server.url}/repos/octo/hello", timeout=30).ok
        assert session.get(f"{server.url}/repos/octo/hello/{child}", timeout=30).status_code == 404
