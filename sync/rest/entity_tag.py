"""Entity tags (ETags): labels of versions, by which a server tells whether a page has changed.

No I/O here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sync.core.redaction import holds_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

# RFC 9110, 8.8.3, ASCII only.
_ENTITY_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,250}"')
_TWICE = re.compile(r"(.+), \1")


def entity_tag(headers: Mapping[str, str]) -> str | None:
    """Return the answer's ETag; None if there is none, or it cannot be stored and sent back."""
    tag = said_once(headers.get("ETag", ""))
    return tag if is_entity_tag(tag) else None


def is_entity_tag(text: str) -> bool:
    """Tell whether `text` is an entity tag, at most 255 characters long, with no secret in it."""
    return _ENTITY_TAG.fullmatch(text) is not None and not holds_secret(text)


def said_once(text: str) -> str:
    """Return a header's value once, even if a gateway has doubled it."""
    twice = _TWICE.fullmatch(text)
    return twice[1] if twice else text
