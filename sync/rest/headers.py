"""Checks of header names and values before anything is sent. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sync.core.errors import ConfigError
from sync.core.redaction import protect_short_lived

# RFC 9110, 5.6.2: the name of a header, a cookie (RFC 6265) or an authentication scheme.
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_SECRET_HEADER = re.compile(r"(?i)auth|token|key|secret|cookie|password")


def validate_headers(
    headers: Mapping[str, str], mask: Callable[[str], None] = protect_short_lived
) -> Mapping[str, str]:
    """Return `headers`, or raise ConfigError, which never shows a value.

    Values that look like credentials are masked in logs from now on, by `mask`.
    """
    pairs: list[tuple[object, object]] = list(headers.items())
    for name, value in pairs:
        if not isinstance(name, str) or not TOKEN.fullmatch(name):
            raise ConfigError("a header's name must be made of letters, digits and hyphens")
        if not isinstance(value, str):
            raise ConfigError(f"the header {name} must be text, not {type(value).__name__}")
        if not _HEADER_VALUE.fullmatch(value) or value != value.strip():
            raise ConfigError(f"the header {name} contains a line break or a control character")
        if _SECRET_HEADER.search(name):
            mask(value)
            mask(value.rpartition(" ")[2])  # the token alone too, after "Bearer "
    return headers
