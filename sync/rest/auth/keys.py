"""Reads private keys, as files have them or as people paste them. No I/O here."""

from __future__ import annotations

import re
from base64 import b64decode
from contextlib import suppress
from textwrap import wrap
from typing import Any

from sync.core.errors import ConfigError
from sync.core.redaction import protect

_BLOCK = re.compile(
    r"-----BEGIN (?P<kind>[A-Z0-9 ]{1,40})-----(?P<body>.*?)-----END (?P=kind)-----", re.DOTALL
)
_HEADERS = re.compile(r"\A\s*(?:[A-Za-z-]+: [^\n]*\n)+")  # of an encrypted key
_BREAK = re.compile(r"(?:\\+[rn])+")  # a line break written as \n or \\n
_PASTED = re.compile(r"[\w+/=\\-]{16,}")  # a line of a key; a shorter text may be a word
_RSA = bytes.fromhex("2a864886f70d010101")  # the algorithm's id in PKCS #8


def rsa_private_key(pem: object, what: str, hint: str = "") -> Any:
    """Return the private key in `pem`, as cryptography reads it. Raises ConfigError.

    Quotes around the key, line breaks written as `\\n` or lost, and Base64 around the whole
    are accepted: variables and secret stores keep keys like that.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key: object = None
    text = as_pem(pem) if isinstance(pem, str) else ""
    if isinstance(pem, str):
        # Only the key and its lines are secret: other text is ordinary words.
        lines = (line for line in (*pem.split(), *text.split()) if _PASTED.fullmatch(line))
        protect(pem.strip(), text.strip(), *lines)
        with suppress(ValueError, TypeError, UnsupportedAlgorithm):
            key = load_pem_private_key(text.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):  # outside of the handler: the error may quote the key
        raise ConfigError(
            f"{what} must be an RSA key in PEM without a password{hint and f', {hint}'}: "
            f"-----BEGIN RSA PRIVATE KEY-----; {_instead(text, key)}"
        )
    return key


def as_pem(text: str) -> str:
    """Return the key in `text` as a PEM file has it; without a key, `text` unchanged."""
    for reading in (_BREAK.sub("\n", text), _from_base64(text)):
        blocks = list(_BLOCK.finditer(reading))
        if blocks:
            # A certificate or parameters may stand before the key.
            chosen = next((m for m in blocks if m["kind"].endswith("PRIVATE KEY")), blocks[0])
            return _block(chosen["kind"], chosen["body"])
    return text


def _block(kind: str, body: str) -> str:
    headers = _HEADERS.match(body)
    told, rest = (headers[0].strip() + "\n\n", body[headers.end() :]) if headers else ("", body)
    lines = "\n".join(wrap("".join(rest.split()), 64))
    return f"-----BEGIN {kind}-----\n{told}{lines}\n-----END {kind}-----\n"


def _from_base64(text: str) -> str:
    """Return the PEM whose Base64 is `text`, with or without its first and last line."""
    plain = "".join(_BREAK.sub("", text).split()).strip("\"'").rstrip("=")
    try:
        data = b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:  # also for letters outside of ASCII
        return ""
    if not data.startswith(b"0\x82"):
        return _BREAK.sub("\n", data.decode("latin-1"))
    kind = "PRIVATE KEY" if _RSA in data[:32] else "RSA PRIVATE KEY"
    return _block(kind, plain + "=" * (-len(plain) % 4))


def _instead(text: str, key: object) -> str:
    """Return the reason why `text` is not a usable key, for people."""
    if key is not None:
        return "this is a key of another kind"
    if "ENCRYPTED" in text:
        return "this key has a password; remove it with openssl pkey -in FILE -out NEW"
    block = _BLOCK.search(text)
    if block is None:
        if "-----BEGIN " in text:
            return "the end of this key is missing"
        path = len(text.split()) == 1 and text.strip().endswith((".pem", ".key"))
        return "this is the name of a file" if path else "this is not a key"
    if block["kind"].endswith("PRIVATE KEY"):
        return "this key is damaged" if "SSH" not in block["kind"] else "this key is for SSH"
    return f"this is a {block['kind'].lower()}"
