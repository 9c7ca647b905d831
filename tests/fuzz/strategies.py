"""Values near those that GitHub sends, and odd ones: as Python objects and as JSON text."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.support.database import repository
from tests.support.inside.resources import Repository

ANY_CHARACTER = st.characters(codec=None, categories=None)  # halves of surrogate pairs too
ODD = (
    *("", " ", "\0", "a\0b", "\ud83d", "\udc00x", "\x1b[31m", "\u202egnp.exe", "\u2066", "\ufeff"),
    *("مرحبا", "e\u0301", "😀", "\U0010ffff", "x" * 300, "ä" * 70_000, "true", "null", "=1+1"),
    *("temp_clone_token", '"', "\\", "%s %(x)s", ":x", "';--", "octo/one", "a/b/c", " octo/one "),
)
TIMES = (
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999Z"),
    *("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-12:00", "2020-02-30T00:00:00Z"),
    *("2020-01-01T00:00:00+05:30", "2020-01-01T00:00:00.123456789Z", "2016-12-31T23:59:60Z"),
    *(
        "2020-01-01",
        "2020-01-01T00:00:00",
        "yesterday",
        "0999-12-31T23:59:59Z",
        "1500-06-07T08:09:10Z",
    ),
)
TEXT = st.text(ANY_CHARACTER, max_size=40) | st.sampled_from(ODD)
NUMBERS = st.integers() | st.sampled_from(
    [0, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**400]
)
SCALARS = st.none() | st.booleans() | NUMBERS | st.floats(allow_nan=True) | TEXT
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            TEXT | st.sampled_from(["id", "login", "temp_clone_token"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from([*Repository.__struct_fields__, "temp_clone_token", "parent", "unknown"])

# What is right for a field, so that most of an object is; else hardly any would be an item.
_GOOD: dict[str, st.SearchStrategy[Any]] = {
    "id": st.integers(1, 2**63 - 1),
    "description": TEXT,
    "topics": st.lists(st.text(ANY_CHARACTER, max_size=255), max_size=5),
    "owner": st.none()
    | st.fixed_dictionaries({"id": st.integers(1, 2**63 - 1), "login": st.just("o")}),
    "license": st.none() | st.fixed_dictionaries({"spdx_id": st.none() | st.text(max_size=255)}),
    "size": st.none() | st.integers(0, 2**63 - 1),
    "stargazers_count": st.integers(0, 2**63 - 1),
    "created_at": st.none()
    | st.sampled_from(TIMES)
    | st.datetimes(timezones=st.timezones()).map(str),
    "full_name": st.text(ANY_CHARACTER, min_size=1, max_size=511),
    "name": st.text(ANY_CHARACTER, min_size=1, max_size=255),
    "private": st.booleans(),
    "archived": st.none() | st.booleans(),
    "parent": JSON,
}


@st.composite
def near_repositories(draw: st.DrawFn) -> dict[str, Any]:
    """Return an object like a repository: some fields others, one or none wrong, some left out."""
    good = draw(st.lists(st.sampled_from(list(_GOOD)), max_size=4, unique=True))
    fields = repository() | {name: draw(_GOOD[name]) for name in good}
    fields["id"] = draw(st.integers(1, 12) | _GOOD["id"])
    if draw(st.integers(0, 2)) == 0:
        fields[draw(FIELDS)] = draw(JSON)
    required = {"id", "name", "full_name", "private"}
    for name in draw(st.lists(FIELDS, max_size=3)):
        if name not in required or draw(st.integers(0, 5)) == 0:
            fields.pop(name, None)
    return fields


@st.composite
def json_bytes(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> bytes:
    """Return JSON as a careless server writes it: escaped or not, keys in any order, or twice."""
    value = draw(values)
    if isinstance(value, dict):
        pairs = draw(st.permutations(list(value.items())))
        twice = draw(st.lists(st.tuples(FIELDS, JSON), max_size=2))
        return _object([*twice, *pairs], ascii_only=draw(st.booleans()))
    return _encoded(value, ascii_only=draw(st.booleans()))


def _object(pairs: list[tuple[str, Any]], *, ascii_only: bool) -> bytes:
    texts = (
        _encoded(name, ascii_only=ascii_only) + b":" + _encoded(value, ascii_only=ascii_only)
        for name, value in pairs
    )
    return b"{" + b",".join(texts) + b"}"


def _encoded(value: Any, *, ascii_only: bool) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


OBJECTS = json_bytes(near_repositories())
PAGES = st.lists(OBJECTS, max_size=4).map(lambda raws: b"[" + b",".join(raws) + b"]")
