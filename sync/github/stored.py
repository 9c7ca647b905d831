"""Tokens as they are kept: the token alone, or, if it ends, with what renews it. No I/O here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import msgspec

from sync.errors import ConfigError
from sync.github.device import Granted
from sync.redaction import protect
from sync.rest import Token


class StoredToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that ends (UTC), and what renews it."""

    token: str
    expires_at: datetime
    refresh_token: str
    client_id: str


def packed(granted: Granted, client_id: str) -> str:
    """Return what to keep of a token that was given."""
    if granted.expires_at is None or granted.refresh_token is None:
        return granted.token
    return _text(granted.token, granted.expires_at, granted.refresh_token, client_id)


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


def renewal(client_id: str, keep: Callable[[str], None]) -> Callable[[Token, str], None]:
    """Return what keeps each new token, by `keep`, when it is called with it."""

    def renewed(token: Token, refresh_token: str) -> None:
        if token.expires_at is not None:
            keep(_text(token.value, token.expires_at, refresh_token, client_id))

    return renewed


def _text(token: str, expires_at: datetime, refresh_token: str, client_id: str) -> str:
    stored = StoredToken(
        token=token, expires_at=expires_at, refresh_token=refresh_token, client_id=client_id
    )
    return msgspec.json.encode(stored).decode()
