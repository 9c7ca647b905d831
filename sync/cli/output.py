"""Results on stdout: a table for people, JSON, NDJSON or CSV for scripts."""

from __future__ import annotations

import csv
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import click
from rich.cells import cell_len, set_cell_size  # a part of Rich that is quick to import

from sync.redaction import printable, printable_json, scrub


class Format(StrEnum):
    table = "table"
    json = "json"
    ndjson = "ndjson"
    csv = "csv"


format_option = click.option(
    *("--format", "fmt"),
    type=click.Choice(Format),
    default=Format.table,
    help="How to print the result.",
)
json_option = click.option("--json", is_flag=True, help="The same as --format json.")

_SHORTEST_TEXT = 14  # columns that a text is not cut below

# A spreadsheet takes a cell that begins like this for a formula, some after dropping what is
# blank before it; some take the full-width characters for the others.
_FORMULA = re.compile(r"[\t\r\n]|[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠]")


def chosen(fmt: Format, json: bool) -> Format:
    """Return the format that the two options ask for."""
    return Format.json if json else fmt


def say(text: str) -> None:
    """Print a line for people, in which data can do nothing to a terminal."""
    print(printable(text))


def print_error(message: str) -> None:
    """Tell of a mistake or a failure on stderr, line by line, with nothing secret in it."""
    for line in message.splitlines() or ["unknown"]:
        print(f"error: {printable(scrub(line))}", file=sys.stderr)


def print_warning(message: str) -> None:
    """Tell on stderr of what may be a mistake."""
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

    A table of no rows says so on stderr with `empty`; the other formats print
    their form of nothing.
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
    """Print a row at a time, so that a long list needs no memory."""
    import msgspec

    def encoded(row: Mapping[str, Any]) -> str:
        return printable_json(msgspec.json.encode(row, enc_hook=str).decode())

    if fmt is Format.ndjson:
        for row in rows:
            sys.stdout.write(encoded(row) + "\n")
        return
    separator = "[\n"
    for row in rows:
        sys.stdout.write(f"{separator}  {encoded(row)}")
        separator = ",\n"
    sys.stdout.write("[]\n" if separator == "[\n" else "\n]\n")


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "nothing to show"
) -> None:
    """Print a table: fitted to a terminal, uncut into a pipe.

    On a terminal long texts are cut, and nothing else; where even that is too
    wide, each row becomes a block of lines.
    """
    materialised = list(rows)
    if not materialised:
        print(empty, file=sys.stderr)
        return
    cells = [[table_cell(value) for value in row] for row in materialised]
    columns = list(map(printable, columns))
    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    texts = [_is_text(materialised, index) for index in range(len(columns))]
    numbers = [_is_number(materialised, index) for index in range(len(columns))]
    terminal = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    if terminal is not None:
        widths = _fitted(widths, texts, terminal)
        if not widths:
            _print_blocks(columns, cells)
            return
    _print_grid(columns, cells, list(zip(widths, numbers, strict=True)))


def _print_grid(
    columns: Sequence[str], cells: Iterable[Sequence[str]], layout: Sequence[tuple[int, bool]]
) -> None:
    """Print cells below each other; `layout` is each column's width, and whether it is numbers.

    Rich's tables look the same, and take longer to import than what is shown takes to find.
    """
    unicode = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    rule, crossing, between = ("─", "─", " ") if unicode else ("-", "+", "|")
    bold = sys.stdout.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")

    def line(row: Sequence[str]) -> str:
        fitted = (_fit(text, *column) for text, column in zip(row, layout, strict=True))
        return f" {between}".join(fitted).rstrip()

    print(f"\x1b[1m{line(columns)}\x1b[0m" if bold else line(columns))
    print(crossing.join(rule * (width + 1) for width, _ in layout))
    for row in cells:
        print(line(row))


def _fit(text: str, width: int, right: bool) -> str:
    """Return a text cut or filled up to so many cells of a terminal."""
    spare = width - cell_len(text)
    if spare < 0:
        return set_cell_size(text, width - 1) + "…"
    return " " * spare + text if right else text + " " * spare


def _fitted(widths: list[int], texts: list[bool], terminal: int) -> list[int]:
    """Return widths for a terminal: texts are cut, the last ones first; empty if too narrow."""
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


def _print_blocks(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    width = max(map(cell_len, columns), default=0)
    separator = ""
    for row in rows:
        print(end=separator)
        for column, cell in zip(columns, row, strict=True):
            print(f"{_fit(column, width, False)}  {cell}".rstrip())
        separator = "\n"


def table_cell(value: Any) -> str:
    """Return a value as a person reads it, on one line, without control characters."""
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
    """Return a time in UTC, as one without a zone is: MySQL keeps none."""
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class _CsvLines:
    """Ends lines with a line feed alone; the writer quotes only what it ends lines with itself."""

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
    if isinstance(value, (list, tuple)):
        value = ",".join(str(item) for item in value)
    text = str(value)
    return f"'{text}" if _FORMULA.match(text) else text


def _shown_csv_cell(value: Any) -> Any:
    """Return a cell for a terminal, which must not be acted on by what it shows."""
    cell = _csv_cell(value)
    return printable(cell) if isinstance(cell, str) else cell
