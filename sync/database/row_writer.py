"""Writes the figures of a repository, within a transaction: only rows that differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Delete, Select, and_, bindparam, delete, func, select

from sync.database.dialects import Dialect
from sync.database.run_reader import RunReader
from sync.database.run_transaction import RunTransaction
from sync.database.tables import BY_DAY, ROWS, repositories, repository_metrics
from sync.resources.figures import Merge, RowTable

Key = tuple[Any, ...]
Values = tuple[Any, ...]


def write_rows(
    transaction: RunTransaction,
    declared: RowTable,
    repository_id: int,
    rows: Sequence[Struct],
    today: date,
) -> int:
    """Merge `rows` of a repository with the stored ones; return the number of rows written.

    `today`: the day of a set.
    """
    told = _by_key(declared, rows)
    if declared.merge is Merge.SET:
        return _write_set(transaction, declared, repository_id, told, today)
    if not told:
        return 0
    at = declared.key.index(declared.day)
    days = [key[at] for key in told]
    span = {"first": min(days), "last": max(days)}
    stored = _stored(transaction, declared, repository_id, _of_days(declared), span)
    if declared.merge is Merge.LARGER:
        told = {key: _larger(values, stored.get(key)) for key, values in told.items()}
    zero = (0,) * len(declared.fields)
    gone = [key for key, values in told.items() if values == zero and key in stored]
    changed = {k: v for k, v in told.items() if v not in (stored.get(k), zero)}
    for key in gone:
        named = dict(zip(declared.key, key, strict=True))
        _delete(transaction, repository_id, _deletion(declared, declared.key), named)
    _upsert(transaction, declared, repository_id, changed)
    return len(gone) + len(changed)


def note_reading(
    transaction: RunTransaction, declared: RowTable, repository_id: int, today: date
) -> None:
    """Note that a repository was read today; days in a row are one row of `declared`."""
    days = {"today": today, "yesterday": today - timedelta(days=1)}
    stored = _stored(transaction, declared, repository_id, _going_on(declared), days)
    spans = dict.fromkeys(stored, (today,)) or {(today,): (today,)}
    _upsert(transaction, declared, repository_id, spans)


def total(reader: RunReader, declared: RowTable, column: str, repository_id: int) -> int:
    """Return the sum of a column over all rows of a repository."""
    mine = {"host": reader.host, "repository_id": repository_id}
    return int(reader.connection.execute(_sum(declared, column), mine).scalar_one())


def count_of_day(transaction: RunTransaction, column: str, repository_id: int, value: int) -> int:
    """Write a counter of a repository that no listing tells, if it is not the last stored one.

    It is a column of `repository_metrics`. A row made for it has the other counters as stored.
    Returns the number of rows written.
    """
    days = repository_metrics.c
    mine = and_(days.host == transaction.host, days.repository_id == repository_id)
    last = select(days[column]).where(mine, days[column].is_not(None)).order_by(days.day.desc())
    if transaction.connection.execute(last.limit(1)).scalar() == value:
        return 0
    known = repositories.c
    stored = select(*(known[name] for name in BY_DAY)).where(
        known.host == transaction.host, known.id == repository_id
    )
    key = ("host", "repository_id", "day")
    others = transaction.connection.execute(stored).one()
    row = (transaction.host, repository_id, transaction.now.date(), *others, value)
    statement = transaction.dialect.upsert(
        repository_metrics.name, key, (*key, *BY_DAY, column), (column,)
    )
    transaction.dialect.send(
        transaction.connection, statement, [tuple(map(transaction.dialect.adapt, row))]
    )
    return 1


def _write_set(
    transaction: RunTransaction,
    declared: RowTable,
    repository_id: int,
    told: Mapping[Key, Values],
    today: date,
) -> int:
    """Store a set for today if it is not the stored one.

    Without `gone_as_zero`, an empty set has no row that says since when: it is for the caller to
    know whether the set has changed, and today's own set alone is looked at.
    """
    told = {(today, *key[1:]): values for key, values in told.items()}
    if declared.gone_as_zero:
        stored = _last_set(transaction, declared, repository_id, until=today)
    else:
        span = {"first": today, "last": today}
        stored = _stored(transaction, declared, repository_id, _of_days(declared), span)
    zero = (0,) * len(declared.fields)
    if _of_set(told) == {k: v for k, v in _of_set(stored).items() if v != zero}:
        return 0
    if declared.gone_as_zero:
        before = _last_set(transaction, declared, repository_id, until=today - timedelta(days=1))
        held = {(today, *key[1:]) for key, values in before.items() if values != zero}
        told |= dict.fromkeys(held - told.keys(), zero)
    this_day = {declared.day: today}
    _delete(transaction, repository_id, _deletion(declared, (declared.day,)), this_day)
    _upsert(transaction, declared, repository_id, told)
    return max(len(told), 1)


def _last_set(
    reader: RunReader, declared: RowTable, repository_id: int, *, until: date
) -> dict[Key, Values]:
    return _stored(reader, declared, repository_id, _of_last_set(declared), {"until": until})


def _of_set(rows: Mapping[Key, Values]) -> dict[Key, Values]:
    return {key[1:]: values for key, values in rows.items()}


def _by_key(declared: RowTable, rows: Sequence[Struct]) -> dict[Key, Values]:
    """Return the values of rows by key; of two with the same key, merged."""
    found: dict[Key, Values] = {}
    for row in rows:
        key = tuple(getattr(row, name) for name in declared.key)
        values = tuple(getattr(row, name) for name in declared.fields)
        if declared.merge is Merge.LARGER:
            values = _larger(values, found.get(key))
        found[key] = values
    return found


def _larger(values: Values, others: Values | None) -> Values:
    return values if others is None else tuple(map(max, values, others))


def _stored(
    reader: RunReader,
    declared: RowTable,
    repository_id: int,
    statement: Select[Any],
    named: Mapping[str, date],
) -> dict[Key, Values]:
    width = len(declared.key)
    asked = {"host": reader.host, "repository_id": repository_id, **named}
    rows = reader.connection.execute(statement, asked)
    return {tuple(row[:width]): tuple(row[width:]) for row in rows}


def _delete(
    transaction: RunTransaction, repository_id: int, statement: Delete, named: Mapping[str, Any]
) -> None:
    mine = {"host": transaction.host, "repository_id": repository_id}
    transaction.connection.execute(statement, {**mine, **named})


def _upsert(
    transaction: RunTransaction, declared: RowTable, repository_id: int, rows: Mapping[Key, Values]
) -> None:
    if not rows:
        return
    adapt = transaction.dialect.adapt
    stamps = (adapt(transaction.now),) * len(declared.stamps)
    found = [
        (transaction.host, repository_id, *map(adapt, at), *map(adapt, values), *stamps)
        for at, values in sorted(rows.items())
    ]
    statement = _insertion(transaction.dialect, declared)
    transaction.dialect.send(transaction.connection, statement, found)


# Statements, each built once: that takes as long as executing it


@cache
def _of_days(declared: RowTable) -> Select[Any]:
    """Return the rows from `first` to `last`."""
    day = ROWS[declared].c[declared.day]
    return _rows(declared).where(day.between(bindparam("first"), bindparam("last")))


@cache
def _going_on(declared: RowTable) -> Select[Any]:
    """Return the rows of spans that lasted until `yesterday` or `today`."""
    table = ROWS[declared]
    first, last = table.c[declared.key[0]], table.c[declared.fields[0]]
    recent = last.between(bindparam("yesterday"), bindparam("today"))
    return _rows(declared).where(first <= bindparam("today"), recent)


@cache
def _of_last_set(declared: RowTable) -> Select[Any]:
    """Return the newest rows, not newer than `until`."""
    day = ROWS[declared].c[declared.day]
    last = select(func.max(day)).where(_mine(declared), day <= bindparam("until"))
    return _rows(declared).where(day == last.scalar_subquery())


@cache
def _sum(declared: RowTable, column: str) -> Select[Any]:
    return select(func.coalesce(func.sum(ROWS[declared].c[column]), 0)).where(_mine(declared))


@cache
def _deletion(declared: RowTable, names: tuple[str, ...]) -> Delete:
    """Return the deletion of rows in which the columns `names` have given values."""
    table = ROWS[declared]
    given = ("host", "repository_id", *names)
    return delete(table).where(*(table.c[name] == bindparam(name) for name in given))


@cache
def _insertion(dialect: Dialect, declared: RowTable) -> str:
    key = ("host", "repository_id", *declared.key)
    names = (*key, *declared.fields, *declared.stamps)
    changing = [name for name in names if name not in (*key, "first_seen_at")]
    return dialect.upsert(declared.name, key, names, changing)


def _rows(declared: RowTable) -> Select[Any]:
    table = ROWS[declared]
    columns = [table.c[name] for name in (*declared.key, *declared.fields)]
    return select(*columns).where(_mine(declared))


def _mine(declared: RowTable) -> ColumnElement[bool]:
    table = ROWS[declared].c
    return and_(table.host == bindparam("host"), table.repository_id == bindparam("repository_id"))
