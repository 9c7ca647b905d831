"""Ways to prove who you are.

Each is a `requests.auth.AuthBase` that is validated when it is made, says
nothing of its secret in its `repr`, and has it masked in logs and errors.
Being an `AuthBase` matters: without one, requests takes credentials for the
host from `~/.netrc` (see RestClient, which also switches that off).
"""

from __future__ import annotations

from requests import PreparedRequest
from requests.auth import AuthBase, _basic_auth_str

from sync.errors import ConfigError
from sync.redaction import MASK, protect


def clean_secret(secret: object, what: str) -> str:
    """Return `secret` without one trailing newline; refuse it if it cannot be sent in a header.

    Raises ConfigError, which never shows the value. A token read from a file
    usually ends in a newline; anything else odd in it is a mistake.
    """
    if not isinstance(secret, str):
        raise ConfigError(f"{what} must be text, not {type(secret).__name__}")
    secret = secret.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise ConfigError(f"{what} is empty")
    if any(not 0x21 <= ord(character) <= 0x7E for character in secret):
        raise ConfigError(
            f"{what} contains a space, a line break or another character that cannot be sent; "
            "copy it again"
        )
    protect(secret)
    return secret


class NoAuth(AuthBase):
    """Sends no credentials at all."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return request

    def __repr__(self) -> str:
        return "NoAuth()"


class BearerAuth(AuthBase):
    """Sends `Authorization: Bearer TOKEN` (RFC 6750)."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {clean_secret(token, 'the token')}"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = self._header
        return request

    def __repr__(self) -> str:
        return f"BearerAuth({MASK})"


class BasicAuth(AuthBase):
    """Sends `Authorization: Basic …` with a user name and password (RFC 7617)."""

    def __init__(self, username: str, password: str) -> None:
        pair: tuple[object, object] = (username, password)
        if not all(isinstance(each, str) for each in pair):
            raise ConfigError("a user name and a password must be text")
        if not username or ":" in username or not username.isprintable():
            raise ConfigError(
                "a user name for Basic authentication must not be empty or hold a ':'"
            )
        if not password or any(ord(character) < 0x20 for character in password):
            raise ConfigError("a password must not be empty or hold a line break")
        self.username = username
        self._header = _basic_auth_str(username.encode(), password.encode())
        protect(password, self._header.removeprefix("Basic "))

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = self._header
        return request

    def __repr__(self) -> str:
        return f"BasicAuth({self.username!r}, {MASK})"


def validate_auth(auth: AuthBase | tuple[str, str] | None) -> AuthBase:
    """Return `auth` as an AuthBase. Raises ConfigError."""
    if auth is None:
        return NoAuth()
    if isinstance(auth, tuple) and len(auth) == 2:
        return BasicAuth(*auth)
    if isinstance(auth, AuthBase):
        return auth
    raise ConfigError("auth must be a requests AuthBase, a (username, password) pair or None")
