"""One sandbox with a user, an App of it, and ways to ask it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.stand_in import StandIn
from tests.support.app_keys import app_jwt, key_pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def github() -> Iterator[StandIn]:
    """A started sandbox with the user octo, whose token is octo-token."""
    with StandIn() as sandbox:
        sandbox.add_user("octo", token="octo-token", name="Octo")
        yield sandbox
        assert sandbox.errors == []


@pytest.fixture
def get(github: StandIn) -> Iterator[Callable[..., requests.Response]]:
    """Asks the sandbox: a path, the token, parameters as keywords, and other headers."""
    with requests.Session() as session:
        session.trust_env = False

        def ask(
            path: str,
            token: str | None = "octo-token",
            headers: dict[str, Any] | None = None,
            method: str = "GET",
            **query: Any,
        ) -> requests.Response:
            sent = {"Authorization": f"Bearer {token}"} if token else {}
            url = path if path.startswith("http:") else github.url + path
            return session.request(
                method,
                url,
                params=query,
                headers=sent | (headers or {}),
                allow_redirects=False,
                timeout=30,
            )

        yield ask


@pytest.fixture
def moments(github: StandIn) -> list[datetime]:
    """The sandbox's clock: it shows the last of these times."""
    times = [START]
    github.now = lambda: times[-1]
    return times


@pytest.fixture
def app_id(github: StandIn, moments: list[datetime]) -> int:
    """An App named Ledger."""
    return github.add_app("Ledger", key=key_pair().public, permissions={"contents": "read"})


@pytest.fixture
def installed(github: StandIn, app_id: int) -> int:
    """Its installation on all of octo's repositories: two public ones and a private one."""
    github.add_repository("octo", "hello")
    github.add_repository("octo", "other")
    github.add_repository("octo", "secret", private=True)
    github.add_user("else", token="else-token")
    github.add_repository("else", "foreign")
    github.add_repository("else", "hidden", private=True)
    return github.install_app(app_id, "octo")


@pytest.fixture
def ask_as_app(
    get: Callable[..., requests.Response], app_id: int
) -> Callable[..., requests.Response]:
    """Asks as the App itself."""

    def ask(path: str, method: str = "GET", **claims: Any) -> requests.Response:
        issuer = claims.pop("issuer", app_id)
        return get(path, token=app_jwt(issuer, now=START, **claims), method=method)

    return ask


@pytest.fixture
def new_token(github: StandIn, app_id: int) -> Iterator[Callable[..., requests.Response]]:
    """Asks for a token of an installation, with a JSON body."""
    with requests.Session() as session:
        session.trust_env = False

        def post(installation: int, **body: Any) -> requests.Response:
            headers = {"Authorization": f"Bearer {app_jwt(app_id, now=github.now())}"}
            url = f"{github.url}/app/installations/{installation}/access_tokens"
            return session.post(url, json=body, headers=headers, timeout=30)

        yield post
