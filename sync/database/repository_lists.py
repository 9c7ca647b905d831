"""Lists of repositories, now or at an earlier time: what is asked, and how it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select

from sync.database.as_of import in_order, repositories_as_of
from sync.database.figures_by_day import figures_now
from sync.database.filters import NamePattern, RepositoryFilter
from sync.database.gains import GAINS, counters_on, gains_since, with_gains
from sync.database.listed import Order, gains_of_largest, present
from sync.database.names import spelling_of

if TYPE_CHECKING:
    from sync.database.queries import Ledger

Row = Mapping[str, Any]
_AT_ONCE = 500  # repositories that are looked at first


def listed_by(
    ledger: Ledger,
    now: datetime,
    *,
    account: str | None = None,
    host: str | None = None,
    names: Sequence[str] = (),
    as_of: datetime | None = None,
    sort: str = "full_name",
    descending: bool = False,
    then: Sequence[Order] = (),
    limit: int | None = None,
    figures: bool = False,
    gained_since: date | None = None,
    **wanted: Any,
) -> Iterator[Row]:
    """Yield repositories, `REPOSITORY_COLUMNS` of each, unknown values last.

    With `figures`, also `FIGURES`; not with `as_of`. With `gained_since`, also `GAINS` since
    the end of that day. `sort` can be one of them; `then` are further orders.

    What is shown of them is what `RepositoryFilter` says of `wanted`; with `account`, only
    what that lists, or listed, of the removed. With `as_of`, all of it is as it was at that
    time. Raises NoSuchHost and NoSuchRepository, which is about the form of `names`.
    """
    asked = filter_of(ledger, host=host, names=names, **wanted)
    orders = ((sort, descending), *then)
    if as_of is not None:
        past = repositories_as_of(
            ledger.connect,
            ledger.dialect,
            as_of,
            now,
            account=account,
            ever=asked.removed,
        )
        if gained_since is not None:
            with ledger.connect() as connection:
                past = with_gains(past, counters_on(connection, gained_since))
        yield from in_order(filter(asked.matches, past), orders, limit=limit)
        return
    more = figures_now(now.date()) if figures else {}
    more |= gains_since(gained_since) if gained_since else {}
    least: dict[str, int] = {}
    if descending and limit is not None and sort in GAINS and gained_since and not asked.words:
        least = _at_least(ledger, asked, account, sort, more[sort], limit)
    statement = present(ledger.dialect, asked, account, orders, more=more, at_least=least)
    if asked.words:
        yield from _found_by_words(ledger, statement, asked, limit)
    else:
        yield from ledger.rows(statement.limit(limit))


def filter_of(
    ledger: Ledger, *, host: str | None = None, names: Sequence[str] = (), **wanted: Any
) -> RepositoryFilter:
    """Return which repositories are meant. Raises what `listed_by` does."""
    return RepositoryFilter(
        host=None if host is None else ledger.host_called(host),
        names=tuple(pattern_of(ledger, name) for name in names),
        **wanted,
    )


def _at_least(
    ledger: Ledger, asked: RepositoryFilter, account: str | None, gain: str, column: Any, limit: int
) -> dict[str, int]:
    """Return the counter that a repository needs to be among the first by its gain.

    Nobody gains more than they have. So the gains of the largest leave few that come into
    question, and those of all others are not looked up.
    """
    counter, size = GAINS[gain], max(limit, _AT_ONCE)
    of_largest = gains_of_largest(ledger.dialect, asked, account, counter, column, size)
    with ledger.connect() as connection:
        gains = [each for each in connection.execute(of_largest).scalars() if each is not None]
    gains.sort(reverse=True)
    return {counter: gains[limit - 1]} if len(gains) >= limit and gains[limit - 1] > 0 else {}


def _found_by_words(
    ledger: Ledger, statement: Select[Any], asked: RepositoryFilter, limit: int | None
) -> Iterator[Row]:
    """Yield at most `limit` rows that have the words; the database tells some too many.

    It is asked for few at first: to sort all rows takes it long.
    """
    if limit is None:
        yield from filter(asked.has_words, ledger.rows(statement))
        return
    size = limit + _AT_ONCE
    while True:
        rows = list(ledger.rows(statement.limit(size)))
        found = list(filter(asked.has_words, rows))
        if len(found) >= limit or len(rows) < size:
            yield from found[:limit]
            return
        size *= 10


def pattern_of(ledger: Ledger, name: str) -> NamePattern:
    """Return what a name or a pattern means. Raises NoSuchHost and NoSuchRepository."""
    typed = spelling_of(name)
    return NamePattern(typed.full_name, typed.host and ledger.host_called(typed.host))
