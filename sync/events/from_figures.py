"""Turns sums of counters, and releases, into events. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, time
from typing import Any

from sync.events.event import COUNTER_KINDS, Event, EventKind

Row = Mapping[str, Any]


def sums_of(rows: Iterable[Row]) -> Iterator[Event]:
    """Yield an event for each counter that is not what it was before a period.

    A row is a repository, with `old` and `new`, the counters by name before and after; with
    `since`, the first day that counts, and `last_day`, that of the last change.
    """
    for row in rows:
        for column, kind in COUNTER_KINDS.items():
            old, new = row["old"].get(column), row["new"].get(column)
            if None in (old, new) or old == new:
                continue
            yield Event(
                observed_at=datetime.combine(row["last_day"], time.min, UTC),
                kind=kind,
                host=row["host"],
                repository_id=row["repository_id"],
                full_name_then=row["full_name"],
                full_name=row["full_name"],
                html_url=row["html_url"],
                fields={column: (old, new)},
                since=row["since"],
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
