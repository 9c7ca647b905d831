"""Checks of secrets before anything is made of them. No I/O here."""

from __future__ import annotations

from sync.errors import ConfigError
from sync.redaction import protect


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
