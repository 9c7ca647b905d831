"""Reads objects with invalid optional values: those become null, the rest is kept.

Of objects in a list within, one that cannot be read is left out. No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from types import NoneType
from typing import Annotated, Any, NamedTuple, get_args, get_origin

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


class LeftOut(NamedTuple):
    """An object in a list that cannot be read: the field, the reason, and its JSON."""

    field: str
    reason: str
    raw: bytes


class Mended(NamedTuple):
    """A JSON object without odd values, a warning for each, and the objects left out of it."""

    raw: bytes
    warnings: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def without_oddities(raw: bytes, kind: type[Struct]) -> Mended:
    """Return the JSON object `raw` with null in place of odd values.

    A value is odd if it is not of its field's type in `kind`, or cannot be stored, and the
    field may be null. In a list of objects this holds for each of them; one that cannot be read
    even so is left out. Raises the errors of msgspec if `raw` is not an object.
    """
    warnings: list[str] = []
    left_out: list[LeftOut] = []
    told = _mended_object(raw, kind, "", warnings)
    for field in msgspec.structs.fields(kind):
        if field.name in told and (of := records_in(field.type)) is not None:
            elements = told[field.name]
            told[field.name] = _mended_list(field.name, elements, of, warnings, left_out)
    return Mended(msgspec.json.encode(told), tuple(warnings), tuple(left_out))


def _mended_list(
    name: str, value: Raw, kind: type[Struct], warnings: list[str], left_out: list[LeftOut]
) -> list[Raw]:
    kept: list[Raw] = []
    for at, element in enumerate(_elements.decode(value)):
        found: list[str] = []
        try:
            mended = Raw(msgspec.json.encode(_mended_object(element, kind, "", found)))
            _decoder(kind).decode(mended)
        except _ODD as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:300]
            left_out.append(LeftOut(name, reason, bytes(element)))
        else:
            kept.append(mended)
            warnings += [f"{name}[{at}].{warning}" for warning in found]
    return kept


def records_in(kind: Any) -> type[Struct] | None:
    """Return the record of which a field holds a list, if it does."""
    of = next(iter(get_args(kind)), None) if get_origin(kind) is tuple else None
    return of if isinstance(of, type) and issubclass(of, Struct) else None


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
