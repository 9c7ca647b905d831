"""Signing in with a device: codes, polling, tokens with scopes, and tokens that are renewed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stand_in import StandIn

Get = Callable[..., requests.Response]
Post = Callable[..., dict[str, Any]]
DEVICE, TOKEN = "/login/device/code", "/login/oauth/access_token"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def send(github: StandIn) -> Iterator[Get]:
    """Sends a form to the site, and takes JSON unless told otherwise."""
    with requests.Session() as session:
        session.trust_env = False

        def send(path: str, accept: str = "application/json", **form: Any) -> requests.Response:
            headers = {"Accept": accept}
            return session.post(github.url + path, data=form, headers=headers, timeout=30)

        yield send


@pytest.fixture
def poll(send: Get, moments: list[datetime]) -> Post:
    """Asks whether the user has decided, after so many seconds."""

    def poll(code: str, after: float = 5, client: str = "Ov-plain") -> dict[str, Any]:
        moments.append(moments[-1] + timedelta(seconds=after))
        answer = send(TOKEN, client_id=client, device_code=code, grant_type=GRANT)
        assert answer.status_code == 200
        body: dict[str, Any] = answer.json()
        return body

    return poll


@pytest.fixture
def device(github: StandIn, send: Get, moments: list[datetime]) -> dict[str, Any]:
    """A device that waits for its user; it asks for the scopes gist and repo."""
    github.add_oauth_app("Ov-plain")
    github.add_oauth_app("Ov-other")
    body: dict[str, Any] = send(DEVICE, client_id="Ov-plain", scope="repo gist public_repo").json()
    return body


def test_a_device_gets_a_code_for_its_user(github: StandIn, device: dict[str, Any]) -> None:
    assert re.fullmatch("[0-9A-F]{4}-[0-9A-F]{4}", device["user_code"])
    assert len(device["device_code"]) == 40
    assert device["verification_uri"] == f"{github.url}/login/device"
    assert (device["expires_in"], device["interval"]) == (900, 5)
    assert github.pending_authorizations == [device["user_code"]]


def test_a_token_comes_once_the_user_has_agreed(
    github: StandIn, get: Get, poll: Post, device: dict[str, Any]
) -> None:
    pending = poll(device["device_code"], after=0)
    assert pending["error"] == "authorization_pending"
    assert pending["error_description"] == "The authorization request is still pending."
    assert pending["error_uri"].startswith("https://docs.github.com")
    github.authorize(device["user_code"].lower(), "octo")
    assert github.pending_authorizations == []
    made = poll(device["device_code"])
    assert made["access_token"].startswith("gho_")
    assert (made["token_type"], made["scope"]) == ("bearer", "gist,repo")
    assert set(made) == {"access_token", "token_type", "scope"}
    answer = get("/user", token=made["access_token"])
    assert (answer.json()["login"], answer.headers["X-OAuth-Scopes"]) == ("octo", "gist, repo")
    assert "GitHub-Authentication-Token-Expiration" not in answer.headers
    assert poll(device["device_code"])["error"] == "incorrect_device_code"


@pytest.mark.parametrize(
    ("asked", "scope", "header"),
    [
        ("", "", ""),
        ("repo,repo:status no-such-scope", "repo", "repo"),
        ("read:user gist user read:org write:org", "gist,user,write:org", "gist, user, write:org"),
    ],
)
def test_a_token_has_the_scopes_that_github_knows_and_none_twice(
    github: StandIn, send: Get, get: Get, poll: Post, asked: str, scope: str, header: str
) -> None:
    github.add_oauth_app("Ov-plain")
    github.add_repository("octo", "secret", private=True)
    device = send(DEVICE, client_id="Ov-plain", scope=asked).json()
    github.authorize(device["user_code"], "octo")
    made = poll(device["device_code"])
    assert made["scope"] == scope
    answer = get("/user/repos", token=made["access_token"])
    assert (answer.headers["X-OAuth-Scopes"], len(answer.json())) == (header, scope == "repo")
    assert "X-Accepted-OAuth-Scopes" in answer.headers


def test_a_device_that_is_hasty_must_wait_longer_each_time(
    github: StandIn, poll: Post, device: dict[str, Any]
) -> None:
    code = device["device_code"]
    assert poll(code)["error"] == "authorization_pending"
    hasty = poll(code, after=4.9)
    assert (hasty["error"], hasty["interval"]) == ("slow_down", 10)
    assert poll(code, after=9)["interval"] == 15
    assert poll(code, after=15)["error"] == "authorization_pending"
    github.authorize(device["user_code"], "octo")
    assert poll(code, after=14)["interval"] == 20
    assert "access_token" in poll(code, after=20)


def test_a_user_may_say_no(github: StandIn, poll: Post, device: dict[str, Any]) -> None:
    github.deny(device["user_code"])
    for _ in range(2):
        assert poll(device["device_code"])["error"] == "access_denied"
    with pytest.raises(LookupError):
        github.authorize(device["user_code"], "octo")


def test_a_code_ends_after_fifteen_minutes(
    github: StandIn, poll: Post, device: dict[str, Any]
) -> None:
    assert poll(device["device_code"], after=899)["error"] == "authorization_pending"
    assert poll(device["device_code"])["error"] == "expired_token"
    assert github.pending_authorizations == []
    with pytest.raises(LookupError):
        github.authorize(device["user_code"], "octo")


def test_a_code_is_good_for_its_own_program_alone(poll: Post, device: dict[str, Any]) -> None:
    assert poll(device["device_code"], client="Ov-other")["error"] == "incorrect_device_code"
    assert poll("unknown")["error"] == "incorrect_device_code"
    unknown = poll(device["device_code"], client="Ov-none")
    assert unknown["error"] == "incorrect_client_credentials"


def test_a_program_that_is_not_there_gets_no_code(send: Get) -> None:
    refused = send(DEVICE, client_id="Ov-none")
    assert (refused.status_code, refused.json()) == (404, {"error": "Not Found"})


def test_the_device_flow_may_be_off(github: StandIn, send: Get, poll: Post) -> None:
    github.add_oauth_app("Ov-off", device_flow=False)
    refused = send(DEVICE, client_id="Ov-off")
    assert (refused.status_code, refused.json()["error"]) == (400, "device_flow_disabled")
    assert poll("x", client="Ov-off")["error"] == "device_flow_disabled"


@pytest.mark.parametrize(
    ("kind", "word"),
    [("password", "unsupported_grant_type"), ("authorization_code", "bad_verification_code")],
)
def test_other_ways_to_a_token_are_refused(
    send: Get, device: dict[str, Any], kind: str, word: str
) -> None:
    refused = send(TOKEN, client_id="Ov-plain", grant_type=kind)
    assert (refused.status_code, refused.json()["error"]) == (200, word)


def test_answers_are_forms_unless_json_is_asked_for(send: Get, device: dict[str, Any]) -> None:
    answer = send(TOKEN, accept="*/*", client_id="Ov-plain", device_code="x", grant_type=GRANT)
    assert answer.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    assert parse_qs(answer.text)["error"] == ["incorrect_device_code"]
    assert "X-RateLimit-Limit" not in answer.headers


def test_parameters_may_be_in_the_address_or_in_json(
    github: StandIn, device: dict[str, Any]
) -> None:
    asked = {"client_id": "Ov-plain", "scope": "no-such-scope"}
    for form in ({"params": asked}, {"json": asked}):
        headers = {"Accept": "application/json"}
        answer = requests.post(github.url + DEVICE, headers=headers, timeout=30, **form)  # type: ignore[arg-type]
        assert answer.json()["user_code"] in github.pending_authorizations
    assert requests.get(github.url + DEVICE, timeout=30).status_code == 404


def test_the_body_of_a_request_is_kept(github: StandIn, device: dict[str, Any]) -> None:
    (record,) = github.requests
    assert (record.path, record.status) == (DEVICE, 200)
    assert record.body == b"client_id=Ov-plain&scope=repo+gist+public_repo"


# Tokens that end and are renewed


@pytest.fixture
def granted(github: StandIn, send: Get, poll: Post) -> dict[str, Any]:
    """What octo has granted to a program whose tokens end."""
    github.add_oauth_app("Iv-brief", secret="its-secret", expiring=True)
    device = send(DEVICE, client_id="Iv-brief", scope="repo").json()
    github.authorize(device["user_code"], "octo")
    return poll(device["device_code"], client="Iv-brief")


def renew(send: Get, refresh: str, **others: str) -> dict[str, Any]:
    form = {"client_id": "Iv-brief", "grant_type": "refresh_token"} | others
    answer = send(TOKEN, refresh_token=refresh, **form)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def test_a_token_that_ends_comes_with_one_that_renews_it(
    get: Get, granted: dict[str, Any], moments: list[datetime]
) -> None:
    assert granted["access_token"].startswith("ghu_")
    assert granted["refresh_token"].startswith("ghr_")
    assert granted["expires_in"] == 28_800
    assert granted["refresh_token_expires_in"] == 15_897_600
    assert (granted["token_type"], granted["scope"]) == ("bearer", "")
    answer = get("/user", token=granted["access_token"])
    assert (answer.status_code, "X-OAuth-Scopes" in answer.headers) == (200, False)
    ends = answer.headers["GitHub-Authentication-Token-Expiration"]
    assert ends == "2026-11-01 20:00:05 UTC"
    moments.append(moments[-1] + timedelta(hours=8))
    assert get("/user", token=granted["access_token"]).status_code == 401


def test_renewing_makes_the_old_tokens_bad(send: Get, get: Get, granted: dict[str, Any]) -> None:
    fresh = renew(send, granted["refresh_token"], client_secret="its-secret")
    assert get("/user", token=fresh["access_token"]).json()["login"] == "octo"
    assert get("/user", token=granted["access_token"]).status_code == 401
    assert renew(send, granted["refresh_token"])["error"] == "bad_refresh_token"
    assert "access_token" in renew(send, fresh["refresh_token"])


def test_renewing_has_an_end_and_wants_the_right_program(
    send: Get, granted: dict[str, Any], moments: list[datetime]
) -> None:
    refresh = granted["refresh_token"]
    wrong = renew(send, refresh, client_secret="wrong")
    assert wrong["error"] == "incorrect_client_credentials"
    assert renew(send, "")["error"] == "bad_refresh_token"
    moments.append(moments[-1] + timedelta(days=184))
    assert renew(send, refresh)["error"] == "bad_refresh_token"


def test_a_program_may_be_let_in_without_a_device(github: StandIn, get: Get) -> None:
    github.add_oauth_app("Ov-plain")
    held = github.grant("Ov-plain", "octo", scope="gist")
    assert get("/user", token=held.access).headers["X-OAuth-Scopes"] == "gist"
    assert (held.refresh, held.expires) == ("", None)


def test_a_user_may_take_back_what_was_granted(
    github: StandIn, send: Get, get: Get, granted: dict[str, Any]
) -> None:
    github.revoke_authorization("Iv-brief", "octo")
    assert get("/user", token=granted["access_token"]).status_code == 401
    assert renew(send, granted["refresh_token"])["error"] == "bad_refresh_token"
    assert get("/user").status_code == 200
