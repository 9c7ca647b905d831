"""The stand-in as an Enterprise Server: below /api/v3, with the older version, without limits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.stand_in import StandIn
from tests.support.app_keys import app_jwt, key_pair


@pytest.fixture
def server() -> Iterator[StandIn]:
    with StandIn(enterprise=True) as sandbox:
        sandbox.add_user("octo", token="octo-token")
        for number in range(3):
            sandbox.add_repository("octo", f"r{number}")
        yield sandbox
        assert sandbox.errors == []


def ask(server: StandIn, path: str, **headers: str) -> requests.Response:
    sent = {"Authorization": "Bearer octo-token", **headers}
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"{_site(server)}{path}", headers=sent, timeout=30)


def _site(server: StandIn) -> str:
    return server.url.removesuffix("/api/v3")


def test_the_api_is_below_its_path_and_its_links_too(server: StandIn) -> None:
    listed = ask(server, "/api/v3/user/repos?per_page=2")
    assert listed.status_code == 200
    assert listed.links["next"]["url"].startswith(f"{server.url}/user/repos?")
    assert listed.json()[0]["url"].startswith(f"{server.url}/repos/octo/")
    following = ask(server, listed.links["next"]["url"].removeprefix(_site(server)))
    assert len(following.json()) == 1


def test_paths_outside_of_the_api_are_the_web_site(server: StandIn) -> None:
    page = ask(server, "/user")
    assert (page.status_code, page.headers["Content-Type"]) == (404, "text/html")


def test_no_limits_are_set_and_none_told_of(server: StandIn) -> None:
    answer = ask(server, "/api/v3/user")
    assert not [name for name in answer.headers if name.lower().startswith("x-ratelimit")]
    refused = ask(server, "/api/v3/rate_limit")
    assert (refused.status_code, refused.json()["message"]) == (
        404,
        "Rate limiting is not enabled.",
    )


def test_only_the_older_version_is_known(server: StandIn) -> None:
    assert ask(server, "/api/v3/user", **{"X-GitHub-Api-Version": "2022-11-28"}).ok
    refused = ask(server, "/api/v3/user", **{"X-GitHub-Api-Version": "2026-03-10"})
    assert refused.status_code == 400


def test_programs_sign_users_in_at_the_web_site_and_apps_at_the_api(server: StandIn) -> None:
    app_id = server.add_app("Ledger", key=key_pair().public)
    signed = {"Authorization": f"Bearer {app_jwt(app_id)}"}
    app = ask(server, "/api/v3/app", **signed).json()
    asked, headers = {"client_id": app["client_id"]}, {"Accept": "application/json"}
    there, below = (
        requests.post(f"{at}/login/device/code", data=asked, headers=headers, timeout=30)
        for at in (_site(server), server.url)
    )
    assert there.json()["verification_uri"] == f"{_site(server)}/login/device"
    assert below.status_code == 404
