"""Parquet files. Each column has one type, which is that of its values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import Any, BinaryIO

from sync.cli.cells import in_utc
from sync.core.extras import needed_for

_AT_ONCE = 10_000  # rows that are in memory as Python's values
_LARGEST = 2**63


class Kind(StrEnum):
    """The kind of a column's values; `nothing` if none of them is known."""

    nothing = "nothing"
    boolean = "boolean"
    integer = "integer"
    number = "number"
    time = "time"
    day = "day"
    binary = "binary"
    texts = "texts"
    text = "text"


def require() -> None:
    """Raise ConfigError if the library that writes Parquet is missing."""
    with needed_for("a Parquet file", "pyarrow"):
        import pyarrow.parquet  # noqa: F401


def write(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], stream: BinaryIO) -> None:
    """Write `columns` of each row. Times are in UTC; an unknown value is null."""
    import pyarrow
    import pyarrow.parquet

    remaining = iter(rows)
    kinds = dict.fromkeys(columns, Kind.nothing)
    parts: list[dict[str, Any]] = []
    while some := list(islice(remaining, _AT_ONCE)):
        part = {}
        for column in columns:
            values = [row[column] for row in some]
            kind = kind_of(values)
            kinds[column] = together(kinds[column], kind)
            part[column] = _array(values, kind)
        parts.append(part)
    schema = pyarrow.schema([(column, _type(kind)) for column, kind in kinds.items()])
    with pyarrow.parquet.ParquetWriter(stream, schema, compression="zstd") as file:
        while parts:
            part = parts.pop(0)
            arrays = [_as_kind(part[column], kinds[column]) for column in columns]
            file.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))


def kind_of(values: Iterable[Any]) -> Kind:
    """Return the kind that holds all of these values without a loss."""
    kind = Kind.nothing
    for value in values:
        kind = together(kind, _kind_of_one(value))
    return kind


def together(one: Kind, other: Kind) -> Kind:
    """Return the kind that holds the values of two kinds."""
    if Kind.nothing in (one, other) or one is other:
        return other if one is Kind.nothing else one
    return Kind.number if {one, other} == {Kind.integer, Kind.number} else Kind.text


def _kind_of_one(value: Any) -> Kind:
    if value is None:
        return Kind.nothing
    if isinstance(value, bool):
        return Kind.boolean
    if isinstance(value, Decimal):
        value = int(value) if value.is_finite() and value == value.to_integral() else float(value)
    if isinstance(value, int):
        return Kind.integer if -_LARGEST <= value < _LARGEST else Kind.text
    return next((kind for type_, kind in _KINDS.items() if isinstance(value, type_)), Kind.text)


# A time is also a day, so it comes first.
_KINDS: dict[type, Kind] = {
    float: Kind.number,
    datetime: Kind.time,
    date: Kind.day,
    bytes: Kind.binary,
    list: Kind.texts,
    tuple: Kind.texts,
}
_MADE: dict[Kind, Callable[[Any], Any]] = {
    Kind.nothing: lambda _: None,
    Kind.boolean: bool,
    Kind.integer: int,
    Kind.number: float,
    Kind.time: in_utc,
    Kind.day: lambda day: day,
    Kind.binary: bytes,
    Kind.texts: lambda items: [_text(item) for item in items],
}


def _array(values: Sequence[Any], kind: Kind) -> Any:
    import pyarrow

    made: Callable[[Any], Any] = _MADE.get(kind, _text)
    found = [None if value is None else made(value) for value in values]
    return pyarrow.array(found, type=_type(kind))


def _as_kind(array: Any, kind: Kind) -> Any:
    return array if array.type == _type(kind) else _array(array.to_pylist(), kind)


def _type(kind: Kind) -> Any:
    import pyarrow

    types = {
        Kind.boolean: pyarrow.bool_(),
        Kind.integer: pyarrow.int64(),
        Kind.number: pyarrow.float64(),
        Kind.time: pyarrow.timestamp("us", tz="UTC"),
        Kind.day: pyarrow.date32(),
        Kind.binary: pyarrow.binary(),
        Kind.texts: pyarrow.list_(pyarrow.string()),
    }
    return types.get(kind, pyarrow.string())


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        value = in_utc(value).isoformat()
    return str(value).encode(errors="backslashreplace").decode()
