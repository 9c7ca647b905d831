"""Reads what happened in a period from a ledger."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, islice
from operator import itemgetter

from sync.database.happened import (
    SUMMED,
    Scope,
    changes_in,
    names_of,
    releases_in,
    renamed_after,
    sums_in,
)
from sync.database.queries import Ledger
from sync.events.event import COUNTER_KINDS, Event, EventKind, wanted
from sync.events.from_figures import Rest, Sum, event_of, largest, releases_of, sums_of
from sync.events.from_log import Key, events_of

_NOISE = {EventKind.pushed: "pushed_at", EventKind.updated: "updated_at"}
_FIRST_DAY = date(1970, 1, 1)
_AT_ONCE = 500  # ids in one query


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The time whose events are wanted; None has no end, or no begin."""

    since: datetime | None = None
    until: datetime | None = None

    def days(self, today: date) -> tuple[date, date]:
        """Return its first and last whole day in UTC, up to today; at least one day.

        Counters are known by the day: seven days until now are today and the six before.
        """
        last = today if self.until is None else min(self.until.astimezone(UTC).date(), today)
        if self.since is None:
            return _FIRST_DAY, last
        begin = self.since.astimezone(UTC)
        first = begin.date() if begin.time() == time() else begin.date() + timedelta(days=1)
        return min(first, last), last


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which events are wanted: of which time, repositories and kinds."""

    period: Period = field(default_factory=Period)
    scope: Scope = field(default_factory=Scope)
    kinds: frozenset[EventKind] = field(default_factory=lambda: wanted(()))


def events_in(ledger: Ledger, wish: Wish) -> Iterator[Event]:
    """Yield the events of a period, the newest first, without the sums of counters."""
    since, until = wish.period.since, wish.period.until
    log = _kinds_of_log(wish.kinds)
    streams: list[Iterable[Event]] = []
    if log:
        without = [name for kind, name in _NOISE.items() if kind not in wish.kinds]
        changes = changes_in(ledger.dialect, wish.scope, since, until, without=without)
        streams.append(events_of(ledger.rows(changes), _names_at(ledger, until)))
    for kind, gone in ((EventKind.released, False), (EventKind.unreleased, True)):
        if kind in wish.kinds:
            statement = releases_in(ledger.dialect, wish.scope, since, until, gone=gone)
            streams.append(releases_of(ledger.rows(statement)))
    merged = heapq.merge(*streams, key=lambda event: event.observed_at, reverse=True)
    return (event for event in merged if event.kind in wish.kinds)


def sums_over(
    ledger: Ledger, wish: Wish, today: date, limit: int | None = None
) -> tuple[list[Event], list[Rest]]:
    """Return the sums of counters over a period: stars, then forks; the most gained first.

    Of each counter the `limit` largest, and what the others have in sum.
    """
    columns = [name for name in SUMMED if COUNTER_KINDS[name] in wish.kinds]
    if not columns:
        return [], []
    first, last = wish.period.days(today)
    since = None if wish.period.since is None else first
    with ledger.tuples(sums_in(ledger.dialect, wish.scope, first, last)) as rows:
        found = sums_of(rows, SUMMED, columns, since)
    sums: list[Sum] = []
    rests: list[Rest] = []
    for column in COUNTER_KINDS:
        kept, rest = largest(found.get(column, ()), limit)
        sums += kept
        rests += [rest] if rest else []
    names = names_for(ledger, {(each.host, each.repository_id) for each in sums})
    known = ((each, names.get((each.host, each.repository_id))) for each in sums)
    return [event_of(each, *name) for each, name in known if name], rests


def names_for(ledger: Ledger, keys: Collection[Key]) -> dict[Key, tuple[str, str | None]]:
    """Return the name and the address of each repository of `keys` that is stored."""
    found: dict[Key, tuple[str, str | None]] = {}
    for host, theirs in groupby(sorted(keys), key=itemgetter(0)):
        while some := [id_ for _, id_ in islice(theirs, _AT_ONCE)]:
            with ledger.tuples(names_of(host, some)) as rows:
                found |= {(host, id_): (name, url) for id_, name, url in rows}
    return found


def _kinds_of_log(kinds: Collection[EventKind]) -> set[EventKind]:
    others = {*COUNTER_KINDS.values(), EventKind.released, EventKind.unreleased}
    return set(kinds) - others


def _names_at(ledger: Ledger, until: datetime | None) -> dict[Key, str]:
    """Return what repositories were called at a time, of those that were renamed since."""
    names: dict[Key, str] = {}
    if until is not None:
        for row in ledger.rows(renamed_after(until)):
            names.setdefault((row["host"], row["repository_id"]), row["old_value"])
    return names
