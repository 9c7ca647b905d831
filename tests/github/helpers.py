"""Repository objects as bytes, and what becomes of them."""

from __future__ import annotations

import json
from typing import Any

from msgspec import UNSET

from tests.support.inside.github import Item, Rejected, decode_item

MISSING = UNSET
BASE: dict[str, Any] = {"id": 1, "name": "one", "full_name": "octo/one", "private": False}


def raw(**fields: Any) -> bytes:
    merged = {name: value for name, value in {**BASE, **fields}.items() if value is not MISSING}
    return json.dumps(merged).encode()


def accepted(body: bytes) -> Item:
    item = decode_item(body)
    assert isinstance(item, Item), item
    return item


def rejected(body: bytes, position: int = 0) -> Rejected:
    item = decode_item(body, position)
    assert isinstance(item, Rejected), item
    return item
