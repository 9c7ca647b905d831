"""A page about a repository as lines for people. No I/O here."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size

from sync.cli.page_figures import counter_lines, popular_lines, release_lines, traffic_lines
from sync.cli.screen import Screen
from sync.core.redaction import printable
from sync.database.about import About
from sync.events.event import KINDS, Event, Tone
from sync.events.words import gone, sentence

_USUAL = 80  # columns, where nothing is cut
_LABEL = 14
_COLOURS = {Tone.good: "green", Tone.bad: "red", Tone.notable: "yellow", Tone.plain: None}


def page_lines(
    about: About,
    events: Sequence[Event],
    why: Mapping[str, str],
    screen: Screen,
    *,
    plain: bool = False,
) -> Iterator[str]:
    """Yield the lines of the page. `why`: of each resource, why nothing is known of it."""
    width = screen.width or _USUAL
    row = about.row
    name = printable(row["full_name"])
    yield screen.linked(screen.painted(_cut(name, width), "bold"), row["html_url"])
    if row["removed_at"] is not None:
        when = f"{row['removed_at']:%Y-%m-%d %H:%M} UTC"
        said = f"removed on {when}: {gone(row['removal_reason'])}"
        yield from (screen.painted(line, "red") for line in textwrap.wrap(said, width))
    yield from _folded(row["description"] or "no description", width)
    yield ""
    for label, text in _facts(about):
        yield from _fact(label, text, width)
    sections: tuple[tuple[str, Iterable[str]], ...] = (
        ("Counters", counter_lines(about, why, width, plain=plain)),
        ("Traffic", traffic_lines(about, why, width, plain=plain)),
        ("", popular_lines(about, why, width)),
        ("Releases", release_lines(about, why, width)),
        ("Latest events", _event_lines(events, screen, width)),
    )
    for heading, lines in sections:
        shown = list(lines)
        if not shown:
            continue
        yield ""
        if heading:
            yield screen.painted(heading, "bold")
        for line in shown:
            yield line if line.startswith("\x1b") else _cut(line, width)


def _facts(about: About) -> Iterator[tuple[str, str]]:
    row = about.row
    owner = row["owner_login"] or "unknown"
    yield "owner", f"{owner} ({row['owner_type']})" if row["owner_type"] else owner
    flags = ("archived", "fork", "is_template", "disabled")
    words = {"is_template": "template"}
    yield (
        "visibility",
        ", ".join(
            (
                row["visibility"] or "of unknown visibility",
                *(words.get(f, f) for f in flags if row[f]),
            )
        ),
    )
    yield "address", row["html_url"] or "unknown"
    yield "licence", row["license_spdx_id"] or "none"
    yield "language", row["language"] or "none"
    yield "topics", ", ".join(row["topics"] or ()) or "none"
    yield "homepage", row["homepage"] or "none"
    yield "branch", row["default_branch"] or "unknown"
    yield "created", _day(row["created_at"])
    yield "last push", _day(row["pushed_at"])
    accounts = ", ".join(about.accounts)
    listed = f"listed for {accounts}" if accounts else "listed for no account"
    yield "in the ledger", f"since {_day(row['first_seen_at'])}, {listed}"
    for each in about.former:
        yield "once", f"{each['full_name']}, until {_day(each['until'])}"


def _day(moment: Any) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "unknown"


def _fact(label: str, text: str, width: int) -> Iterator[str]:
    first, *rest = list(_folded(text, width - _LABEL)) or [""]
    yield f"{label:{_LABEL}}{first}"
    for line in rest:
        yield f"{'':{_LABEL}}{line}"


def _folded(text: str, width: int) -> Iterator[str]:
    """Yield a text of GitHub's in lines of at most so many columns."""
    text = printable(text)
    narrow = cell_len(text) == len(text)  # a wide character takes two columns
    yield from textwrap.wrap(text, width if narrow else width // 2, break_on_hyphens=False)


def _event_lines(events: Sequence[Event], screen: Screen, width: int) -> Iterator[str]:
    if not events:
        yield "none since the first sync"
    for event in events:
        text = _cut(printable(sentence(event)), width - 12)
        painted = screen.painted(text, _COLOURS[KINDS[event.kind].tone])
        yield f"{event.observed_at:%Y-%m-%d}  {painted}"


def _cut(text: str, width: int) -> str:
    if cell_len(text) <= width or "\x1b" in text:
        return text
    return set_cell_size(text, width - 1) + "…"
