"""An App that was uninstalled, or is described oddly: an error of ours, and the right one."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sync.rest import RetryPolicy
from tests.rest.helpers import assert_only_ours, everything_said
from tests.support.fault_server import FaultServer, answer
from tests.support.inside.core import (
    BadCredentials,
    ConfigError,
    NotJson,
    RestError,
    UnexpectedAnswer,
)
from tests.support.inside.github import AppAuth, GitHubClient, Installation, InstallationAuth

_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEY = _KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
ONCE = RetryPolicy(attempts=1)

OCTO = {"id": 7, "login": "octo"}


def app(server: FaultServer) -> GitHubClient:
    auth = InstallationAuth(1, KEY, 2, api_url=server.url, retry=ONCE)
    return GitHubClient(credentials=Installation(auth), api_url=server.url, retry=ONCE)


@pytest.mark.parametrize(
    "refusal",
    [
        answer(404, {"message": "Not Found"}),
        answer(403, {"message": "This installation has been suspended"}),
        answer(451, {"message": "Blocked", "block": {"reason": "dmca"}}),
        answer(403, {"message": "Blocked", "block": {"reason": "dmca"}}),
    ],
)
def test_an_app_that_gets_no_token_does_not_take_that_for_a_missing_repository(
    refusal: bytes,
) -> None:
    with FaultServer(refusal) as server, app(server) as client:
        with pytest.raises(RestError, match="access_tokens: ") as caught:
            client.get_repository(1)
        assert type(caught.value) is BadCredentials
        assert [request.target for request in server.requests] == [
            "/app/installations/2/access_tokens"
        ]
    assert_only_ours(caught.value)


@pytest.mark.parametrize(
    ("installation", "kind"),
    [
        (
            {"id": 2, "account": {"id": 7, "login": "octo"}, "suspended_at": "2026-01-01"},
            BadCredentials,
        ),
        ({"id": 2, "account": {"id": "seven"}}, UnexpectedAnswer),
        ({"id": 2, "account": None}, UnexpectedAnswer),
        ({"id": 2}, UnexpectedAnswer),
        ([], UnexpectedAnswer),
    ],
)
def test_an_installation_that_cannot_be_used_is_an_error_of_ours(
    installation: object, kind: type[RestError]
) -> None:
    with (
        FaultServer(answer(200, installation)) as server,
        app(server) as client,
        pytest.raises(RestError) as caught,
    ):
        client.check()
    assert type(caught.value) is kind
    assert_only_ours(caught.value)


def test_a_token_that_was_cut_off_is_not_shown() -> None:
    cut = b'{"token": "0a1b2c3d4e5f6a7b8c9d", "expires_at": "2026-'
    with (
        FaultServer(answer(201, body=cut)) as server,
        app(server) as client,
        pytest.raises(NotJson) as caught,
    ):
        client.get_repository(1)
    assert "0a1b2c3d4e5f6a7b8c9d" not in everything_said(caught.value)


@pytest.mark.parametrize("key", ["", "sesame77", KEY[:200], KEY.replace("A", "B"), None, b"x"])
def test_a_private_key_that_is_none_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ConfigError, match="the App's private key must be an RSA key") as caught:
        AppAuth(1, key)
    said = everything_said(caught.value)
    assert "sesame77" not in said
    assert KEY.split()[5] not in said
