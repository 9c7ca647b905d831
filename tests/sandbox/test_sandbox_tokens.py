"""Tokens that see less than their user: scopes that were taken away, and single sign-on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from sync.sandbox import Sandbox

Get = Callable[..., requests.Response]
SSO = "X-GitHub-SSO"


def names(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["full_name"] for item in answer.json()]


@pytest.fixture
def rid(github: Sandbox) -> int:
    """A repository octo/hello, beside octo/other."""
    rid = github.add_repository("octo", "hello")
    github.add_repository("octo", "other")
    return rid


@pytest.fixture
def club(github: Sandbox) -> int:
    """A repository guild/club, of an organization that octo is a member of."""
    github.add_user("guild", kind="Organization")
    github.add_member("guild", "octo")
    return github.add_repository("guild", "club")


def test_a_token_that_loses_a_scope_loses_the_private_repositories(
    github: Sandbox, get: Get, rid: int
) -> None:
    github.make_private(rid)
    assert get("/user/repos").headers["X-OAuth-Scopes"] == "repo"
    github.set_scopes("octo-token", ("user", "gist"))
    answer = get("/user/repos")
    assert answer.headers["X-OAuth-Scopes"] == "gist, user"
    assert names(answer) == ["octo/other"]
    assert get(f"/repositories/{rid}").status_code == 404
    github.set_scopes("octo-token", ["repo"])
    assert names(get("/user/repos")) == ["octo/hello", "octo/other"]


def test_only_the_scopes_of_a_classic_token_can_be_set(github: Sandbox) -> None:
    github.add_token("octo", "github_pat_fine")
    with pytest.raises(ValueError, match="no scopes"):
        github.set_scopes("github_pat_fine", ("repo",))
    with pytest.raises(LookupError):
        github.set_scopes("unknown", ("repo",))


def test_a_listing_without_single_sign_on_is_partial_and_says_so(
    github: Sandbox, get: Get, rid: int, club: int
) -> None:
    github.add_user("union", kind="Organization")
    github.add_member("union", "octo", role="admin")
    github.add_repository("union", "vault", private=True)
    github.add_token("octo", "second")
    assert SSO not in get("/user/repos").headers
    github.restrict_sso("octo-token", ("UNION", "guild"))
    partial = get("/user/repos")
    assert names(partial) == ["octo/hello", "octo/other"]
    assert partial.headers[SSO] == "partial-results; organizations=1002,1003"
    assert get("/users/octo/repos").headers[SSO] == partial.headers[SSO]
    unchanged = get("/user/repos", headers={"If-None-Match": partial.headers["ETag"]})
    assert (unchanged.status_code, unchanged.headers[SSO]) == (304, partial.headers[SSO])
    assert len(names(get("/user/repos", token="second"))) == 4
    github.restrict_sso("octo-token", ("guild",))
    assert get("/user/repos").headers[SSO] == "partial-results; organizations=1002"
    github.restrict_sso("octo-token", ())
    whole = get("/user/repos")
    assert (len(names(whole)), SSO in whole.headers) == (4, False)
    assert get(f"/repositories/{club}").status_code == 200


def test_a_request_to_an_organization_without_single_sign_on_is_refused(
    github: Sandbox, get: Get, club: int
) -> None:
    github.restrict_sso("octo-token", ("guild",))
    for path in (
        f"/repositories/{club}",
        "/repos/guild/club",
        "/orgs/guild/repos",
        "/users/guild/repos",
    ):
        answer = get(path)
        assert answer.status_code == 403
        assert answer.json()["message"].startswith("Resource protected by organization SAML")
        url = "https://github.example/orgs/guild/sso?authorization_request="
        assert answer.headers[SSO].startswith(f"required; url={url}")
        whole = get(path, token=None)
        assert (whole.status_code, SSO in whole.headers) == (200, False)


def test_single_sign_on_is_demanded_of_members_alone(github: Sandbox, get: Get, club: int) -> None:
    github.restrict_sso("octo-token", ("guild",))
    github.remove_member("guild", "octo")
    assert SSO not in get("/user/repos").headers
    assert get(f"/repositories/{club}").status_code == 200
    github.add_member("guild", "octo")
    assert get(f"/repositories/{club}").status_code == 403
    with pytest.raises(ValueError, match="not an organization"):
        github.restrict_sso("octo-token", ("octo",))
