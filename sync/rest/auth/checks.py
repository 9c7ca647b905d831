"""Checks of secrets before their first use. No I/O here."""

from __future__ import annotations

from sync.core.errors import ConfigError
from sync.core.redaction import protect_while


def clean_secret(secret: object, what: str, owner: object) -> str:
    """Return `secret` as `clean_value` does, and mask it for as long as its `owner` lives."""
    cleaned = clean_value(secret, what)
    protect_while(owner, cleaned)
    return cleaned


def clean_value(value: object, what: str) -> str:
    """Return `value` without one trailing newline; refuse it if it cannot be sent in a header.

    Raises ConfigError, which never shows the value. A token read from a file usually ends
    in a newline; any other odd character is a mistake. The value is not masked: it may be
    an ordinary word.
    """
    if not isinstance(value, str):
        raise ConfigError(f"{what} must be text, not {type(value).__name__}")
    value = value.removesuffix("\n").removesuffix("\r")
    if not value:
        raise ConfigError(f"{what} is empty")
    if any(not 0x21 <= ord(character) <= 0x7E for character in value):
        raise ConfigError(
            f"{what} contains a space, a line break or another character that cannot be sent; "
            "copy it again"
        )
    return value
