"""Repositories as they were: what is stored now, with every change since then undone.

Two streams in one order, so that a ledger of any length needs little memory:
the repositories, each with the counters of the last day that tells of them, and
what has changed in them since.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from sync.database.dialects import Dialect
from sync.database.filters import REPOSITORY_COLUMNS
from sync.database.logged import ACCOUNT, from_text
from sync.database.tables import (
    CONTENT,
    COUNTERS,
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
    *,
    account: str | None = None,
    ever: bool = False,
) -> Iterator[Row]:
    """Yield the repositories known at `moment` as they were then, `REPOSITORY_COLUMNS` of each.

    In the order of host and id. With `account`, only those that it listed then, or
    `ever` had. A field that was redacted since is as it was redacted. Counters are
    those of the day's end; `changed_at` is None if it is later.
    """
    # Two connections, since one of MySQL's carries one stream. The repositories first: a change
    # that comes in between is undone though its effect was not seen, which does no harm; the other
    # way round, its effect would be seen and nothing would undo it.
    with (
        connect() as first,
        _streamed(first, _present(dialect, moment, account)) as present,
        connect() as second,
        _streamed(second, _changes_since(dialect, moment, account)) as changes,
    ):
        earlier = _oldest(changes)
        upcoming = next(earlier, None)
        for stored in present:
            row = dict(stored._mapping)
            key = row["host"], row["id"]
            while upcoming is not None and upcoming[0] < key:  # of one that is not known here
                upcoming = next(earlier, None)
            before = upcoming[1] if upcoming is not None and upcoming[0] == key else {}
            listed = row.pop("gone_at", None) is None
            if ACCOUNT in before:
                listed = before.pop(ACCOUNT) is not None
            if listed or ever:
                yield _undone(row, before, moment)


def in_order(
    rows: Iterable[Row], column: str, *, descending: bool, limit: int | None
) -> Iterator[Row]:
    """Yield rows by a column, unknown values last, then by id; holds no more than `limit`."""

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


def _present(dialect: Dialect, moment: datetime, account: str | None) -> Select[Any]:
    """Return what is stored of the repositories known at `moment`, with the counters of then."""
    table, counted = repositories.c, repository_metrics.c
    counters = and_(
        counted.host == table.host, counted.repository_id == table.id, counted.day == _day(moment)
    )
    shown = [counted[name] if name in COUNTERS else table[name] for name in REPOSITORY_COLUMNS]
    statement = (
        select(*shown)
        .select_from(repositories.outerjoin(repository_metrics, counters))
        .where(table.first_seen_at <= moment)
        .order_by(dialect.in_code_point_order(table.host), table.id)
    )
    if account is None:
        return statement
    # Also of what it lists no longer: that may have been undone.
    member = account_repositories.c
    return statement.add_columns(member.gone_at).join(
        account_repositories,
        and_(
            member.account == account,
            member.host == table.host,
            member.repository_id == table.id,
            member.first_seen_at <= moment,
        ),
    )


def _day(moment: datetime) -> Any:
    """Return the last day that tells of a repository's counters, of those until `moment`."""
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


def _changes_since(dialect: Dialect, moment: datetime, account: str | None) -> Select[Any]:
    log = repository_changes.c
    about: Any = log.field.in_(_UNDONE)
    if account is not None:
        joined_or_left = or_(log.old_value == account, log.new_value == account)
        about = or_(about, and_(log.field == ACCOUNT, joined_or_left))
    return (
        select(log.host, log.repository_id, log.field, log.old_value)
        .where(
            log.observed_at > moment,
            about,
            # Redacted, which says nothing of what was there.
            or_(log.old_value.is_not(None), log.new_value.is_not(None)),
        )
        # By number, not by time: a clock may have been set back in between.
        .order_by(dialect.in_code_point_order(log.host), log.repository_id, log.id)
    )
