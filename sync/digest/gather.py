"""Reads a digest from a ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from heapq import nlargest, nsmallest
from typing import NamedTuple

from sync.database.digest_queries import count_present, keys_in, quiet_in
from sync.database.happened import SUMMED, Scope, sums_in
from sync.database.period_sums import (
    TwoTimes,
    downloads_in,
    downloads_read_since,
    traffic_in,
    traffic_read_since,
)
from sync.database.queries import Ledger
from sync.digest.digest import Counted, CounterGrowth, Digest, Growth, Quiet, Section
from sync.events.event import Event, EventKind
from sync.events.from_figures import sums_of
from sync.events.read import Period, Wish, events_in, names_for

Key = tuple[str, int]
_SHOWN = 10  # repositories of a counter
_MOST = 25  # events of a section
_DAY = timedelta(days=1)
_QUIET = timedelta(days=365)
_SECTIONS: Mapping[str, tuple[EventKind, ...]] = {
    "Released": (EventKind.released,),
    "New": (EventKind.created, EventKind.restored, EventKind.public),
    "Went private": (EventKind.private, EventKind.redacted),
    "Gone": (EventKind.removed, EventKind.left, EventKind.unreleased),
    "Renamed or transferred": (EventKind.renamed, EventKind.transferred),
    "Archived": (EventKind.archived, EventKind.unarchived),
    "Changed": (EventKind.license, EventKind.default_branch),
}


class _Gained(NamedTuple):
    """What a repository gained in the two times; `before` is None where that is not known."""

    now: int
    before: int | None
    total: int | None = None


def digest_of(
    ledger: Ledger, scope: Scope, since: datetime, until: datetime, needs: Sequence[str]
) -> Digest:
    """Return the digest of the repositories in `scope`.

    Counters are those of whole days in UTC: the first that begins at `since` or later, to that of
    `until`. The time before has as many days.
    """
    times = times_of(since, until)
    with ledger.tuples(count_present(ledger.dialect, scope)) as rows:
        ((number, stars, forks),) = rows
    totals = {Counted.stars: stars, Counted.forks: forks}
    gained = _gained(ledger, scope, times)
    shown = {key for each in gained.values() for key in _extremes(each)}
    names = names_for(ledger, shown)
    quiet = ledger.rows(quiet_in(ledger.dialect, scope, since - _QUIET, until - _QUIET))
    return Digest(
        since=since,
        until=until,
        days=(times.last - times.first).days + 1,
        repositories=number,
        growth=[
            _growth(counter, theirs, names, totals.get(counter))
            for counter, theirs in gained.items()
        ],
        sections=list(_sections(ledger, scope, since, until)),
        quiet=[Quiet(**row) for row in quiet],
        needs=needs,
    )


def times_of(since: datetime, until: datetime) -> TwoTimes:
    """Return the days of a time, and as many before; at least one day."""
    return TwoTimes(*Period(since=since).days(until.astimezone(UTC).date()))


def _gained(ledger: Ledger, scope: Scope, times: TwoTimes) -> dict[Counted, dict[Key, _Gained]]:
    """Return what each repository gained of each counter that anything is known of."""
    found = _listed(ledger, scope, times)
    within = _keys(ledger, scope)
    for counter, statement, first in (
        (Counted.views, traffic_in("views", times), traffic_read_since("views")),
        (Counted.clones, traffic_in("clones", times), traffic_read_since("clones")),
        (Counted.downloads, downloads_in(times), downloads_read_since()),
    ):
        with ledger.tuples(first) as rows:
            ((read_since,),) = rows
        if read_since is None:
            continue
        # Of the traffic of 14 days before the first reading all is known.
        known = read_since - timedelta(days=13 if counter is not Counted.downloads else 0)
        with ledger.tuples(statement) as rows:
            found[counter] = {
                (host, id_): _Gained(now or 0, (before or 0) if known <= times.before else None)
                for host, id_, now, before in rows
                if within is None or (host, id_) in within
            }
    return found


def _listed(ledger: Ledger, scope: Scope, times: TwoTimes) -> dict[Counted, dict[Key, _Gained]]:
    """Return what each repository gained of the counters that a listing tells."""
    columns = {"stargazers_count": Counted.stars, "forks_count": Counted.forks}
    both = []
    for first, last in ((times.first, times.last), (times.before, times.first - _DAY)):
        with ledger.tuples(sums_in(ledger.dialect, scope, first, last)) as rows:
            both.append(sums_of(rows, SUMMED, tuple(columns), first))
    first_sync = ledger.first_sync()
    is_known = first_sync is not None and first_sync.date() <= times.before
    now, before = both
    found: dict[Counted, dict[Key, _Gained]] = {}
    for column, counter in columns.items():
        earlier = {(each.host, each.repository_id): each.gained for each in before[column]}
        theirs = {
            (each.host, each.repository_id): _Gained(each.gained, None, each.new)
            for each in now[column]
        }
        found[counter] = {
            key: _Gained(
                theirs[key].now if key in theirs else 0,
                earlier.get(key, 0) if is_known else None,
                theirs[key].total if key in theirs else None,
            )
            for key in theirs | earlier
        }
    return found


def _keys(ledger: Ledger, scope: Scope) -> set[Key] | None:
    """Return the repositories in a scope; None for all."""
    if scope == Scope():
        return None
    with ledger.tuples(keys_in(ledger.dialect, scope)) as rows:
        return {(host, id_) for host, id_ in rows}


def _extremes(gained: Mapping[Key, _Gained]) -> list[Key]:
    most = nlargest(_SHOWN, (k for k in gained if gained[k].now > 0), key=lambda k: gained[k].now)
    least = nsmallest(_SHOWN, (k for k in gained if gained[k].now < 0), key=lambda k: gained[k].now)
    return [*most, *least]


def _growth(
    counter: Counted,
    gained: Mapping[Key, _Gained],
    names: Mapping[Key, tuple[str, str | None]],
    total: int | None,
) -> CounterGrowth:
    befores = [each.before for each in gained.values() if each.before is not None]
    known = len(befores) == len(gained) and bool(gained)
    listed = [
        Growth(
            full_name=names[key][0],
            html_url=names[key][1],
            gained=gained[key].now,
            before=gained[key].before,
            total=gained[key].total,
        )
        for key in _extremes(gained)
        if key in names
    ]
    return CounterGrowth(
        counter=counter,
        all=Growth(
            full_name="all repositories",
            gained=sum(each.now for each in gained.values()),
            before=sum(befores) if known else None,
            total=total,
        ),
        gained_most=[each for each in listed if each.gained > 0],
        lost_most=[each for each in listed if each.gained < 0],
        others=sum(1 for each in gained.values() if each.now) - len(listed),
    )


def _sections(ledger: Ledger, scope: Scope, since: datetime, until: datetime) -> Iterator[Section]:
    title_of = {kind: title for title, kinds in _SECTIONS.items() for kind in kinds}
    wish = Wish(period=Period(since=since, until=until), scope=scope, kinds=frozenset(title_of))
    found: dict[str, list[Event]] = {title: [] for title in _SECTIONS}
    others = dict.fromkeys(_SECTIONS, 0)
    for event in events_in(ledger, wish):
        title = title_of[event.kind]
        if len(found[title]) < _MOST:
            found[title].append(event)
        else:
            others[title] += 1
    for title, events in found.items():
        if events:
            yield Section(title=title, events=events, others=others[title])
