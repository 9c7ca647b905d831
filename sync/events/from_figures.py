"""Turns sums of counters, and releases, into events. No I/O here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from heapq import nlargest
from typing import Any, NamedTuple

from sync.events.event import COUNTER_KINDS, Event, EventKind

Row = Mapping[str, Any]


class Sum(NamedTuple):
    """A repository whose counter is not what it was before a period that begins with `since`."""

    column: str
    host: str
    repository_id: int
    old: int
    new: int
    since: date
    last_day: date  # of a change

    @property
    def gained(self) -> int:
        return self.new - self.old


class Rest(NamedTuple):
    """Repositories whose sums are not told one by one: their number, and what they gained."""

    kind: EventKind
    repositories: int
    gained: int
    lost: int


def sums_of(
    rows: Iterable[Sequence[Any]],
    columns: Sequence[str],
    wanted: Collection[str],
    since: date | None,
) -> dict[str, list[Sum]]:
    """Return what changed, by counter.

    A row: host, id of the repository, first and last day of a change, then `columns` before, then
    `columns` after. `since`: the first day that counts; None for each repository's own.
    """
    places = [(c, 4 + at, 4 + at + len(columns)) for at, c in enumerate(columns) if c in wanted]
    found: dict[str, list[Sum]] = {column: [] for column, *_ in places}
    for row in rows:
        for column, before, after in places:
            old, new = row[before], row[after]
            if old != new and old is not None and new is not None:
                host, id_, first, last = row[:4]
                found[column].append(Sum(column, host, id_, old, new, since or first, last))
    return found


def largest(sums: Sequence[Sum], limit: int | None) -> tuple[list[Sum], Rest | None]:
    """Return the sums in order, the most gained first, and the rest beyond `limit`.

    The largest differences stay, whether gained or lost.
    """
    kept = list(sums) if limit is None else nlargest(limit, sums, key=lambda each: abs(each.gained))
    kept.sort(key=lambda each: (-each.gained, each.repository_id))
    if len(kept) == len(sums):
        return kept, None
    gained = sum(each.gained for each in sums if each.gained > 0)
    lost = sum(-each.gained for each in sums if each.gained < 0)
    gained -= sum(each.gained for each in kept if each.gained > 0)
    lost -= sum(-each.gained for each in kept if each.gained < 0)
    kind = COUNTER_KINDS[sums[0].column]
    return kept, Rest(kind, len(sums) - len(kept), gained, lost)


def event_of(counted: Sum, full_name: str, html_url: str | None) -> Event:
    """Return the event of a sum."""
    return Event(
        observed_at=datetime.combine(counted.last_day, time.min, UTC),
        kind=COUNTER_KINDS[counted.column],
        host=counted.host,
        repository_id=counted.repository_id,
        full_name_then=full_name,
        full_name=full_name,
        html_url=html_url,
        fields={counted.column: (counted.old, counted.new)},
        since=counted.since,
    )


def releases_of(rows: Iterable[Row]) -> Iterator[Event]:
    """Yield the events of rows of `releases`, each with its repository's names.

    `happened_at` is when it was published, or when it was no longer there: then `gone` is true.
    """
    for row in rows:
        gone, tag = row["gone"], row["tag_name"]
        names = {"tag_name": tag, "name": row["name"], "prerelease": row["prerelease"]}
        yield Event(
            observed_at=row["happened_at"],
            kind=EventKind.unreleased if gone else EventKind.released,
            host=row["host"],
            repository_id=row["repository_id"],
            full_name_then=row["full_name"],
            full_name=row["full_name"],
            html_url=row["html_url"],
            fields={
                field: (value, None) if gone else (None, value)
                for field, value in names.items()
                if value is not None
            },
        )
