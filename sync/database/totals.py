"""A counter of many repositories, summed for each day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, case, func, select, tuple_

from sync.database.dialects import Dialect
from sync.database.filters import RepositoryFilter
from sync.database.listed import conditions_of
from sync.database.tables import repositories, repository_metrics

Ask = Callable[[Select[Any]], Iterator[Mapping[str, Any]]]
_DAY = timedelta(days=1)
_UNKNOWN = -1  # as a counter: there is a row, and no number in it
_FEW_DAYS = timedelta(days=90)
_NO_LIMIT = 2**62


class Total(NamedTuple):
    """A sum of a counter at the end of a day, of as many `repositories` as are known then.

    `of_new`: how much of it is of repositories that are first known on this day.
    """

    day: date
    value: int
    repositories: int
    of_new: int


class Summed(NamedTuple):
    """Which repositories are summed: those that there are, and that an account lists."""

    wanted: RepositoryFilter
    account: str | None = None

    @property
    def is_all(self) -> bool:
        return self.account is None and self.wanted == RepositoryFilter()

    def conditions(self, dialect: Dialect) -> list[Any]:
        return conditions_of(dialect, self.wanted, self.account)


def totals_in(
    ask: Ask, dialect: Dialect, summed: Summed, counter: str, span: tuple[date, date], today: date
) -> list[Total]:
    """Return the sums of a counter for each day of a `span`, from the first known one on.

    They are what `repositories` has now, without what was gained since: so the last one is what
    a list of these repositories shows.
    """
    (now,) = ask(_present(dialect, summed, counter))
    value, known, removed = (int(now[name] or 0) for name in ("value", "known", "removed"))
    since, until = span[0], min(span[1], today)
    gains: defaultdict[date, tuple[int, int, int]] = defaultdict(lambda: (0, 0, 0))
    for row in ask(_gains(dialect, summed, counter, since, today, removed=removed)):
        day = min(row["day"], today)  # later, if written while the clock was ahead
        told = (int(row[name] or 0) for name in ("gained", "known", "of_new"))
        gains[day] = tuple(a + b for a, b in zip(gains[day], told, strict=True))  # type: ignore[assignment]
    all_known = known == sum(each[1] for each in gains.values())
    first = min([until, *gains]) if all_known or since == date.min else since
    totals: list[Total] = []
    day = today
    while day >= max(since, first):
        gained, more, of_new = gains[day]
        if day <= until:
            totals.append(Total(day, value, known, of_new))
        value, known, day = value - gained, known - more, day - _DAY
    return [each for each in reversed(totals) if each.repositories > 0]


def _present(dialect: Dialect, summed: Summed, counter: str) -> Select[Any]:
    """Return a query for the sum as it is now, and how many repositories are removed."""
    table = repositories.c
    conditions = [] if summed.is_all else summed.conditions(dialect)
    counted = case((table.removed_at.is_(None), table[counter]))
    sums: tuple[Any, ...] = (
        func.sum(counted).label("value"),
        func.count(counted).label("known"),
        func.count(table.removed_at).label("removed"),
    )
    return select(*sums).where(*conditions)


def _gains(
    dialect: Dialect, summed: Summed, counter: str, since: date, today: date, *, removed: int
) -> Select[Any]:
    """Return a query for what each day after `since` adds to the sum, the day before deducted."""
    days = repository_metrics.c
    few = today - since <= _FEW_DAYS
    before = (_sought(counter) if few else _preceding(counter)).label("before")
    source = select(days.day, days[counter].label("now"), before).where(days.day > since)
    if not summed.is_all:
        source = source.join_from(repositories, repository_metrics, _its(days))
        source = source.where(*summed.conditions(dialect))
    elif removed:
        # No row of another repository is read, which is large.
        gone = select(repositories.c.host, repositories.c.id)
        gone = gone.where(repositories.c.removed_at.is_not(None))
        source = source.where(tuple_(days.host, days.repository_id).not_in(gone))
    if few:
        # The limit keeps SQLite from asking for `before` at each place where it is used.
        source = source.limit(_NO_LIMIT)
    each = source.subquery("each_day")
    now, old = each.c.now, func.nullif(each.c.before, _UNKNOWN)
    is_new = and_(now.is_not(None), old.is_(None))
    return select(
        each.c.day,
        func.sum(func.coalesce(now, 0) - func.coalesce(old, 0)).label("gained"),
        (func.count(now) - func.count(old)).label("known"),
        func.sum(case((is_new, now), else_=0)).label("of_new"),
    ).group_by(each.c.day)


def _sought(counter: str) -> Any:
    """Return a counter's value before a day, by a look-up: quick for few days."""
    days, earlier = repository_metrics.c, repository_metrics.alias("earlier").c
    return (
        select(func.coalesce(earlier[counter], _UNKNOWN))
        .where(earlier.host == days.host, earlier.repository_id == days.repository_id)
        .where(earlier.day < days.day)
        .order_by(earlier.day.desc())
        .limit(1)
        .scalar_subquery()
    )


def _preceding(counter: str) -> Any:
    """Return a counter's value before a day: of the row before, and looked up for the first one."""
    days = repository_metrics.c
    row_before = func.lag(func.coalesce(days[counter], _UNKNOWN)).over(
        partition_by=(days.host, days.repository_id), order_by=days.day
    )
    return func.coalesce(row_before, _sought(counter))


def _its(days: Any) -> Any:
    return and_(repositories.c.host == days.host, repositories.c.id == days.repository_id)
