"""Reads objects with invalid optional values: those become null, the rest is kept.

No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

import msgspec
from msgspec import Raw, Struct

_fields = msgspec.json.Decoder(dict[str, Raw])
_elements = msgspec.json.Decoder(list[Raw])
# The errors of msgspec for a value of another type, for an invalid time, and for deep nesting.
_ODD = (msgspec.DecodeError, OverflowError, RecursionError, ValueError)
_WORDS = {
    datetime: "a time",
    bool: "true or false",
    int: "a whole number in range",
    str: "a text that fits",
    tuple: "a list of texts",
}


def without_oddities(raw: bytes, kind: type[Struct]) -> tuple[bytes, tuple[str, ...]]:
    """Return the JSON object `raw` with null in place of odd values, and a warning for each.

    A value is odd if it is not of its field's type in `kind`, or cannot be stored, and the
    field may be null. Raises the errors of msgspec if `raw` is not an object.
    """
    warnings: list[str] = []
    return msgspec.json.encode(_mended_object(raw, kind, "", warnings)), tuple(warnings)


def _mended_object(
    raw: bytes | Raw, kind: type[Struct], path: str, warnings: list[str]
) -> dict[str, Any]:
    told: dict[str, Any] = _fields.decode(raw)
    for field in msgspec.structs.fields(kind):
        may_be_null = NoneType in get_args(field.type)
        if field.name in told and may_be_null:
            told[field.name] = _mended(told[field.name], field.type, path + field.name, warnings)
        elif may_be_null and field.required:
            told[field.name] = None
            warnings.append(f"{path}{field.name} is missing; stored as null")
    return told


def _mended(value: Raw, kind: Any, path: str, warnings: list[str]) -> Any:
    """Return the parts of `value` that are of its `kind`; None if there are none."""
    if _fits(value, kind):
        return value
    meant, of = next(_meant(kind))
    try:
        if issubclass(meant, Struct):
            return _mended_object(value, meant, f"{path}.", warnings)
        if meant is tuple:
            kept = [each for each in _elements.decode(value) if _fits(each, of)]
            if _fits(msgspec.json.encode(kept), kind):
                warnings.append(f"{path} contains items that are not text; left out")
                return kept
    except _ODD:
        pass
    warnings.append(f"{path} is not {_WORDS.get(meant, 'an object')}; stored as null")
    return None


def _fits(value: bytes | Raw, kind: Any) -> bool:
    try:
        read = _decoder(kind).decode(value)
        if isinstance(read, datetime):
            read.astimezone(UTC)
    except _ODD:
        return False
    return True


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _meant(kind: Any) -> Iterator[tuple[type, Any]]:
    """Yield the types of a union, without constraints, each with the type of its elements."""
    for each in get_args(kind):
        bare = get_args(each)[0] if get_origin(each) is Annotated else each
        yield get_origin(bare) or bare, next(iter(get_args(bare)), None)
