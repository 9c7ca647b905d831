"""Tables for people: fitted to a terminal, uncut into a pipe."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Self

from rich.cells import cell_len, set_cell_size  # a part of Rich that is quick to import

from sync.cli.cells import in_utc
from sync.cli.screen import Screen, screen
from sync.core.redaction import printable

_LAID_OUT = 1_000  # rows of a table in memory at a time
_OF_STATUS = {
    "succeeded": "green",
    "failed": "red",
    **dict.fromkeys(("partial", "deferred", "interrupted"), "yellow"),
}
_SHORTEST_TEXT = 14  # columns; no text is cut shorter


class Signed(int):
    """A difference, shown with its sign."""

    def __str__(self) -> str:
        return f"{int(self):+d}" if self else "0"


class Cell(str):
    """A text that leads to a page, or has a colour, on a terminal that can."""

    __slots__ = ("colour", "url")

    url: str | None
    colour: str | None

    def __new__(cls, text: str, *, url: str | None = None, colour: str | None = None) -> Self:
        made = super().__new__(cls, printable(text))
        made.url = url
        made.colour = colour
        return made


def of_status(status: str) -> Cell:
    """Return how a run ended, in its colour."""
    return Cell(status, colour=_OF_STATUS.get(status))


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "nothing to show"
) -> None:
    """Print a table: fitted to a terminal, uncut into a pipe.

    On a terminal only long texts are cut; if the table is still too wide, each row becomes
    a block of lines. A long table is laid out a thousand rows at a time to save memory, so
    its columns may become wider further down.
    """
    columns = list(map(printable, columns))
    widths = list(map(cell_len, columns))
    remaining, begun = iter(rows), False
    while part := list(islice(remaining, _LAID_OUT)):
        cells = [[table_cell(value) for value in row] for row in part]
        widths = [
            max(width, *map(cell_len, column))
            for width, column in zip(widths, zip(*cells, strict=True), strict=True)
        ]
        fitted = widths
        if sys.stdout.isatty():
            texts = [_is_text(part, index) for index in range(len(columns))]
            fitted = _fitted(widths, texts, shutil.get_terminal_size().columns)
        if fitted:
            numbers = [_is_number(part, index) for index in range(len(columns))]
            layout = list(zip(fitted, numbers, strict=True))
            _print_grid(columns, cells, layout, headed=not begun)
        else:
            _print_blocks(columns, cells, separator="\n" if begun else "")
        begun = True
    if not begun:
        print(empty, file=sys.stderr)


def _print_grid(
    columns: Sequence[str],
    cells: Iterable[Sequence[str]],
    layout: Sequence[tuple[int, bool]],
    *,
    headed: bool,
) -> None:
    """Print rows of cells; `layout` is each column's width, and whether it has numbers.

    Tables of Rich look the same, but importing them takes longer than a query.
    """
    unicode = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    rule, crossing, between = ("─", "─", " ") if unicode else ("-", "+", "|")
    view = screen()

    def line(row: Sequence[str]) -> str:
        fitted = (
            _painted(text, _fit(text, *column), view)
            for text, column in zip(row, layout, strict=True)
        )
        return f" {between}".join(fitted).rstrip()

    if headed:
        print(view.painted(line(columns), "bold"))
        print(crossing.join(rule * (width + 1) for width, _ in layout))
    for row in cells:
        print(line(row))


def _painted(text: str, fitted: str, view: Screen) -> str:
    """Return a fitted text with what its cell says of colour and page, if the terminal can."""
    if not isinstance(text, Cell):
        return fitted
    shown = fitted.rstrip()
    return view.linked(view.painted(shown, text.colour), text.url) + fitted[len(shown) :]


def _fit(text: str, width: int, right: bool) -> str:
    """Return a text cut or padded to `width` cells of a terminal."""
    spare = width - cell_len(text)
    if spare < 0:
        return set_cell_size(text, width - 1) + "…"
    return " " * spare + text if right else text + " " * spare


def _fitted(widths: list[int], texts: list[bool], terminal: int) -> list[int]:
    """Return column widths for a terminal, with the last texts cut first; empty if too narrow."""
    least = [
        min(width, _SHORTEST_TEXT) if text else width
        for width, text in zip(widths, texts, strict=True)
    ]
    spare = terminal - sum(least) - 2 * len(least)
    if spare < 0:
        return []
    fitted = []
    for width, shortest in zip(widths, least, strict=True):
        more = min(width - shortest, spare)
        spare -= more
        fitted.append(shortest + more)
    return fitted


def _is_text(rows: Sequence[Sequence[Any]], index: int) -> bool:
    return any(isinstance(row[index], (str, list, tuple)) for row in rows)


def _is_number(rows: Sequence[Sequence[Any]], index: int) -> bool:
    values = [row[index] for row in rows if row[index] is not None]
    return all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)


def _print_blocks(columns: Sequence[str], rows: Iterable[Sequence[str]], *, separator: str) -> None:
    width = max(map(cell_len, columns), default=0)
    view = screen()
    for row in rows:
        print(end=separator)
        for column, cell in zip(columns, row, strict=True):
            print(f"{_fit(column, width, False)}  {_painted(cell, cell, view)}".rstrip())
        separator = "\n"


def table_cell(value: Any) -> str:
    """Return a value for people, on one line, with control characters made visible."""
    if value is None:
        return ""
    if isinstance(value, Cell):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return in_utc(value).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return ", ".join(printable(str(item)) for item in value)
    return printable(str(value))
