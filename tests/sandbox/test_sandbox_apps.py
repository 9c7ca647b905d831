"""GitHub Apps: how they prove who they are, where they are installed, and their tokens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.support.app_keys import app_jwt, key_pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sync.github.sandbox import Sandbox

Get = Callable[..., requests.Response]
START = datetime(2026, 11, 1, 12, tzinfo=UTC)
UNDECODED = "A JSON web token could not be decoded"
NOT_AN_APP = "Resource not accessible by integration"


@pytest.fixture
def moments(github: Sandbox) -> list[datetime]:
    """The sandbox's clock: it shows the last of these times."""
    times = [START]
    github.now = lambda: times[-1]
    return times


@pytest.fixture
def app_id(github: Sandbox, moments: list[datetime]) -> int:
    """An App named Ledger."""
    return github.add_app("Ledger", key=key_pair().public, permissions={"contents": "read"})


@pytest.fixture
def installed(github: Sandbox, app_id: int) -> int:
    """Its installation on all of octo's repositories: two public ones and a private one."""
    github.add_repository("octo", "hello")
    github.add_repository("octo", "other")
    github.add_repository("octo", "secret", private=True)
    github.add_user("else", token="else-token")
    github.add_repository("else", "foreign")
    github.add_repository("else", "hidden", private=True)
    return github.install_app(app_id, "octo")


@pytest.fixture
def ask(get: Get, app_id: int) -> Get:
    """Asks as the App itself."""

    def ask(path: str, method: str = "GET", **claims: Any) -> requests.Response:
        issuer = claims.pop("issuer", app_id)
        return get(path, token=app_jwt(issuer, now=START, **claims), method=method)

    return ask


@pytest.fixture
def new_token(github: Sandbox, app_id: int) -> Iterator[Callable[..., requests.Response]]:
    """Asks for a token of an installation, with a JSON body."""
    with requests.Session() as session:
        session.trust_env = False

        def post(installation: int, **body: Any) -> requests.Response:
            headers = {"Authorization": f"Bearer {app_jwt(app_id, now=github.now())}"}
            url = f"{github.url}/app/installations/{installation}/access_tokens"
            return session.post(url, json=body, headers=headers, timeout=30)

        yield post


def names(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["full_name"] for item in answer.json()["repositories"]]


# The App's own token


def test_an_app_is_known_by_its_id_and_by_its_client_id(ask: Get, app_id: int) -> None:
    app = ask("/app").json()
    assert (app["id"], app["slug"], app["name"]) == (app_id, "ledger", "Ledger")
    assert app["permissions"] == {"metadata": "read", "contents": "read"}
    for issuer in (str(app_id), app["client_id"]):
        assert ask("/app", issuer=issuer).json() == app


def test_a_key_may_be_given_as_the_private_one(github: Sandbox, get: Get) -> None:
    app_id = github.add_app("Other", key=key_pair(1).private)
    assert get("/app", token=app_jwt(app_id, key=1)).json()["id"] == app_id


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"key": 1}, UNDECODED),
        ({"algorithm": "HS256"}, UNDECODED),
        ({"issued": 1}, "'Issued at' claim ('iat') must be an Integer"),
        ({"issued": None}, "'Issued at' claim ('iat') must be an Integer"),
        ({"ends": 0}, "'Expiration time' claim ('exp') must be a numeric value"),
        ({"ends": None}, "'Expiration time' claim ('exp') must be a numeric value"),
        ({"ends": 601}, "'Expiration time' claim ('exp') is too far in the future"),
        ({"issuer": "Iv1.unknown"}, "'Issuer' claim ('iss') must be an Integer"),
    ],
)
def test_a_web_token_that_is_not_right_is_refused_with_the_reason(
    ask: Get, claims: dict[str, Any], message: str
) -> None:
    refused = ask("/app", **claims)
    assert (refused.status_code, refused.json()["message"][: len(message)]) == (401, message)


def test_a_web_token_may_last_ten_minutes_and_not_a_second_more(ask: Get) -> None:
    assert ask("/app", issued=0, ends=600).status_code == 200
    assert ask("/app", issued=0, ends=601).status_code == 401


def test_an_app_that_is_not_there_is_not_found(ask: Get) -> None:
    refused = ask("/app", issuer=99)
    assert (refused.status_code, refused.json()["message"]) == (404, "Integration not found")


def test_a_web_token_needs_the_scheme_bearer(get: Get, app_id: int) -> None:
    headers = {"Authorization": f"token {app_jwt(app_id, now=START)}"}
    assert get("/app", token=None, headers=headers).json()["message"] == "Bad credentials"


@pytest.mark.parametrize("token", ["octo-token", None])
def test_what_is_for_apps_wants_a_web_token(get: Get, token: str | None) -> None:
    refused = get("/app/installations", token=token)
    assert (refused.status_code, refused.json()["message"]) == (401, UNDECODED)


def test_an_app_sees_its_own_installations_alone(github: Sandbox, ask: Get, installed: int) -> None:
    other = github.install_app(github.add_app("Other", key=key_pair(1).public), "octo")
    listed = ask("/app/installations").json()
    assert [item["id"] for item in listed] == [installed]
    assert listed[0]["account"]["login"] == "octo"
    assert ask(f"/app/installations/{installed}").json() == listed[0]
    assert ask("/users/octo/installation").json() == listed[0]
    for missing in (f"/app/installations/{other}", "/users/else/installation"):
        assert ask(missing).status_code == 404
    with pytest.raises(ValueError, match="already"):
        github.install_app(listed[0]["app_id"], "OCTO")


def test_installations_come_in_pages(github: Sandbox, ask: Get, app_id: int) -> None:
    for number in range(3):
        github.add_user(f"org{number}", kind="Organization")
        github.install_app(app_id, f"org{number}")
    first = ask("/app/installations?per_page=2")
    assert len(first.json()) == 2
    second = ask(first.links["next"]["url"].removeprefix(github.url))
    assert [item["account"]["login"] for item in second.json()] == ["org2"]


# Tokens of an installation


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
    github: Sandbox, get: Get, new_token: Get, app_id: int, moments: list[datetime]
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
    github: Sandbox, get: Get, installed: int
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
    github: Sandbox, get: Get, installed: int
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
    github: Sandbox, get: Get, new_token: Get, installed: int
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
    github: Sandbox, get: Get, ask: Get, installed: int, path: str
) -> None:
    token = github.add_installation_token(installed).value
    for refused in (get(path, token=token), ask(path)):
        assert (refused.status_code, refused.json()["message"]) == (403, NOT_AN_APP)


def test_only_an_installation_has_installation_repositories(get: Get, ask: Get) -> None:
    path = "/installation/repositories"
    for refused in (get(path), ask(path)):
        assert refused.status_code == 403
        assert refused.json()["message"].startswith("You must authenticate with an installation")
    assert get(path, token=None).status_code == 401


def test_each_installation_has_a_quota_of_its_own(
    github: Sandbox, get: Get, app_id: int, installed: int
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
    github: Sandbox, get: Get, ask: Get, new_token: Get, installed: int
) -> None:
    token = github.add_installation_token(installed).value
    github.suspend_installation(installed)
    for refused in (new_token(installed), get("/installation/repositories", token=token)):
        assert refused.status_code == 403
        assert refused.json()["message"] == "This installation has been suspended"
    seen = ask(f"/app/installations/{installed}").json()
    assert (seen["suspended_at"], seen["suspended_by"]["login"]) == (
        "2026-11-01T12:00:00Z",
        "octo",
    )
    github.unsuspend_installation(installed)
    assert get("/installation/repositories", token=token).status_code == 200
    assert new_token(installed).status_code == 201


def test_tokens_end_with_their_installation_or_before(
    github: Sandbox, get: Get, new_token: Get, installed: int
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
