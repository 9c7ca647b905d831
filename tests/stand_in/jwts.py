"""The JSON web tokens that Apps sign in with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import jwt
from jwt.algorithms import RSAAlgorithm

from tests.stand_in.apps import App
from tests.support.inside.sandbox import RefusedError

LONGEST = 600
_IAT = (
    "'Issued at' claim ('iat') must be an Integer representing the time that the assertion "
    "was issued"
)
_EXP = (
    "'Expiration time' claim ('exp') must be a numeric value representing the future time at "
    "which the assertion expires"
)
_TOO_FAR = "'Expiration time' claim ('exp') is too far in the future"
_ISS = "'Issuer' claim ('iss') must be an Integer"


def public_key(pem: str | bytes) -> Any:
    """The public RSA key of a PEM file, which may also be that of the private key."""
    key: Any = RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(pem)
    return key.public_key() if hasattr(key, "private_numbers") else key


def app_of(value: str, now: int, find: Callable[[str], App | None]) -> App:
    """The App that has signed this; `find` finds it by its id or its client id.

    https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
    """
    try:
        claims = jwt.decode(value, options={"verify_signature": False})
        issuer = str(claims.get("iss", ""))
        if (app := find(issuer)) is None:
            if issuer.isdigit():
                raise RefusedError(HTTPStatus.NOT_FOUND, "Integration not found")
            raise _refused(_ISS)
        jwt.PyJWS().decode(value, app.key, algorithms=["RS256"])
    except jwt.InvalidTokenError:
        raise undecoded() from None
    _check_times(claims, now)
    return app


def _check_times(claims: Mapping[str, Any], now: int) -> None:
    issued, ends = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int) or issued > now:
        raise _refused(_IAT)
    if not isinstance(ends, int | float) or ends <= now:
        raise _refused(_EXP)
    if ends > now + LONGEST:
        raise _refused(_TOO_FAR)


def undecoded() -> RefusedError:
    """What GitHub says of a token that is none, or not signed with the App's key."""
    return _refused("A JSON web token could not be decoded")


def _refused(message: str) -> RefusedError:
    return RefusedError(HTTPStatus.UNAUTHORIZED, message)
