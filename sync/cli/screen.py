"""What the terminal can show: colours, links, its width; and a pager for long texts."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

import click

from sync.core.redaction import printable

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1", "dim": "2"}
_NARROWEST, _USUAL = 20, 80  # columns


@dataclass(frozen=True, slots=True)
class Screen:
    """What stdout can show. `width`: of a terminal, in columns; None where nothing is cut."""

    width: int | None = None
    colours: bool = False
    links: bool = False

    def painted(self, text: str, colour: str | None) -> str:
        """Return a text in a colour, if there are colours."""
        if colour is None or not self.colours or not text:
            return text
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"

    def linked(self, text: str, url: str | None) -> str:
        """Return a text that leads to a web page (OSC 8), if there are links."""
        if not self.links or not url or not _is_safe(url):
            return text
        return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\"


def _is_safe(url: str) -> bool:
    return url.startswith(("https://", "http://")) and url.isascii() and printable(url) == url


def screen() -> Screen:
    """Return what stdout can show now."""
    if not sys.stdout.isatty():
        return Screen()
    columns = shutil.get_terminal_size((_USUAL, 24)).columns
    can = os.environ.get("TERM", "") not in ("dumb", "unknown", "")
    return Screen(
        width=max(columns, _NARROWEST),
        colours=can and not os.environ.get("NO_COLOR"),
        links=can and os.environ.get("TERM") != "linux",
    )


def show(lines: Iterable[str]) -> None:
    """Print lines; on a terminal, more than fit on it through a pager ($PAGER, or less)."""
    rest = iter(lines)
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        for line in rest:
            print(line)
        return
    first = list(islice(rest, shutil.get_terminal_size((_USUAL, 24)).lines - 1))
    following = next(rest, None)
    if following is None:
        for line in first:
            print(line)
        return
    sys.stdout.flush()
    os.environ.setdefault("LESS", "FRX")
    click.echo_via_pager(_ended(chain(first, (following,), rest)), color=True)


def _ended(lines: Iterable[str]) -> Iterator[str]:
    return (f"{line}\n" for line in lines)
