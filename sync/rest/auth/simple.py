"""Ways of signing in with a single secret.

Each is a `requests.auth.AuthBase` that validates its secret at once, hides it in its `repr`,
and has it masked in logs and errors. Without an `AuthBase`, requests takes credentials for
the host from `~/.netrc` (RestClient also switches that off).
"""

from __future__ import annotations

import re
from functools import partial
from urllib.parse import quote, urlsplit, urlunsplit

from requests import PreparedRequest
from requests.auth import AuthBase, _basic_auth_str

from sync.core.errors import ConfigError
from sync.core.redaction import MASK, can_be_masked, protect_while
from sync.rest.auth.checks import clean_secret
from sync.rest.headers import TOKEN, validate_headers

_NOT_IN_COOKIES = re.compile(r'[\s",;\\]')


class NoAuth(AuthBase):
    """Sends no credentials at all."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return request

    def __repr__(self) -> str:
        return "NoAuth()"


class HeaderAuth(AuthBase):
    """Sends `token` in a header called `name`, behind a `scheme` if there is one.

    HeaderAuth("X-Api-Key", token) sends `X-Api-Key: TOKEN`,
    HeaderAuth("Authorization", token, scheme="token") `Authorization: token TOKEN`.
    Raises ConfigError.
    """

    def __init__(self, name: str, token: str, *, scheme: str = "") -> None:
        named: object = scheme
        if not isinstance(named, str) or (named and not TOKEN.fullmatch(named)):
            raise ConfigError("an authentication scheme is a word, such as Bearer")
        value = clean_secret(token, "the token", self)
        self._value = f"{scheme} {value}" if scheme else value
        validate_headers({name: self._value}, partial(protect_while, self))
        self.name = name

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers[self.name] = self._value
        return request

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {MASK})"


class BearerAuth(HeaderAuth):
    """Sends `Authorization: Bearer TOKEN` (RFC 6750), with `token`. Raises ConfigError."""

    def __init__(self, token: str) -> None:
        super().__init__("Authorization", token, scheme="Bearer")

    def __repr__(self) -> str:
        return f"BearerAuth({MASK})"


class BasicAuth(AuthBase):
    """Sends `Authorization: Basic …` with `username` and `password` (RFC 7617), in UTF-8.

    Raises ConfigError.
    """

    def __init__(self, username: str, password: str) -> None:
        pair: tuple[object, object] = (username, password)
        if not all(isinstance(each, str) for each in pair):
            raise ConfigError("a user name and a password must be text")
        if not username or ":" in username or not username.isprintable():
            raise ConfigError(
                "a user name for Basic authentication must not be empty or hold a ':'"
            )
        # Half of a surrogate pair cannot be encoded.
        if not password or any(c < " " or "\ud800" <= c <= "\udfff" for c in password):
            raise ConfigError("a password must not be empty or hold a line break")
        self.username = username
        self._header = _basic_auth_str(username.encode(), password.encode())
        protect_while(self, password, self._header.removeprefix("Basic "))

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = self._header
        return request

    def __repr__(self) -> str:
        return f"BasicAuth({self.username!r}, {MASK})"


class QueryAuth(AuthBase):
    """Sends `token` as the parameter `name` of the query: `?NAME=TOKEN`.

    Only for services that accept nothing safer: proxies and servers log addresses. Raises
    ConfigError.
    """

    def __init__(self, name: str, token: str) -> None:
        named: object = name
        if not isinstance(named, str) or not re.fullmatch(r"[A-Za-z0-9_.~-]+", named):
            raise ConfigError("a parameter's name must be made of letters, digits and . _ ~ -")
        self.name = name
        value = quote(clean_secret(token, "the token", self), safe="")
        self._parameter = f"{name}={value}"
        if not can_be_masked(value):  # too ordinary alone, but not behind its name
            protect_while(self, self._parameter)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        parts = urlsplit(str(request.url))
        # A parameter of that name is not the caller's: a server's link may repeat our own.
        kept = [p for p in parts.query.split("&") if p and p.partition("=")[0] != self.name]
        query = "&".join([*kept, self._parameter])
        request.url = urlunsplit(parts._replace(query=query))
        return request

    def __repr__(self) -> str:
        return f"QueryAuth({self.name!r}, {MASK})"


class CookieAuth(AuthBase):
    """Sends the cookie `name` with `value`, of a session opened elsewhere (RFC 6265).

    Raises ConfigError.
    """

    def __init__(self, name: str, value: str) -> None:
        named: object = name
        if not isinstance(named, str) or not TOKEN.fullmatch(named):
            raise ConfigError("a cookie's name must be made of letters, digits and hyphens")
        value = clean_secret(value, "the cookie", self)
        if _NOT_IN_COOKIES.search(value):
            raise ConfigError("the cookie contains a quote, a comma, a semicolon or a backslash")
        self.name = name
        self._cookie = f"{name}={value}"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Cookie"] = self._cookie
        return request

    def __repr__(self) -> str:
        return f"CookieAuth({self.name!r}, {MASK})"


def validate_auth(auth: AuthBase | tuple[str, str] | None) -> AuthBase:
    """Return `auth` as an AuthBase. Raises ConfigError."""
    if auth is None:
        return NoAuth()
    if isinstance(auth, tuple) and len(auth) == 2:
        return BasicAuth(*auth)
    if isinstance(auth, AuthBase):
        return auth
    raise ConfigError("auth must be a requests AuthBase, a (username, password) pair or None")
