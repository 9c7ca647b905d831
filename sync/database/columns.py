"""Makes the columns and tables of a resource."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import inspect
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    MetaData,
    String,
    Table,
)

from sync.database.types import Document, LongText, UtcDateTime
from sync.resources.figures import RowTable
from sync.resources.repositories import REPOSITORIES
from sync.resources.resource import Resource

_WIDTHS = (64, 255, 512)  # characters, for texts with a maximum length
_TYPES: dict[type[inspect.Type], Any] = {
    inspect.BoolType: Boolean,
    inspect.IntType: BigInteger,
    inspect.DateTimeType: UtcDateTime,
    inspect.DateType: Date,
    inspect.VarTupleType: Document,
}


def columns(
    resource: Resource, names: Iterable[str], *, clearable: bool = False
) -> Iterator[Column[Any]]:
    """Yield columns with these names, nullable where a record may leave the field out.

    `clearable`: also nullable where redaction clears the column.
    """
    for name in names:
        column = resource.columns[name]
        required = column.required and not (clearable and name in resource.private)
        yield Column(name, _type(column.kind, column.length), nullable=not required)


def child_table(resource: Resource, metadata: MetaData) -> Table:
    """Make the table of a resource of repositories."""
    parents = resource.parents
    others = [name for name in resource.columns if name not in resource.key]
    return Table(
        resource.table,
        metadata,
        Column("host", String(255), primary_key=True),
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        *(Column(parent.item_id, BigInteger, nullable=False) for parent in parents),
        *columns(resource, others, clearable=True),
        *(() if resource.within else (Column("payload", LongText),)),
        Column("first_seen_at", UtcDateTime, nullable=False),
        *(() if resource.within else (Column("changed_at", UtcDateTime, nullable=False),)),
        Column("removed_at", UtcDateTime),
        *(_reference(parent, parent.item_id) for parent in parents),
        *(Index(f"ix_{resource.table}_{p.item}", "host", p.item_id) for p in parents),
    )


def row_table(declared: RowTable, metadata: MetaData) -> Table:
    """Make a table of rows of repositories."""
    told = [(each, _type(each.kind, each.length)) for each in declared.columns.values()]
    return Table(
        declared.name,
        metadata,
        Column("host", String(255), primary_key=True),
        Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
        *(
            Column(each.name, kind, primary_key=True, autoincrement=False)
            for each, kind in told
            if each.name in declared.key
        ),
        *(
            Column(each.name, kind, nullable=not each.required)
            for each, kind in told
            if each.name not in declared.key
        ),
        *(Column(name, UtcDateTime, nullable=False) for name in declared.stamps),
        _reference(REPOSITORIES, "repository_id"),
        sqlite_with_rowid=False,
    )


def counter_table(resource: Resource, metadata: MetaData, *others: Column[Any] | Index) -> Table:
    """Make the table of a resource's counters: a row for each day on which they changed.

    `others`: columns that the resource's records do not have, and indexes.
    """
    return Table(
        str(resource.metrics),
        metadata,
        Column("host", String(255), primary_key=True),
        Column(resource.item_id, BigInteger, primary_key=True, autoincrement=False),
        Column("day", Date, primary_key=True),
        *columns(resource, resource.by_day),
        *others,
        _reference(resource, resource.item_id),
        sqlite_with_rowid=False,
    )


def _reference(to: Resource, name: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["host", name], [f"{to.table}.host", f"{to.table}.id"])


def _type(kind: inspect.Type, length: int | None) -> Any:
    if not isinstance(kind, inspect.StrType):
        return _TYPES[type(kind)]
    return LongText if length is None else String(next(w for w in _WIDTHS if w >= length))
