"""Writes the figures of a repository, within a transaction: only rows that differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, and_, delete, func, select

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
    span = ROWS[declared].c[declared.day].between(min(days), max(days))
    stored = _stored(transaction, declared, repository_id, span)
    if declared.merge is Merge.LARGER:
        told = {key: _larger(values, stored.get(key)) for key, values in told.items()}
    zero = (0,) * len(declared.fields)
    gone = [key for key, values in told.items() if values == zero and key in stored]
    changed = {k: v for k, v in told.items() if v not in (stored.get(k), zero)}
    for key in gone:
        _delete(transaction, declared, repository_id, _is(declared, key))
    _upsert(transaction, declared, repository_id, changed)
    return len(gone) + len(changed)


def note_reading(
    transaction: RunTransaction, declared: RowTable, repository_id: int, today: date
) -> None:
    """Note that a repository was read today; days in a row are one row of `declared`."""
    day, first, last = timedelta(days=1), declared.key[0], declared.fields[0]
    table = ROWS[declared]
    since = and_(table.c[first] <= today, table.c[last].between(today - day, today))
    stored = _stored(transaction, declared, repository_id, since)
    spans = dict.fromkeys(stored, (today,)) or {(today,): (today,)}
    _upsert(transaction, declared, repository_id, spans)


def total(reader: RunReader, declared: RowTable, column: str, repository_id: int) -> int:
    """Return the sum of a column over all rows of a repository."""
    table = ROWS[declared]
    mine = and_(table.c.host == reader.host, table.c.repository_id == repository_id)
    asked = select(func.coalesce(func.sum(table.c[column]), 0)).where(mine)
    return int(reader.connection.execute(asked).scalar_one())


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
        day = ROWS[declared].c[declared.day]
        stored = _stored(transaction, declared, repository_id, day == today)
    zero = (0,) * len(declared.fields)
    if _of_set(told) == {k: v for k, v in _of_set(stored).items() if v != zero}:
        return 0
    if declared.gone_as_zero:
        before = _last_set(transaction, declared, repository_id, until=today - timedelta(days=1))
        held = {(today, *key[1:]) for key, values in before.items() if values != zero}
        told |= dict.fromkeys(held - told.keys(), zero)
    _delete(transaction, declared, repository_id, ROWS[declared].c[declared.day] == today)
    _upsert(transaction, declared, repository_id, told)
    return max(len(told), 1)


def _last_set(
    reader: RunReader, declared: RowTable, repository_id: int, *, until: date
) -> dict[Key, Values]:
    table = ROWS[declared]
    day = table.c[declared.day]
    mine = and_(table.c.host == reader.host, table.c.repository_id == repository_id)
    last = select(func.max(day)).where(mine, day <= until).scalar_subquery()
    return _stored(reader, declared, repository_id, day == last)


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
    reader: RunReader, declared: RowTable, repository_id: int, which: ColumnElement[bool]
) -> dict[Key, Values]:
    table, width = ROWS[declared], len(declared.key)
    columns = [table.c[name] for name in (*declared.key, *declared.fields)]
    mine = and_(table.c.host == reader.host, table.c.repository_id == repository_id)
    rows = reader.connection.execute(select(*columns).where(mine, which))
    return {tuple(row[:width]): tuple(row[width:]) for row in rows}


def _is(declared: RowTable, key: Key) -> ColumnElement[bool]:
    table = ROWS[declared]
    return and_(*(table.c[name] == value for name, value in zip(declared.key, key, strict=True)))


def _delete(
    transaction: RunTransaction, declared: RowTable, repository_id: int, which: ColumnElement[bool]
) -> None:
    table = ROWS[declared]
    mine = and_(table.c.host == transaction.host, table.c.repository_id == repository_id)
    transaction.connection.execute(delete(table).where(mine, which))


def _upsert(
    transaction: RunTransaction, declared: RowTable, repository_id: int, rows: Mapping[Key, Values]
) -> None:
    if not rows:
        return
    adapt, now = transaction.dialect.adapt, transaction.now
    owner = ("host", "repository_id")
    key = (*owner, *declared.key)
    names = (*key, *declared.fields, *declared.stamps)
    changing = [name for name in names if name not in (*key, "first_seen_at")]
    statement = transaction.dialect.upsert(declared.name, key, names, changing)
    stamps = (now,) * len(declared.stamps)
    found = [
        tuple(map(adapt, (transaction.host, repository_id, *at, *values, *stamps)))
        for at, values in sorted(rows.items())
    ]
    transaction.dialect.send(transaction.connection, statement, found)
