"""Derives the columns of a record from its type. No I/O, no SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from msgspec import UNSET, Struct, inspect


class Column(NamedTuple):
    """A column of a table, and the place of its value in a record.

    The fields of an object in the record are columns too, such as `owner_login`: `within` is
    then the object's own field. `kind`: the msgspec type of the values, without null.
    `required`: whether the column is never null.
    """

    name: str
    field: str
    within: str | None
    kind: inspect.Type
    required: bool

    @property
    def length(self) -> int | None:
        """The largest number of characters of a text; None for no limit."""
        return getattr(self.kind, "max_length", None)


def columns_of(record: type[Struct]) -> Iterator[Column]:
    """Yield the columns of the fields of `record`, in order; lists of objects have no column."""
    for field in _fields(record):
        kind = _without_null(field.type)
        if isinstance(kind, inspect.StructType):
            for each in _fields(kind.cls):
                inner = _without_null(each.type)
                yield Column(f"{field.name}_{each.name}", field.name, each.name, inner, False)
        elif not is_list_of_objects(kind):
            required = field.required and kind is field.type
            yield Column(field.name, field.name, None, kind, required)


def values_reader(columns: Sequence[Column]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that reads these columns from a record; UNSET stays UNSET.

    It reads all attributes of a record at once, in a third of the time.
    """
    fields = [column.field for column in columns]
    # For a single name, attrgetter returns no tuple.
    attributes = attrgetter(*fields) if fields[1:] else lambda it: (getattr(it, fields[0]),)
    nested = [(at, column.within) for at, column in enumerate(columns) if column.within]
    lists = [
        at for at, column in enumerate(columns) if isinstance(column.kind, inspect.VarTupleType)
    ]

    def read(record: Any) -> tuple[Any, ...]:
        values = list(attributes(record))
        for at, within in nested:
            found = values[at]
            values[at] = found if found is UNSET or found is None else getattr(found, within)
        for at in lists:
            if isinstance(values[at], tuple):
                values[at] = list(values[at])
        return tuple(values)

    return read


def is_list_of_objects(kind: inspect.Type) -> bool:
    """Return whether a field is a list of records."""
    return isinstance(kind, inspect.VarTupleType) and isinstance(kind.item_type, inspect.StructType)


def _fields(record: type[Any]) -> tuple[inspect.Field, ...]:
    told = inspect.type_info(record)
    return told.fields if isinstance(told, inspect.StructType) else ()


def _without_null(kind: inspect.Type) -> inspect.Type:
    if not isinstance(kind, inspect.UnionType):
        return kind
    return next(each for each in kind.types if not isinstance(each, inspect.NoneType))
