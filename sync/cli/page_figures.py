"""The counters, traffic and releases of a page about a repository, as lines. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import zip_longest
from typing import Any

from rich.cells import cell_len, set_cell_size

from sync.charts.picture import changed
from sync.charts.spark import sparkline
from sync.cli.counters import COLUMNS, LABELS, Counter
from sync.core.redaction import printable
from sync.database.about import DAYS, TRAFFIC_DAYS, About

_COUNTERS = (Counter.stars, Counter.forks, Counter.issues, Counter.size)
_LABEL, _NUMBER = 14, 10  # columns
_SPANS = (7, DAYS)
_MOST = 5  # referrers, paths
_GAP = 4


def counter_lines(
    about: About, why: Mapping[str, str], width: int, *, plain: bool
) -> Iterator[str]:
    """Yield a line for each counter: its value, what it gained, and its last 30 days."""
    room = width - _LABEL - 3 * _NUMBER - 2
    heads = ("now", *(f"{days} days" for days in _SPANS))
    yield f"{'':{_LABEL}}" + "".join(f"{head:>{_NUMBER}}" for head in heads)
    for counter in _COUNTERS:
        values = {row["day"]: row[COLUMNS[counter]] for row in about.days}
        yield _counter(LABELS[counter], values, about.row[COLUMNS[counter]], room, plain=plain)
    if about.watchers:
        told = {row["day"]: row["subscribers_count"] for row in about.watchers}
        yield _counter("watchers", told, list(told.values())[-1], room, plain=plain)
    else:
        yield f"{'watchers':{_LABEL}}{why['watchers']}"
    known = [row["day"] for row in about.days]
    if known and (known[-1] - known[0]).days < DAYS:
        yield f"{'':{_LABEL}}known since {known[0]}"


def _counter(
    label: str, values: Mapping[date, int | None], now: int | None, room: int, *, plain: bool
) -> str:
    last = max(values, default=None)
    now = now if last is None else values[last]
    gains = ""
    for days in _SPANS:
        then = None if last is None else values.get(last - timedelta(days=days))
        gained = "" if now is None or then is None else changed(now - then)
        gains += f"{gained:>{_NUMBER}}"
    line = sparkline([values[day] for day in sorted(values)], max(room, 0), plain=plain)
    shown = "unknown" if now is None else f"{now:,}"
    return f"{label:{_LABEL}}{shown:>{_NUMBER}}{gains}  {line}".rstrip()


def traffic_lines(
    about: About, why: Mapping[str, str], width: int, *, plain: bool
) -> Iterator[str]:
    """Yield the views and clones of 14 days as GitHub told them, and where they came from."""
    if not about.traffic:
        yield why["traffic"]
        return
    for kind, whom, column in (
        ("views", "unique visitors", "views"),
        ("clones", "unique cloners, with CI", "clones"),
    ):
        window = about.traffic.get(kind)
        if window is None or window["count"] is None:
            yield f"{kind:{_LABEL}}not told"
            continue
        told = f"{window['count']:,} by {window['uniques']:,} {whom}"
        days = [row[column] for row in about.traffic_days]
        room = width - _LABEL - cell_len(told) - 2
        line = sparkline(days, TRAFFIC_DAYS, from_zero=True, plain=plain) if room > 8 else ""
        yield f"{kind:{_LABEL}}{told}  {line}".rstrip()
    read_on = max(window["read_on"] for window in about.traffic.values())
    yield f"{'':{_LABEL}}of {TRAFFIC_DAYS} days, read on {read_on}"


def popular_lines(about: About, why: Mapping[str, str], width: int) -> Iterator[str]:
    """Yield the sites and pages with most views of 14 days, side by side where there is room."""
    if not any(about.popular.values()):
        viewed = about.traffic.get("views", {}).get("count")
        if viewed or not about.traffic:
            yield f"{'from':{_LABEL}}{why['traffic_popular']}"
        return
    lists = [
        _popular("from", about.popular.get("referrers", ()), "referrer"),
        _popular("page", about.popular.get("paths", ()), "path", about.row["full_name"]),
    ]
    if width < 76:
        for rows in lists:
            yield from (_ranked(row, width) for row in rows)
        return
    half = (width - _GAP) // 2
    for left, right in zip_longest(*lists, fillvalue=("", "", "")):
        yield f"{_ranked(left, half)}{'':{_GAP}}{_ranked(right, half)}".rstrip()


def _popular(
    head: str, rows: Sequence[Mapping[str, Any]], column: str, full_name: str = ""
) -> list[tuple[str, str, str]]:
    """Return a heading, and the first rows: what, views, unique visitors."""
    if not rows:
        return []
    told = [(head, "views", "unique")]
    for row in rows[:_MOST]:
        what = printable(row[column]).removeprefix(f"/{full_name}") or "/"
        told.append((what, f"{row['count']:,}", f"{row['uniques']:,}"))
    return told


def _ranked(row: tuple[str, str, str], width: int) -> str:
    room = width - 16
    what = row[0] if cell_len(row[0]) <= room else set_cell_size(row[0], room - 1) + "…"
    return f"{set_cell_size(what, room)}{row[1]:>8}{row[2]:>8}"


def release_lines(about: About, why: Mapping[str, str], width: int) -> Iterator[str]:
    """Yield the latest releases with their downloads, then those of all."""
    for row in about.releases:
        day = row["published_at"].date() if row["published_at"] else "unpublished"
        downloads = _downloads(row["downloads"])
        room = width - 14 - len(downloads) - 2
        tag = printable(row["tag_name"] or row["name"] or "without a name")
        tag += " (pre-release)" if row["prerelease"] else ""
        tag = tag if cell_len(tag) <= room else set_cell_size(tag, room - 1) + "…"
        yield f"{day!s:12}  {set_cell_size(tag, max(min(room, 24), cell_len(tag)))}  {downloads}"
    if not about.releases:
        yield why["downloads"]
    elif about.downloads is not None:
        yield f"all releases: {_downloads(about.downloads)}"


def _downloads(count: int) -> str:
    return "1 download" if count == 1 else f"{count:,} downloads"
