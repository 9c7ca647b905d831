"""File format of a saved token: the bare token, or JSON with expiry and refresh token."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import msgspec

from sync.core.errors import ConfigError
from sync.core.redaction import MASK, protect_short_lived
from sync.resources.fields import Moment
from sync.rest.oauth_endpoint import Granted


class SavedToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token with its expiry (UTC) and refresh token, from a login to an app at `signed_in_at`."""

    token: str
    expires_at: Moment
    refresh_token: str
    client_id: str
    signed_in_at: Moment

    def __repr__(self) -> str:
        return f"SavedToken({MASK})"

    def encode(self) -> str:
        """Return the text to save."""
        return msgspec.json.encode(self).decode()


def encode_granted(granted: Granted, client_id: str, now: datetime) -> str:
    """Return the text to save for an issued token."""
    if granted.expires_at is None or granted.refresh_token is None:
        return granted.token
    return SavedToken(
        token=granted.token,
        expires_at=granted.expires_at,
        refresh_token=granted.refresh_token,
        client_id=client_id,
        signed_in_at=now,
    ).encode()


def decode_saved(text: str) -> SavedToken | None:
    """Return the token with expiry in a saved text; None for a bare token. Raises ConfigError."""
    if not text.lstrip().startswith("{"):
        return None
    with suppress(msgspec.DecodeError, ValueError, RecursionError):  # these may quote the text
        saved = msgspec.json.decode(text, type=SavedToken)
        protect_short_lived(saved.token, saved.refresh_token)
        return saved
    raise ConfigError(
        "the text in place of the token is JSON, but not the JSON that `login` saves; put only "
        "the token there, or log in again"
    )
