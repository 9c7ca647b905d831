"""OAuth 1.0a signatures, checked by oauthlib's own server side."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from sync.rest import OAuth1Auth
from tests.rest.conftest import Connect
from tests.rest.helpers import everything_said
from tests.rest.oauth1_server import (
    CLIENT_KEY,
    CLIENT_SECRET,
    OWNER_KEY,
    OWNER_SECRET,
    Verifier,
)
from tests.support.fault_server import FaultServer, answer
from tests.support.inside.core import ConfigError

_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = _KEY.private_bytes(
    Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
).decode()
PUBLIC = _KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
METHODS = ["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT", "RSA-SHA256"]
# PLAINTEXT signs nothing: whatever is changed on the way is accepted.
SIGNING = [method for method in METHODS if method != "PLAINTEXT"]


def signer(method: str, secret: str = CLIENT_SECRET, key: str = PRIVATE) -> OAuth1Auth:
    return OAuth1Auth(
        CLIENT_KEY,
        secret,
        OWNER_KEY,
        OWNER_SECRET,
        signature_method=method,
        rsa_key=key if method.startswith("RSA") else None,
    )


@pytest.mark.parametrize("method", METHODS)
def test_the_service_accepts_what_was_signed(connect: Connect, method: str) -> None:
    with FaultServer() as server:
        client = connect(server.url, auth=signer(method))
        client.get("/items", params={"b": "2 & more", "a": "ä", "c": ["1", "2"]})
        client.post("/items", json={"name": "not a part of the signature"})
        client.post("/items", data={"name": "a part of it", "b": "ä+"})
        client.delete("/items/1")
        verifier = Verifier(server.url, PUBLIC)
        assert [verifier.accepts(request) for request in server.requests] == [True] * 4
        assert not verifier.accepts(server.requests[0])  # what was signed holds once


@pytest.mark.parametrize("method", SIGNING)
def test_what_a_redirect_leads_to_is_signed_anew(connect: Connect, method: str) -> None:
    moved = answer(302, headers={"Location": "/moved?page=2"})
    with FaultServer(moved, moved, answer()) as server:
        connect(server.url, auth=signer(method)).get("/items?page=1")
        verifier = Verifier(server.url, PUBLIC)
        targets = [request.target for request in server.requests]
        assert targets == ["/items?page=1", "/moved?page=2", "/moved?page=2"]
        assert [verifier.accepts(request) for request in server.requests] == [True] * 3


@pytest.mark.parametrize("method", METHODS)
def test_another_attempt_is_signed_anew(connect: Connect, method: str) -> None:
    with FaultServer(answer(503), answer()) as server:
        connect(server.url, auth=signer(method)).get("/items")
        verifier = Verifier(server.url, PUBLIC)
        assert [verifier.accepts(request) for request in server.requests] == [True] * 2


@pytest.mark.parametrize("method", SIGNING)
def test_the_service_refuses_what_was_changed_on_the_way(connect: Connect, method: str) -> None:
    with FaultServer() as server, FaultServer() as other:
        connect(server.url, auth=signer(method)).get("/items")
        assert not Verifier(other.url, PUBLIC).accepts(server.request)


@pytest.mark.parametrize("method", ["HMAC-SHA1", "PLAINTEXT"])
def test_the_service_refuses_what_was_signed_with_another_secret(
    connect: Connect, method: str
) -> None:
    with FaultServer() as server:
        connect(server.url, auth=signer(method, secret="another-secret")).get("/items")
        assert not Verifier(server.url, PUBLIC).accepts(server.request)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"client_key": ""}, "client key is empty"),
        ({"client_key": 7}, "must be text"),
        ({"client_secret": "sesame77\nX: y"}, "line break"),
        ({"resource_owner_key": b"sesame77"}, "must be text"),
        ({"resource_owner_secret": "sesame 77"}, "space"),
        ({"signature_method": "HMAC-MD5"}, "one of HMAC-SHA1, "),
        ({"signature_method": None}, "one of HMAC-SHA1, "),
        ({"signature_method": "RSA-SHA256"}, "RSA key"),
        ({"rsa_key": PRIVATE}, "RSA key"),
        ({"signature_method": "RSA-SHA256", "rsa_key": "sesame77"}, "in PEM"),
        ({"signature_method": "RSA-SHA256", "rsa_key": PUBLIC}, "in PEM"),
        ({"signature_method": "RSA-SHA256", "rsa_key": 7}, "in PEM"),
    ],
)
def test_what_cannot_sign_is_refused_when_it_is_made(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as caught:
        OAuth1Auth(**{"client_key": CLIENT_KEY, **given})
    said = everything_said(caught.value)
    assert "sesame77" not in said
    assert PUBLIC.split()[4] not in said


def test_a_secret_from_a_file_may_end_in_a_newline(connect: Connect) -> None:
    with FaultServer() as server:
        connect(server.url, auth=signer("HMAC-SHA1", secret=CLIENT_SECRET + "\n")).get("/x")
        assert Verifier(server.url).accepts(server.request)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "requests_oauthlib", None)  # as if it were not installed
    with pytest.raises(ConfigError, match=r"pip install 'requests-oauthlib\[rsa\]'"):
        OAuth1Auth(CLIENT_KEY)
