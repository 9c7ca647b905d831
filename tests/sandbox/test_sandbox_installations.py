"""Installations of GitHub Apps: what their tokens open, and until when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.conftest import START

if TYPE_CHECKING:
    from tests.stand_in import StandIn

Get = Callable[..., requests.Response]
UNDECODED = "A JSON web token could not be decoded"
NOT_AN_APP = "Resource not accessible by integration"


def names(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["full_name"] for item in answer.json()["repositories"]]


def test_an_installation_gets_a_token_for_an_hour(
    get: Get, new_token: Get, installed: int, moments: list[datetime]
) -> None:
    made = new_token(installed)
    assert made.status_code == 201
    assert "ETag" not in made.headers
    token = made.json()["token"]
    assert token.startswith("ghs_")
    assert made.json()["expires_at"] == "2026-11-01T13:00:00Z"
    assert made.json()["repository_selection"] == "all"
    assert made.json()["permissions"] == {"metadata": "read", "contents": "read"}
    answer = get("/installation/repositories", token=token)
    assert names(answer) == ["octo/hello", "octo/other", "octo/secret"]
    ends = answer.headers["GitHub-Authentication-Token-Expiration"]
    assert ends == "2026-11-01 13:00:00 UTC"
    assert "X-OAuth-Scopes" not in answer.headers
    moments.append(START + timedelta(hours=1))
    ended = get("/installation/repositories", token=token)
    assert (ended.status_code, ended.json()["message"]) == (401, "Bad credentials")


def test_a_token_may_live_for_three_seconds(
    github: StandIn, get: Get, new_token: Get, app_id: int, moments: list[datetime]
) -> None:
    github.add_user("brief", kind="Organization")
    brief = github.install_app(app_id, "brief", expires_in=3)
    token = new_token(brief).json()["token"]
    moments.append(START + timedelta(seconds=2.9))
    assert get("/installation/repositories", token=token).status_code == 200
    moments.append(START + timedelta(seconds=3))
    assert get("/installation/repositories", token=token).status_code == 401
    github.set_token_life(brief, 60)
    assert new_token(brief).json()["expires_at"] == "2026-11-01T12:01:03Z"


def test_the_repositories_of_an_installation_come_in_pages(
    github: StandIn, get: Get, installed: int
) -> None:
    token = github.add_installation_token(installed).value
    first = get("/installation/repositories", token=token, per_page=2)
    body = first.json()
    assert (body["total_count"], body["repository_selection"]) == (3, "all")
    assert names(first) == ["octo/hello", "octo/other"]
    second = get(first.links["next"]["url"], token=token)
    assert names(second) == ["octo/secret"]
    known = {"If-None-Match": first.headers["ETag"]}
    unchanged = get("/installation/repositories", token=token, headers=known, per_page=2)
    assert unchanged.status_code == 304
    github.add_repository("octo", "fourth")
    changed = get("/installation/repositories", token=token, headers=known, per_page=2)
    assert (changed.status_code, changed.json()["total_count"]) == (200, 4)


def test_an_installation_sees_what_it_was_given_and_what_is_public(
    github: StandIn, get: Get, installed: int
) -> None:
    token = github.add_installation_token(installed).value
    assert get("/repos/octo/secret", token=token).json()["permissions"]["pull"] is True
    assert get("/repos/else/foreign", token=token).status_code == 200
    assert get("/repos/else/hidden", token=token).status_code == 404
    github.select_repositories(installed, [github.find("octo/other").fields["id"]])
    answer = get("/installation/repositories", token=token)
    assert names(answer) == ["octo/other"]
    assert answer.json()["repository_selection"] == "selected"
    assert get("/repos/octo/secret", token=token).status_code == 404
    github.select_repositories(installed, None)
    assert len(names(get("/installation/repositories", token=token))) == 3


def test_a_token_may_be_for_a_part_of_the_repositories(
    github: StandIn, get: Get, new_token: Get, installed: int
) -> None:
    rid = github.find("octo/other").fields["id"]
    made = new_token(installed, repositories=["Secret"], repository_ids=[rid]).json()
    assert made["repository_selection"] == "selected"
    assert [item["name"] for item in made["repositories"]] == ["secret", "other"]
    listed = get("/installation/repositories", token=made["token"])
    assert names(listed) == ["octo/other", "octo/secret"]
    less = new_token(installed, permissions={"metadata": "read"}).json()
    assert less["permissions"] == {"metadata": "read"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"repositories": ["foreign"]}, "There is at least one repository that does not exist"),
        ({"repository_ids": [1]}, "There is at least one repository that does not exist"),
        ({"permissions": {"contents": "write"}}, "The permissions requested are not granted"),
        ({"permissions": {"issues": "read"}}, "The permissions requested are not granted"),
    ],
)
def test_a_token_cannot_be_for_more_than_the_installation_has(
    new_token: Get, installed: int, asked: dict[str, Any], message: str
) -> None:
    refused = new_token(installed, **asked)
    assert (refused.status_code, refused.json()["message"][: len(message)]) == (422, message)


@pytest.mark.parametrize("path", ["/user", "/user/repos"])
def test_an_installation_is_no_user(
    github: StandIn, get: Get, ask_as_app: Get, installed: int, path: str
) -> None:
    token = github.add_installation_token(installed).value
    for refused in (get(path, token=token), ask_as_app(path)):
        assert (refused.status_code, refused.json()["message"]) == (403, NOT_AN_APP)


def test_only_an_installation_has_installation_repositories(get: Get, ask_as_app: Get) -> None:
    path = "/installation/repositories"
    for refused in (get(path), ask_as_app(path)):
        assert refused.status_code == 403
        assert refused.json()["message"].startswith("You must authenticate with an installation")
    assert get(path, token=None).status_code == 401


def test_each_installation_has_a_quota_of_its_own(
    github: StandIn, get: Get, app_id: int, installed: int
) -> None:
    path, second = "/installation/repositories", github.install_app(app_id, "else")
    tokens = [github.add_installation_token(it).value for it in (installed, installed, second)]
    left = [get(path, token=token).headers["X-RateLimit-Remaining"] for token in tokens]
    assert left == ["4999", "4998", "4999"]
    github.set_quota(tokens[0], remaining=0)
    refused = get(path, token=tokens[1])
    message = f"API rate limit exceeded for installation ID {installed}."
    assert (refused.status_code, refused.json()["message"][: len(message)]) == (403, message)
    assert get(path, token=tokens[2]).status_code == 200


def test_a_suspended_installation_is_refused_until_it_is_back(
    github: StandIn, get: Get, ask_as_app: Get, new_token: Get, installed: int
) -> None:
    token = github.add_installation_token(installed).value
    github.suspend_installation(installed)
    for refused in (new_token(installed), get("/installation/repositories", token=token)):
        assert refused.status_code == 403
        assert refused.json()["message"] == "This installation has been suspended"
    seen = ask_as_app(f"/app/installations/{installed}").json()
    assert (seen["suspended_at"], seen["suspended_by"]["login"]) == (
        "2026-11-01T12:00:00Z",
        "octo",
    )
    github.unsuspend_installation(installed)
    assert get("/installation/repositories", token=token).status_code == 200
    assert new_token(installed).status_code == 201


def test_tokens_end_with_their_installation_or_before(
    github: StandIn, get: Get, new_token: Get, installed: int
) -> None:
    first, second, third = (github.add_installation_token(installed).value for _ in range(3))
    assert get("/installation/token", token=first, method="DELETE").status_code == 204
    github.revoke_token(second)
    for token in (first, second):
        assert get("/installation/repositories", token=token).status_code == 401
    assert get("/installation/repositories", token=third).status_code == 200
    github.uninstall_app(installed)
    assert get("/installation/repositories", token=third).status_code == 401
    assert new_token(installed).status_code == 404
