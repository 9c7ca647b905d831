"""The ten most frequent referrers and paths of a repository's last 14 days.

GitHub counts them anew once a day, and tells neither days nor the smaller ones.
https://docs.github.com/rest/metrics/traffic
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Raw, Struct

from sync.resources.fields import Addend, Count
from sync.resources.figures import Answer, Asked, Figures, Merge, Oddity, RowTable, Told
from sync.resources.resource import Due, Endpoint
from sync.resources.traffic import TRAFFIC, TRAFFIC_WINDOWS, TrafficWindow, lost_when


class Referrer(Struct, frozen=True, kw_only=True):
    """A site whose links led to the repository in the 14 days before `read_on`."""

    read_on: date
    position: Count
    referrer: str
    count: Addend
    uniques: Addend


class Path(Struct, frozen=True, kw_only=True):
    """A page of the repository that was viewed in the 14 days before `read_on`."""

    read_on: date
    position: Count
    path: str
    title: str | None = None
    count: Addend
    uniques: Addend


TRAFFIC_REFERRERS = RowTable(
    name="traffic_referrers",
    record=Referrer,
    key=("read_on", "position"),
    merge=Merge.SET,
    private=("referrer",),
)
TRAFFIC_PATHS = RowTable(
    name="traffic_paths",
    record=Path,
    key=("read_on", "position"),
    merge=Merge.SET,
    private=("path", "title"),
)
_TABLES = {"referrers": TRAFFIC_REFERRERS, "paths": TRAFFIC_PATHS}
_list_decoder = msgspec.json.Decoder(list[Raw])


def _read(answers: Sequence[Answer], asked: Asked) -> Told:
    """Return the sets in answers, and which set holds on this day."""
    rows: dict[RowTable, list[Any]] = {TRAFFIC_WINDOWS: []}
    memory: dict[str, Any] = dict(asked.memory)
    oddities: list[Oddity] = []
    today = asked.now.date()
    for part, body, _ in answers:
        if body is not None:
            found, odd = _set(part, _list_decoder.decode(body), today)
            oddities += odd
            told = msgspec.json.encode(
                [[getattr(row, name) for name in _TABLES[part].fields] for row in found]
            )
            digest = blake2b(told, digest_size=8).hexdigest()
            if digest != memory.get(part):
                memory |= {part: digest, f"{part}_on": today.isoformat()}
                rows[_TABLES[part]] = found
        rows[TRAFFIC_WINDOWS].append(
            TrafficWindow(
                kind=part,
                read_on=today,
                newest_day=date.fromisoformat(memory[f"{part}_on"]),
                read_at=asked.now,
            )
        )
    return Told(rows, memory, lost_at=lost_when(today), oddities=tuple(oddities))


def _set(part: str, items: Sequence[Raw], today: date) -> tuple[list[Any], list[Oddity]]:
    """Return the rows of a list, and the items that cannot be read."""
    record, rows, oddities = _TABLES[part].record, [], []
    for position, raw in enumerate(items, start=1):
        try:
            told = msgspec.json.decode(raw, type=dict[str, Any])
            known = {k: told[k] for k in _TABLES[part].fields if k in told}
            rows.append(msgspec.convert({**known, "read_on": today, "position": position}, record))
        except (msgspec.DecodeError, OverflowError, RecursionError, ValueError) as error:
            payload = bytes(raw).decode("utf-8", "replace")
            oddities.append(Oddity(f"{part}: {str(error)[:200]}", payload))
    return rows, oddities


TRAFFIC_POPULAR = Figures(
    name="traffic_popular",
    tables=(TRAFFIC_REFERRERS, TRAFFIC_PATHS, TRAFFIC_WINDOWS),
    due=Due(
        every=timedelta(days=1),
        lost_after=timedelta(days=14),
        needs_push=True,
        # Without views in 14 days, both lists are empty.
        active_by=(TRAFFIC.name, "viewed"),
    ),
    endpoints=(
        Endpoint(part="referrers", path="/repositories/{id}/traffic/popular/referrers"),
        Endpoint(part="paths", path="/repositories/{id}/traffic/popular/paths"),
    ),
    needs="administration: read",
    read=_read,
)
