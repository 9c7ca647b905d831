"""One sandbox with a user, and a way to ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from sync.github.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def github() -> Iterator[Sandbox]:
    """A started sandbox with the user octo, whose token is octo-token."""
    with Sandbox() as sandbox:
        sandbox.add_user("octo", token="octo-token", name="Octo")
        yield sandbox
        assert sandbox.errors == []


@pytest.fixture
def get(github: Sandbox) -> Iterator[Callable[..., requests.Response]]:
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
