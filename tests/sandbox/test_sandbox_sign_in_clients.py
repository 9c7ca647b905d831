"""Clients that others wrote for GitHub sign in to the sandbox, as Apps and with devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import github as pygithub
import githubkit
import pytest
from githubkit.auth.oauth import OAuthDeviceAuthStrategy

from tests.support.app_keys import key_pair

if TYPE_CHECKING:
    from tests.stand_in import StandIn

COUNT = 35
NAMES = [f"r{number}" for number in range(COUNT)]


@pytest.fixture
def app_id(github: StandIn) -> int:
    return github.add_app("Ledger", key=key_pair().public, client_id="Iv-ledger")


@pytest.fixture
def installed(github: StandIn, app_id: int) -> int:
    """An installation on many repositories, the last of them private."""
    for name in NAMES:
        github.add_repository("octo", name, private=name == NAMES[-1])
    return github.install_app(app_id, "octo")


def pygithub_options(github: StandIn) -> dict[str, Any]:
    pause = {"seconds_between_requests": 0, "seconds_between_writes": 0}
    return {"base_url": github.url, "retry": None} | pause


def githubkit_client(github: StandIn, auth: Any) -> Any:
    return githubkit.GitHub(
        auth, base_url=github.url, http_cache=False, auto_retry=False, trust_env=False
    )


def test_pygithub_reads_the_repositories_of_an_installation(
    github: StandIn, app_id: int, installed: int
) -> None:
    auth = pygithub.Auth.AppAuth(app_id, key_pair().private)
    with pygithub.GithubIntegration(auth=auth, **pygithub_options(github)) as integration:
        assert integration.get_app().slug == "ledger"
        (found,) = integration.get_installations()
        assert (found.id, integration.get_user_installation("octo").id) == (installed, installed)
        listed = found.get_repos()
        assert listed.totalCount == COUNT
        assert [item.name for item in listed] == NAMES


def test_pygithub_asks_for_a_new_token_when_one_is_about_to_end(
    github: StandIn, app_id: int, installed: int
) -> None:
    github.set_token_life(installed, 3)
    auth = pygithub.Auth.AppAuth(app_id, key_pair().private).get_installation_auth(installed)
    with pygithub.Github(auth=auth, **pygithub_options(github)) as client:
        for _ in range(2):
            assert client.get_repo(f"octo/{NAMES[-1]}").private
    paths = [record.path.rpartition("/")[2] for record in github.requests]
    assert paths == ["access_tokens", NAMES[-1]] * 2
    assert len({record.headers["authorization"] for record in github.requests[1::2]}) == 2


@pytest.mark.parametrize("issuer", ["id", "client id"])
def test_githubkit_reads_the_repositories_of_an_installation(
    github: StandIn, app_id: int, installed: int, issuer: str
) -> None:
    auth = githubkit.AppInstallationAuthStrategy(
        app_id if issuer == "id" else None, key_pair().private, installed, "Iv-ledger"
    )
    with githubkit_client(github, auth) as client:
        assert client.rest.apps.get_authenticated().parsed_data.id == app_id
        listed = client.rest.apps.list_repos_accessible_to_installation(per_page=10, page=4)
        assert listed.parsed_data.total_count == COUNT
        assert [item.name for item in listed.parsed_data.repositories] == NAMES[30:]
        with pytest.raises(githubkit.exception.RequestFailed, match="403"):
            client.rest.users.get_authenticated()


def test_githubkit_signs_a_user_in_with_a_device(github: StandIn) -> None:
    github.add_oauth_app("Ov-kit")
    auth = OAuthDeviceAuthStrategy(
        "Ov-kit", lambda data: github.authorize(data["user_code"], "octo"), ["repo"]
    )
    with githubkit_client(github, auth) as client:
        assert client.rest.users.get_authenticated().parsed_data.login == "octo"
    assert auth.token.startswith("gho_")
    assert auth.refresh_token is None


def test_githubkit_renews_a_token_that_a_device_got(github: StandIn, app_id: int) -> None:
    auth = OAuthDeviceAuthStrategy(
        "Iv-ledger", lambda data: github.authorize(data["user_code"], "octo")
    )
    client = githubkit_client(github, auth)
    signed_in = auth.exchange_token(client)
    first = signed_in.refresh_token
    assert str(signed_in.token).startswith("ghu_")
    fresh = signed_in.refresh(client)
    assert fresh.refresh_token not in (None, first)
    with githubkit_client(github, fresh) as client:
        assert client.rest.users.get_authenticated().parsed_data.login == "octo"


def test_pygithub_renews_a_users_token(github: StandIn) -> None:
    github.add_oauth_app("Iv-brief", secret="its-secret", expiring=True)
    with pygithub.Github(**pygithub_options(github)) as client:
        program = client.get_oauth_application("Iv-brief", "its-secret")
        old = github.grant("Iv-brief", "octo")
        fresh = program.refresh_access_token(old.refresh)
        assert fresh.expires_in == 8 * 3600
        with pytest.raises(pygithub.GithubException, match="bad_refresh_token"):
            program.refresh_access_token(old.refresh)
        auth = program.get_app_user_auth(fresh)
    with pygithub.Github(auth=auth, **pygithub_options(github)) as client:
        assert client.get_user().login == "octo"
