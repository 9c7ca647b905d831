"""OAuth 1.0a (RFC 5849), by the library requests-oauthlib, which is an extra."""

from __future__ import annotations

from requests import PreparedRequest
from requests.auth import AuthBase

from sync.core.errors import ConfigError
from sync.core.extras import needed_for
from sync.core.redaction import MASK
from sync.rest.auth.checks import clean_secret, clean_value
from sync.rest.auth.keys import as_pem, rsa_private_key

_LIBRARY = "requests-oauthlib[rsa]"
SIGNATURE_METHODS = ("HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT", "RSA-SHA1", "RSA-SHA256")


class OAuth1Auth(AuthBase):
    """Signs each request with two pairs of keys and secrets (OAuth 1.0a, RFC 5849).

    For services that still require it. `client_key` and `client_secret` identify the program,
    `resource_owner_key` and `resource_owner_secret` (token and token secret) the user who has
    authorized it. `signature_method` is `HMAC-SHA1`, `HMAC-SHA256` or
    `PLAINTEXT`; with `RSA-SHA1` and `RSA-SHA256`, `rsa_key` is a private key in PEM.
    It needs requests-oauthlib: `pip install 'requests-oauthlib[rsa]'`. Raises ConfigError.
    """

    def __init__(
        self,
        client_key: str,
        client_secret: str = "",
        resource_owner_key: str = "",
        resource_owner_secret: str = "",
        *,
        signature_method: str = "HMAC-SHA1",
        rsa_key: str | None = None,
    ) -> None:
        with needed_for("OAuth 1", _LIBRARY):
            from requests_oauthlib import OAuth1
        secrets = (client_secret, resource_owner_key, resource_owner_secret)
        cleaned = [
            clean_secret(each, "a key of OAuth 1", self) if each else None for each in secrets
        ]
        if signature_method not in SIGNATURE_METHODS:
            raise ConfigError(f"the signature method must be one of {', '.join(SIGNATURE_METHODS)}")
        if signature_method.startswith("RSA") != (rsa_key is not None):
            raise ConfigError("an RSA signature method needs an RSA key; other methods take none")
        if rsa_key is not None:
            with needed_for("an RSA key", _LIBRARY):
                rsa_private_key(rsa_key, "the signing key")
            rsa_key = as_pem(rsa_key)
        self._sign = OAuth1(
            clean_value(client_key, "the client key"),
            *cleaned,
            signature_method=signature_method,
            rsa_key=rsa_key,
            decoding=None,
        )

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        signed: PreparedRequest = self._sign(request)
        return signed

    def __repr__(self) -> str:
        return f"OAuth1Auth({MASK})"
