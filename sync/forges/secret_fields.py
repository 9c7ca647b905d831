"""Removes fields with credentials from a forge's objects, before anything is stored.

No I/O here.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

_ESCAPED = re.compile(rb"\\u00[2-7]")  # any character of a name, escaped


class SecretFields:
    """Names, in any case, of fields that may hold a credential. Never stored, never logged."""

    def __init__(self, *names: str) -> None:
        self._names = frozenset(name.lower() for name in names)
        self._plain = tuple(name.encode() for name in self._names)

    def removed_from(self, raw: bytes) -> bytes:
        """Return the JSON object `raw` without these fields, also in nested objects.

        It is encoded again if it may contain one; of a name that occurs twice in an object,
        the last value stays. Raises the errors of msgspec if it cannot be decoded.
        """
        if not self._may_be_in(raw):
            return raw
        return msgspec.json.encode(self._stripped(msgspec.json.decode(raw)))

    def _may_be_in(self, raw: bytes) -> bool:
        # The quick checks come first: most objects have no escapes.
        lower = raw.lower()
        return any(name in lower for name in self._plain) or (
            b"\\" in raw and bool(self._plain) and _ESCAPED.search(raw) is not None
        )

    def _stripped(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {k: self._stripped(v) for k, v in value.items() if k.lower() not in self._names}
        if isinstance(value, list):
            return [self._stripped(v) for v in value]
        return value
