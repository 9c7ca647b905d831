"""GitHub Apps: how they prove who they are, and where they are installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.conftest import START
from tests.support.app_keys import app_jwt, key_pair

if TYPE_CHECKING:
    from tests.stand_in import StandIn

Get = Callable[..., requests.Response]
UNDECODED = "A JSON web token could not be decoded"
NOT_AN_APP = "Resource not accessible by integration"


def test_an_app_is_known_by_its_id_and_by_its_client_id(ask_as_app: Get, app_id: int) -> None:
    app = ask_as_app("/app").json()
    assert (app["id"], app["slug"], app["name"]) == (app_id, "ledger", "Ledger")
    assert app["permissions"] == {"metadata": "read", "contents": "read"}
    for issuer in (str(app_id), app["client_id"]):
        assert ask_as_app("/app", issuer=issuer).json() == app


def test_a_key_may_be_given_as_the_private_one(github: StandIn, get: Get) -> None:
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
    ask_as_app: Get, claims: dict[str, Any], message: str
) -> None:
    refused = ask_as_app("/app", **claims)
    assert (refused.status_code, refused.json()["message"][: len(message)]) == (401, message)


def test_a_web_token_may_last_ten_minutes_and_not_a_second_more(ask_as_app: Get) -> None:
    assert ask_as_app("/app", issued=0, ends=600).status_code == 200
    assert ask_as_app("/app", issued=0, ends=601).status_code == 401


def test_an_app_that_is_not_there_is_not_found(ask_as_app: Get) -> None:
    refused = ask_as_app("/app", issuer=99)
    assert (refused.status_code, refused.json()["message"]) == (404, "Integration not found")


def test_a_web_token_needs_the_scheme_bearer(get: Get, app_id: int) -> None:
    headers = {"Authorization": f"token {app_jwt(app_id, now=START)}"}
    assert get("/app", token=None, headers=headers).json()["message"] == "Bad credentials"


@pytest.mark.parametrize("token", ["octo-token", None])
def test_endpoints_for_apps_require_a_web_token(get: Get, token: str | None) -> None:
    refused = get("/app/installations", token=token)
    assert (refused.status_code, refused.json()["message"]) == (401, UNDECODED)


def test_an_app_sees_its_own_installations_alone(
    github: StandIn, ask_as_app: Get, installed: int
) -> None:
    other = github.install_app(github.add_app("Other", key=key_pair(1).public), "octo")
    listed = ask_as_app("/app/installations").json()
    assert [item["id"] for item in listed] == [installed]
    assert listed[0]["account"]["login"] == "octo"
    assert ask_as_app(f"/app/installations/{installed}").json() == listed[0]
    assert ask_as_app("/users/octo/installation").json() == listed[0]
    for missing in (f"/app/installations/{other}", "/users/else/installation"):
        assert ask_as_app(missing).status_code == 404
    with pytest.raises(ValueError, match="already"):
        github.install_app(listed[0]["app_id"], "OCTO")


def test_installations_come_in_pages(github: StandIn, ask_as_app: Get, app_id: int) -> None:
    for number in range(3):
        github.add_user(f"org{number}", kind="Organization")
        github.install_app(app_id, f"org{number}")
    first = ask_as_app("/app/installations?per_page=2")
    assert len(first.json()) == 2
    second = ask_as_app(first.links["next"]["url"].removeprefix(github.url))
    assert [item["account"]["login"] for item in second.json()] == ["org2"]
