"""The command query: runs one SQL statement of the user, read-only."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

import click

from sync.cli import output
from sync.cli.result import Result, result_options
from sync.cli.settings import Settings, open_ledger
from sync.core.redaction import protect_typed


@click.command
@click.argument("sql", help="One statement; - reads it from stdin.")
@result_options
@click.pass_obj
def query(settings: Settings, sql: str, result: Result) -> None:
    """Run one read-only SQL statement against the database.

    Example: repoledger query "SELECT full_name FROM current_repositories"
    """
    text = sys.stdin.read() if sql == "-" else sql
    protect_typed(text)
    # Python would notice Ctrl-C only when the database returns the next row.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with (
        result.opened(),
        open_ledger(settings) as ledger,
        ledger.query(text) as (names, rows),
    ):
        columns = _unique(names)
        dicts = (dict(zip(columns, row, strict=True)) for row in rows)
        output.print_rows(dicts, result.format, columns=columns, empty="no rows")


def _unique(names: Sequence[str]) -> list[str]:
    """Return the column names, with repeated names numbered, so that no column is lost."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return result
