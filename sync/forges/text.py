"""Replaces characters that databases cannot store. No I/O here.

PostgreSQL refuses U+0000, and no database driver can encode half of a surrogate pair. JSON
allows both as escapes. Each becomes U+FFFD, for every database alike, so that a ledger can
be copied to another one.
"""

from __future__ import annotations

import re

_REPLACEMENT = rb"\ufffd"
# One escape at a time, so that an escaped backslash before "u0000" is not taken for a NUL.
_ESCAPE = re.compile(
    rb"\\u[dD][89aAbB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole pair
    rb"|\\u0000|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"  # a NUL or half a pair
    rb"|\\."
)
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def replace_unstorable(body: bytes) -> tuple[bytes, int]:
    """Return the JSON text `body` with unstorable characters replaced, and how many there were."""
    replaced = 0
    try:
        body.decode()
    except UnicodeDecodeError:
        text = body.decode("utf-8", "replace")
        replaced = text.count("\ufffd") - body.count(b"\xef\xbf\xbd")
        body = text.encode()
    if not _SUSPECT.search(body):
        return body, replaced

    def mend(match: re.Match[bytes]) -> bytes:
        nonlocal replaced
        escape = match[0]
        if len(escape) == 6 and escape[1:2] == b"u":
            replaced += 1
            return _REPLACEMENT
        return escape

    return _ESCAPE.sub(mend, body), replaced
