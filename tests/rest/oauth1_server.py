"""The other side of OAuth 1: oauthlib's own verification of what a client signed."""

from __future__ import annotations

from typing import Any

from oauthlib.oauth1 import RequestValidator, ResourceEndpoint

from tests.support.fault_server import Received

CLIENT_KEY = "the-client-key-of-oauth-1"
CLIENT_SECRET = "client-secret-of-oauth-1"
OWNER_KEY = "the-owner-key-of-oauth-1"
OWNER_SECRET = "owner-secret-of-oauth-1"


class _Validator(RequestValidator):  # type: ignore[misc]  # has no types
    """A service that knows one client and one user, and refuses a nonce that comes twice."""

    enforce_ssl = False
    client_key_length = access_token_length = (1, 100)
    nonce_length = (8, 50)
    allowed_signature_methods = ("HMAC-SHA1", "HMAC-SHA256", "RSA-SHA256", "PLAINTEXT")
    dummy_client = dummy_access_token = "nobody"

    def __init__(self, public_key: str) -> None:
        self._public_key = public_key
        self._seen: set[tuple[str, str]] = set()

    @property
    def safe_characters(self) -> set[str]:
        return {*super().safe_characters, "-"}

    def validate_client_key(self, key: str, _request: Any) -> bool:
        return key == CLIENT_KEY

    def validate_access_token(self, key: str, token: str, _request: Any) -> bool:
        return (key, token) == (CLIENT_KEY, OWNER_KEY)

    def validate_realms(self, *_: Any, **__: Any) -> bool:
        return True

    def validate_timestamp_and_nonce(
        self, key: str, timestamp: str, nonce: str, _request: Any, **_: Any
    ) -> bool:
        fresh = (timestamp, nonce) not in self._seen
        self._seen.add((timestamp, nonce))
        return fresh

    def get_client_secret(self, key: str, _request: Any) -> str:
        return CLIENT_SECRET

    def get_access_token_secret(self, key: str, token: str, _request: Any) -> str:
        return OWNER_SECRET

    def get_rsa_key(self, key: str, _request: Any) -> str:
        return self._public_key


class Verifier:
    """Tells of each request that a server at `url` received whether it was signed as it should."""

    def __init__(self, url: str, public_key: str = "") -> None:
        self._url = url
        self._endpoint = ResourceEndpoint(_Validator(public_key))

    def accepts(self, request: Received) -> bool:
        names = ("Authorization", "Content-Type")
        headers = {n: request.headers[n.lower()] for n in names if n.lower() in request.headers}
        address = self._url + request.target
        valid, _ = self._endpoint.validate_protected_resource_request(
            address, request.method, request.body.decode(), headers
        )
        return bool(valid)
