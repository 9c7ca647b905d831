"""Checks of secrets before anything is made of them. No I/O here."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sync.errors import ConfigError
from sync.redaction import protect


def clean_secret(secret: object, what: str) -> str:
    """Return `secret` as `clean_name` does, and have it masked from now on."""
    cleaned = clean_name(secret, what)
    protect(cleaned)
    return cleaned


def clean_name(name: object, what: str) -> str:
    """Return `name` without one trailing newline; refuse it if it cannot be sent in a header.

    Raises ConfigError, which never shows the value. A token read from a file
    usually ends in a newline; anything else odd in it is a mistake. What is no
    secret is not masked: it may be an ordinary word.
    """
    if not isinstance(name, str):
        raise ConfigError(f"{what} must be text, not {type(name).__name__}")
    name = name.removesuffix("\n").removesuffix("\r")
    if not name:
        raise ConfigError(f"{what} is empty")
    if any(not 0x21 <= ord(character) <= 0x7E for character in name):
        raise ConfigError(
            f"{what} contains a space, a line break or another character that cannot be sent; "
            "copy it again"
        )
    return name


def rsa_private_key(pem: object, what: str, hint: str = "") -> Any:
    """Return the private key in `pem`, as cryptography reads it. Raises ConfigError."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key: object = None
    if isinstance(pem, str):
        protect(pem, *pem.split())
        with suppress(ValueError, TypeError):
            key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):  # outside of the handler: the original may quote it
        raise ConfigError(
            f"{what} must be an RSA key in PEM without a password{hint and f', {hint}'}: "
            "-----BEGIN RSA PRIVATE KEY-----"
        )
    return key
