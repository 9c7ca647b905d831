"""Tokens as they are kept: the token alone, or, if it ends, with what renews it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from typing import Any, Protocol

import msgspec

from sync.errors import BadCredentials, ConfigError
from sync.github.device import Granted
from sync.github.records import Moment
from sync.redaction import MASK, protect
from sync.rest import RefreshToken, Token


class StoredToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that ends (UTC), and what renews it; since `signed_in_at`, by way of an app."""

    token: str
    expires_at: Moment
    refresh_token: str
    client_id: str
    signed_in_at: Moment

    def __repr__(self) -> str:
        return f"StoredToken({MASK})"

    def as_text(self) -> str:
        """Return it as it is kept."""
        return msgspec.json.encode(self).decode()


class Place(Protocol):
    """Where it is kept."""

    def read(self) -> str: ...

    def write(self, secret: str, /) -> None: ...


def packed(granted: Granted, client_id: str, now: datetime) -> str:
    """Return what to keep of a token that was given."""
    if granted.expires_at is None or granted.refresh_token is None:
        return granted.token
    return StoredToken(
        token=granted.token,
        expires_at=granted.expires_at,
        refresh_token=granted.refresh_token,
        client_id=client_id,
        signed_in_at=now,
    ).as_text()


def unpacked(text: str) -> StoredToken | None:
    """Return what was kept of a token that ends; None for a token alone. Raises ConfigError."""
    if not text.lstrip().startswith("{"):
        return None
    stored = None
    with suppress(msgspec.DecodeError, ValueError, RecursionError):
        stored = msgspec.json.decode(text, type=StoredToken)
    if stored is None:  # outside of the handler: the original may quote it
        raise ConfigError("what is kept of the token cannot be read; log in again")
    protect(stored.token, stored.refresh_token)
    return stored


class KeptToken(RefreshToken):
    """Signs in with a token that is kept in `place`, and renewed there for all who use it.

    GitHub takes a refresh token once, and ends the token before. So one process at a
    time renews, and writes down what it got before the others look; they take that.
    What was logged out meanwhile is not renewed. `held` locks the place, `lost`
    says what to do where there is nothing to renew with. See `RefreshToken` for the
    other parameters.
    """

    def __init__(
        self,
        kept: StoredToken,
        place: Place,
        *,
        held: Callable[[], AbstractContextManager[None]],
        lost: str,
        **options: Any,
    ) -> None:
        super().__init__(
            client_id=kept.client_id,
            refresh_token=kept.refresh_token,
            access_token=kept.token,
            expires_at=kept.expires_at,
            placement="body",
            **options,
        )
        self._kept = kept
        self._place = place
        self._held = held
        self._lost = lost

    def obtain(self) -> Token:
        with self._held():
            text = self._place.read().strip()
            newer = unpacked(text)
            if newer is None:  # somebody has put another token there, one that does not end
                return Token(value=text)
            if newer.token != self._kept.token:
                self._adopt(newer)
                if newer.expires_at > self._clock():
                    return Token(value=newer.token, expires_at=newer.expires_at)
            self._place.write(text)  # what could not be kept is not asked for
            token = self._renewed()
            self._adopt(
                msgspec.structs.replace(
                    self._kept,
                    token=token.value,
                    expires_at=token.expires_at or self._clock(),
                    refresh_token=self._refresh_token,
                )
            )
            self._place.write(self._kept.as_text())
            return token

    def _adopt(self, kept: StoredToken) -> None:
        self._kept = kept
        self.client_id, self._refresh_token = kept.client_id, kept.refresh_token

    def _renewed(self) -> Token:
        refused: BadCredentials | None = None
        try:
            return super().obtain()
        except BadCredentials as error:
            refused = error
        raise refused.recast(
            BadCredentials,
            f"the token has ended, and GitHub does not renew it ({refused.message}); {self._lost}",
        )
