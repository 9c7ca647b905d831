"""Keys of GitHub Apps, made here, and the JSON web tokens that are signed with them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


class KeyPair(NamedTuple):
    """An RSA key as two PEM files."""

    private: str
    public: str


def key_pair(which: int = 0) -> KeyPair:
    """A key of its own for each number."""
    return _made(which)


@cache
def _made(which: int) -> KeyPair:
    # Making a key takes a while, so each is made once.
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return KeyPair(private.decode(), public.decode())


def app_jwt(
    issuer: int | str | None,
    *,
    now: datetime | None = None,
    issued: Any = -60,
    ends: Any = 540,
    key: int = 0,
    algorithm: str = "RS256",
) -> str:
    """A JSON web token; the times are in seconds from now, or None to leave them out.

    `key` is the number of the key that it is signed with.
    """
    moment = int((now or datetime.now(UTC)).timestamp())
    claims = {"iss": issuer}
    claims |= {"iat": moment + issued} if issued is not None else {}
    claims |= {"exp": moment + ends} if ends is not None else {}
    # The claims are encoded here: PyJWT refuses some that a careless client could send.
    secret = "x" * 32 if algorithm == "HS256" else key_pair(key).private
    return jwt.PyJWS().encode(json.dumps(claims).encode(), secret, algorithm=algorithm)
