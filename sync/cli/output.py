"""Results on stdout: a table for people, JSON, NDJSON or CSV for scripts."""

from __future__ import annotations

import csv
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import Any

import click
from rich.cells import cell_len, set_cell_size  # a part of Rich that is quick to import

from sync.core.redaction import printable, printable_json, scrub
from sync.database.figures import Figure


class Format(StrEnum):
    table = "table"
    json = "json"
    ndjson = "ndjson"
    csv = "csv"


format_option = click.option(
    *("--format", "fmt"),
    type=click.Choice(Format),
    default=Format.table,
    help="Format of the result.",
)
json_option = click.option("--json", is_flag=True, help="Same as --format json.")
limit_option = click.option(
    "--limit", type=click.IntRange(1, 2**31), metavar="N", help="Show at most N rows."
)

_LAID_OUT = 1_000  # rows of a table in memory at a time
_SHORTEST_TEXT = 14  # columns; no text is cut shorter

# Types of computed values, which are never formulas.
_FIGURES = (int, float, Decimal, timedelta, Figure)
# A spreadsheet takes a cell that begins like this for a formula. Some drop blanks before it,
# and some accept full-width characters.
_FORMULA = re.compile(r"[\t\r\n]|[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠]")


def chosen(fmt: Format, json: bool) -> Format:
    """Return the format that --format and --json request."""
    return Format.json if json else fmt


def say(text: str) -> None:
    """Print a line for people, with control characters made visible."""
    print(printable(text))


def print_error(message: str) -> None:
    """Print an error to stderr, line by line, without secrets."""
    for line in message.splitlines() or ["unknown"]:
        print(f"error: {printable(scrub(line))}", file=sys.stderr)


def print_warning(message: str) -> None:
    """Print a warning to stderr, without secrets."""
    print(f"warning: {printable(scrub(message))}", file=sys.stderr)


def print_rows(
    rows: Iterable[Mapping[str, Any]],
    fmt: Format,
    *,
    columns: Sequence[str],
    table_columns: Sequence[str] | None = None,
    empty: str = "nothing to show",
) -> None:
    """Print `columns` of each row; a table shows `table_columns` of them.

    A table without rows prints `empty` to stderr; the other formats print an empty list,
    no lines, or only the header.
    """
    if fmt is Format.table:
        shown = table_columns or columns
        print_table(shown, ([row[c] for c in shown] for row in rows), empty=empty)
    elif fmt is Format.csv:
        writer = csv.writer(_CsvLines(), lineterminator="\r\n")
        cell = _shown_csv_cell if sys.stdout.isatty() else _csv_cell
        writer.writerow(map(cell, columns))
        writer.writerows([cell(row[c]) for c in columns] for row in rows)
    else:
        _print_json(({c: row[c] for c in columns} for row in rows), fmt)


def _print_json(rows: Iterable[Mapping[str, Any]], fmt: Format) -> None:
    """Print one row at a time, so that a long list needs little memory."""
    import msgspec

    def encoded(row: Mapping[str, Any]) -> str:
        try:
            text = msgspec.json.encode(row, enc_hook=str)
        except UnicodeEncodeError:  # a path or an argument that is not UTF-8
            text = msgspec.json.encode({c: _spelled_out(row[c]) for c in row}, enc_hook=str)
        return printable_json(text.decode())

    if fmt is Format.ndjson:
        for row in rows:
            sys.stdout.write(encoded(row) + "\n")
        return
    separator = "[\n"
    for row in rows:
        sys.stdout.write(f"{separator}  {encoded(row)}")
        separator = ",\n"
    sys.stdout.write("[]\n" if separator == "[\n" else "\n]\n")


def _spelled_out(value: Any) -> Any:
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


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
    bold = sys.stdout.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")

    def line(row: Sequence[str]) -> str:
        fitted = (_fit(text, *column) for text, column in zip(row, layout, strict=True))
        return f" {between}".join(fitted).rstrip()

    if headed:
        print(f"\x1b[1m{line(columns)}\x1b[0m" if bold else line(columns))
        print(crossing.join(rule * (width + 1) for width, _ in layout))
    for row in cells:
        print(line(row))


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
    for row in rows:
        print(end=separator)
        for column, cell in zip(columns, row, strict=True):
            print(f"{_fit(column, width, False)}  {cell}".rstrip())
        separator = "\n"


def table_cell(value: Any) -> str:
    """Return a value for people, on one line, with control characters made visible."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return _in_utc(value).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return ", ".join(printable(str(item)) for item in value)
    return printable(str(value))


def _in_utc(value: datetime) -> datetime:
    """Return a time in UTC; MySQL returns UTC times without a zone."""
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class _CsvLines:
    """Ends lines with LF. The writer itself uses CR LF, so that it quotes both in cells."""

    def write(self, line: str) -> None:
        sys.stdout.write(line.removesuffix("\r\n") + "\n")


def _csv_cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)):
        return value
    if isinstance(value, datetime):
        return _in_utc(value).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    items = value if isinstance(value, (list, tuple)) else [value]
    text = ",".join(map(str, items))
    is_figure = all(isinstance(item, _FIGURES) for item in items)
    return f"'{text}" if _FORMULA.match(text) and not is_figure else text


def _shown_csv_cell(value: Any) -> Any:
    """Return a cell for a terminal, with control characters made visible."""
    cell = _csv_cell(value)
    return printable(cell) if isinstance(cell, str) else cell
