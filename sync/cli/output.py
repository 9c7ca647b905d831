"""Results on stdout: a table for people, other formats for scripts and spreadsheets."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from sync.cli.cells import CsvLines, csv_cell, shown_csv_cell
from sync.cli.formats import BINARY
from sync.cli.formats import Format as Format
from sync.cli.numbers import WholeNumber
from sync.cli.tables import print_table as print_table
from sync.cli.tables import table_cell as table_cell
from sync.core.redaction import printable, printable_json, scrub

json_option = click.option("--json", is_flag=True, help="Same as --format json.")
limit_option = click.option(
    "--limit", type=WholeNumber(1, 2**31), metavar="N", help="Show at most N rows."
)


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
        writer = csv.writer(CsvLines(), lineterminator="\r\n")
        cell = shown_csv_cell if sys.stdout.isatty() else csv_cell
        writer.writerow(map(cell, columns))
        writer.writerows([cell(row[c]) for c in columns] for row in rows)
    elif fmt in BINARY:
        _write_file(columns, rows, fmt)
    else:
        _print_json(({c: row[c] for c in columns} for row in rows), fmt)


def _write_file(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], fmt: Format) -> None:
    if fmt is Format.xlsx:
        from sync.cli import xlsx as writer
    else:
        from sync.cli import parquet as writer  # type: ignore[no-redef]
    sys.stdout.flush()
    writer.write(columns, rows, sys.stdout.buffer)


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


def print_object(value: Mapping[str, Any]) -> None:
    """Print one JSON object, indented."""
    import msgspec

    text = printable_json(msgspec.json.encode(value, enc_hook=str).decode())
    print(msgspec.json.format(text.encode(), indent=2).decode())


def _spelled_out(value: Any) -> Any:
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value
