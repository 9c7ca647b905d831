"""Events as lines for people, by day. No I/O here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby, islice

from rich.cells import cell_len, set_cell_size

from sync.cli.screen import Screen
from sync.core.redaction import printable
from sync.events.event import KINDS, Event, EventKind, Tone
from sync.events.from_figures import Rest
from sync.events.words import rest_of, sentence

_COLOURS = {Tone.good: "green", Tone.bad: "red", Tone.notable: "yellow", Tone.plain: None}
_LAID_OUT = 1_000  # events of a day in memory at a time
_MANY = 10  # new repositories of a run, from which on they share a line
_WITH_TIMES = 60  # columns, from which on a line has its time
_SHORTEST_NAME = 12  # columns


def event_lines(
    events: Iterable[Event],
    sums: Sequence[Event],
    rests: Iterable[Rest],
    until: date,
    screen: Screen,
    *,
    with_hosts: bool = False,
) -> Iterator[str]:
    """Yield lines: the events by day, then the sums of counters up to a day, a heading each.

    `rests`: what other repositories have in sum.
    """
    named = _host_and_name if with_hosts else _name
    between = ""
    for day, theirs in groupby(events, key=lambda event: event.observed_at.date()):
        yield between + screen.painted(_cut(f"{day:%A} {day}", screen.width), "bold")
        between = "\n"
        while part := list(islice(theirs, _LAID_OUT)):
            yield from _laid_out(part, named, screen, timed=True)
    if sums:
        first = min(event.since or until for event in sums)
        days = f"{first}" if first == until else f"{first} to {until}"
        heading = _cut(f"{days}, in sum", screen.width)
        yield between + screen.painted(heading, "bold")
        yield from _laid_out(sums, named, screen, timed=False)
        for rest in rests:
            yield _cut(f"  and {rest.repositories:,} others: {rest_of(rest)}", screen.width)


def _name(event: Event) -> str:
    return printable(event.full_name)


def _host_and_name(event: Event) -> str:
    return printable(f"{event.host}/{event.full_name}")


def _laid_out(
    events: Sequence[Event], named: Callable[[Event], str], screen: Screen, *, timed: bool
) -> Iterator[str]:
    width = screen.width
    timed = timed and (width is None or width >= _WITH_TIMES)
    shared = _created_together(events)
    names = [
        named(event)
        for event in events
        if event.kind is not EventKind.created or event.run_id not in shared
    ]
    column = max(map(cell_len, names), default=0)
    if width is not None:
        column = min(column, max(_SHORTEST_NAME, width * 2 // 5))
    for event in events:
        time = f"{event.observed_at:%H:%M}  " if timed else ""
        together = shared.get(event.run_id) if event.kind is EventKind.created else None
        if together is not None:
            if together[0] is not event:
                continue
            names_of = ", ".join(map(named, reversed(together)))
            text = f"{len(together):,} new repositories: {names_of}"
            yield screen.painted(_cut(f"  {time}{text}", width), "green")
            continue
        name = _cut(named(event), column)
        space = " " * (column - cell_len(name))
        room = None if width is None else max(width - column - len(time) - 4, 1)
        text = screen.painted(
            _cut(printable(sentence(event)), room), _COLOURS[KINDS[event.kind].tone]
        )
        yield f"  {time}{screen.linked(name, event.html_url)}{space}  {text}"


def _created_together(events: Sequence[Event]) -> dict[int | None, list[Event]]:
    """Return the new repositories of each run with many of them, such as a first one."""
    found: dict[int | None, list[Event]] = {}
    for event in events:
        if event.kind is EventKind.created:
            found.setdefault(event.run_id, []).append(event)
    return {run: together for run, together in found.items() if len(together) > _MANY}


def _cut(text: str, width: int | None) -> str:
    if width is None or cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1) + "…"
