"""Repositories as of a past time: the stored rows, with every later change undone.

It merges two sorted streams, so that memory does not grow with the ledger: the
repositories, each with its counters of that time, and their later changes.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, time
from functools import partial
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Connection, Select, and_, func, not_, or_, select

from sync.database.changelog import ACCOUNT, from_text
from sync.database.dialects import Dialect
from sync.database.filters import REPOSITORY_COLUMNS
from sync.database.tables import (
    CONTENT,
    COUNTERS,
    UPDATED,
    account_repositories,
    repositories,
    repository_changes,
    repository_metrics,
)

Row = dict[str, Any]
Key = tuple[str, int]
Connect = Callable[[], AbstractContextManager[Connection]]

_UNDONE = (*CONTENT, "removed_at", "removal_reason")


def repositories_as_of(
    connect: Connect,
    dialect: Dialect,
    moment: datetime,
    now: datetime,
    *,
    account: str | None = None,
    ever: bool = False,
) -> Iterator[Row]:
    """Yield the repositories known at `moment` as they were then, with `REPOSITORY_COLUMNS`.

    In the order of host and id. `account`: only repositories that it listed then, or, with
    `ever`, before. Fields redacted since stay redacted. Counters are those at the end of the
    day. `changed_at` is None if it is later than `moment`. Rows dated later than `now` were
    written while the clock was ahead, and count as today's.
    """
    until = now if moment >= datetime.combine(now, time.min, UTC) else None
    # Two connections, since a MySQL connection carries one stream. The repositories first: a
    # change written in between is then undone without having been read, which is harmless. In the
    # other order it would be read and not undone.
    with (
        connect() as first,
        _streamed(first, _present(dialect, moment, until, account)) as present,
        connect() as second,
        _streamed(second, _changes_since(dialect, moment, until, account)) as changes,
    ):
        earlier = _oldest(changes)
        upcoming = next(earlier, None)
        for stored in present:
            row = dict(stored._mapping)
            key = row["host"], row["id"]
            while upcoming is not None and upcoming[0] < key:  # a repository without a row
                upcoming = next(earlier, None)
            before = upcoming[1] if upcoming is not None and upcoming[0] == key else {}
            listed = row.pop("gone_at", None) is None
            if ACCOUNT in before:
                listed = before.pop(ACCOUNT) is not None
            if listed or ever:
                yield _undone(row, before, moment)


def in_order(
    rows: Iterable[Row], orders: Sequence[tuple[str, bool]], *, limit: int | None
) -> Iterator[Row]:
    """Yield rows sorted by columns, null last, then by id.

    `orders`: columns, each with whether the largest comes first. Sorted by one of them, at most
    `limit` rows are in memory.
    """
    if len(orders) != 1:
        found = sorted(rows, key=lambda row: row["id"])
        for name, falls in reversed(orders):  # each sort keeps the order of what is equal
            found.sort(key=partial(_place, name, falls), reverse=falls)
        yield from islice(found, limit)
        return
    ((column, descending),) = orders

    def rising(row: Row) -> Any:
        return row[column] is None, row[column], row["id"]

    def falling(row: Row) -> Any:
        return row[column] is not None, row[column], -row["id"]

    if limit is None:
        yield from sorted(rows, key=falling if descending else rising, reverse=descending)
    elif descending:
        yield from heapq.nlargest(limit, rows, key=falling)
    else:
        yield from heapq.nsmallest(limit, rows, key=rising)


def _place(column: str, falls: bool, row: Row) -> Any:
    return (row[column] is None) != falls, row[column]


def _undone(row: Row, before: dict[str, str | None], moment: datetime) -> Row:
    row.update({field: from_text(field, text) for field, text in before.items()})
    if row["changed_at"] > moment:
        row["changed_at"] = None
    return row


def _oldest(changes: Iterable[Any]) -> Iterator[tuple[Key, dict[str, str | None]]]:
    """Yield each repository that has changed, with the first old value of each field."""
    for key, group in groupby(changes, key=lambda change: (change.host, change.repository_id)):
        before: dict[str, str | None] = {}
        for change in group:
            before.setdefault(change.field, change.old_value)
        yield key, before


def _streamed(connection: Connection, statement: Select[Any]) -> Any:
    return connection.execution_options(yield_per=500).execute(statement)


def _present(
    dialect: Dialect, moment: datetime, until: datetime | None, account: str | None
) -> Select[Any]:
    """Return a query for the repositories known at `moment`, with their counters of that day.

    `until` is now if `moment` is today: then the counters are the newest ones.
    """
    table, counted = repositories.c, repository_metrics.c
    if until is None:
        counters = and_(
            counted.host == table.host,
            counted.repository_id == table.id,
            counted.day == _day(moment),
        )
        by_day: dict[str, Any] = {name: counted[name] for name in COUNTERS}
        # Null in metrics from before this column was kept by the day: then the row's own value.
        by_day[UPDATED] = func.coalesce(counted[UPDATED], table[UPDATED]).label(UPDATED)
        shown = [by_day.get(name, table[name]) for name in REPOSITORY_COLUMNS]
        statement = select(*shown).outerjoin_from(repositories, repository_metrics, counters)
    else:
        statement = select(*(table[name] for name in REPOSITORY_COLUMNS))
    statement = statement.where(_was(table.first_seen_at, moment, until)).order_by(
        dialect.in_code_point_order(table.host), table.id
    )
    if account is None:
        return statement
    # Also repositories that the account no longer lists: undoing a change may bring them back.
    member = account_repositories.c
    return statement.add_columns(member.gone_at).join(
        account_repositories,
        and_(
            member.account == account,
            member.host == table.host,
            member.repository_id == table.id,
            _was(member.first_seen_at, moment, until),
        ),
    )


def _day(moment: datetime) -> Any:
    """Return the last day until `moment` with counters of a repository."""
    earlier = repository_metrics.alias("earlier").c
    return (
        select(func.max(earlier.day))
        .where(
            earlier.host == repositories.c.host,
            earlier.repository_id == repositories.c.id,
            earlier.day <= moment.astimezone(UTC).date(),
        )
        .correlate(repositories)
        .scalar_subquery()
    )


def _was(column: Any, moment: datetime, until: datetime | None) -> Any:
    """Return the condition that a time in `column` had come at `moment`."""
    return column <= moment if until is None else or_(column <= moment, column > until)


def _changes_since(
    dialect: Dialect, moment: datetime, until: datetime | None, account: str | None
) -> Select[Any]:
    log = repository_changes.c
    about: Any = log.field.in_(_UNDONE)
    if account is not None:
        joined_or_left = or_(log.old_value == account, log.new_value == account)
        about = or_(about, and_(log.field == ACCOUNT, joined_or_left))
    return (
        select(log.host, log.repository_id, log.field, log.old_value)
        .where(
            not_(_was(log.observed_at, moment, until)),
            about,
            # Both null: the change was redacted, and its old value is lost.
            or_(log.old_value.is_not(None), log.new_value.is_not(None)),
        )
        # By id, not by time: the clock may have been set back in between.
        .order_by(dialect.in_code_point_order(log.host), log.repository_id, log.id)
    )
