"""A repository's counters day by day: the queries of `Ledger.history`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Select, select

from sync.database.changelog import from_text
from sync.database.tables import COUNTERS, repositories, repository_changes, repository_metrics
from sync.database.writes import filled_forward

Row = Mapping[str, Any]
Ask = Callable[[Select[Any]], Iterator[Row]]


def counters_of(
    ask: Ask, key: tuple[str, int], removed_on: date | None, today: date, span: tuple[date, date]
) -> Iterator[Row]:
    """Yield the counters of the repository with this `key` for each day of a `span`."""
    since, until = span[0], min(span[1], today)
    rows = list(ask(_days(key)))
    if rows and rows[-1]["day"] > today:  # written while the clock was ahead
        rows = [row for row in rows if row["day"] < today]
        rows += [{"day": today, **row} for row in ask(_present(key))]
    if removed_on is not None:
        until = min(until, max([removed_on, *(row["day"] for row in rows)]))
    absences = [
        (from_text("removed_at", row["old_value"]).date(), row["observed_at"].date())
        for row in ask(_returns(key))
    ]
    return filled_forward(rows, since, until, absences)


def _days(key: tuple[str, int]) -> Select[Any]:
    days = repository_metrics.c
    counters = (days[name] for name in COUNTERS)
    mine = days.host == key[0], days.repository_id == key[1]
    return select(days.day, *counters).where(*mine).order_by(days.day)


def _present(key: tuple[str, int]) -> Select[Any]:
    stored = repositories.c
    counters = (stored[name] for name in COUNTERS)
    return select(*counters).where(stored.host == key[0], stored.id == key[1])


def _returns(key: tuple[str, int]) -> Select[Any]:
    """Return a query for the times of the repository's removals and returns."""
    log = repository_changes.c
    return select(log.old_value, log.observed_at).where(
        log.host == key[0],
        log.repository_id == key[1],
        log.field == "removed_at",
        log.old_value.is_not(None),
        log.new_value.is_(None),
    )
