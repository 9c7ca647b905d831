"""Results on stdout: a table for people, JSON, NDJSON or CSV for scripts."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from sync.redaction import printable


class Format(StrEnum):
    table = "table"
    json = "json"
    ndjson = "ndjson"
    csv = "csv"


FormatOption = Annotated[
    Format, typer.Option("--format", help="How to print the result.", show_default=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="The same as --format json.")]

# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def chosen(fmt: Format, json: bool) -> Format:
    """Return the format that the two options ask for."""
    return Format.json if json else fmt


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
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_csv_cell(row[c]) for c in columns] for row in rows)
    else:
        _print_json(({c: row[c] for c in columns} for row in rows), fmt)


def _print_json(rows: Iterable[Mapping[str, Any]], fmt: Format) -> None:
    """Print a row at a time, so that a long list needs no memory."""
    import msgspec

    def encoded(row: Mapping[str, Any]) -> str:
        return msgspec.json.encode(row, enc_hook=str).decode()

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
    """Print a table: fitted to a terminal, uncut into a pipe."""
    materialised = list(rows)
    if not materialised:
        print(empty, file=sys.stderr)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    on_terminal = sys.stdout.isatty()
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for index, column in enumerate(columns):
        numeric = all(
            isinstance(row[index], (int, float, type(None))) and not isinstance(row[index], bool)
            for row in materialised
        )
        table.add_column(
            column, justify="right" if numeric else "left", overflow="ellipsis", no_wrap=True
        )
    for row in materialised:
        table.add_row(*(Text(table_cell(value)) for value in row))
    console = Console(width=None if on_terminal else 100_000, soft_wrap=False)
    console.print(table)


def table_cell(value: Any) -> str:
    """Return a value as a person reads it, on one line, without control characters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(printable(str(item)) for item in value)
    return printable(str(value))


def _csv_cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        value = ",".join(str(item) for item in value)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
