"""The commands copy and verify, which use two databases."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import Exit

from sync.cli import output
from sync.cli.progress_bar import progress_bar
from sync.cli.result import Result, result_options
from sync.cli.settings import ExitCode, Settings, stop_on_signals
from sync.core.errors import DatabaseError, Interrupted
from sync.core.redaction import printable

if TYPE_CHECKING:
    import threading

    from sync.database.compare import Comparison, Snapshot

_password_env_option = click.option(
    "--password-env", metavar="VARIABLE", help="Environment variable with that database's password."
)
_password_file_option = click.option(
    "--password-file", metavar="FILE", help="File with that database's password."
)
_COPIED = ("table", "rows", "written", "deleted", "checksum")
_COMPARED = (
    *("table", "rows_here", "rows_there", "missing", "extra", "different"),
    *("checksum_here", "checksum_there", "identical", "examples"),
)
_SHOWN_EXAMPLES = 10


@click.command
@click.option("--to", metavar="URL", required=True, help="URL of the database to copy to.")
@_password_env_option
@_password_file_option
@result_options
@click.pass_obj
def copy(
    settings: Settings,
    to: str,
    password_env: str | None,
    password_file: str | None,
    result: Result,
) -> None:
    """Copy the ledger, with all its history, to another database, and compare the two.

    The other database must have no ledger yet, or an earlier copy of this one. After an
    interruption, run the same command again: it continues. A later copy transfers only the
    differences.

    Example: repoledger copy --to postgresql://ledger@db.example.com/ledger --password-env DB_PW
    """
    result.require()
    here, there = _urls(settings, to, password_env, password_file)
    from sync.database.compare import compare, snapshot
    from sync.database.copy import copy as copy_ledger

    try:
        with stop_on_signals() as stop, snapshot(here, stop) as source:
            with reading_bar("copying", source):
                copied = copy_ledger(source, there, stop)
            with snapshot(there, stop) as target, reading_bar("comparing", source):
                compared = {each.table: each for each in compare(source, target)}
            where, running = target.where, source.accounts_running()
    except Interrupted:
        raise Interrupted("stopped; run the same command again to continue") from None
    rows = [
        {
            "table": each.table,
            "rows": each.rows,
            "written": each.written,
            "deleted": each.deleted,
            "checksum": compared[each.table].checksum_there,
        }
        for each in copied
    ]
    with result.opened():
        output.print_rows(rows, result.format, columns=_COPIED)
    differing = [each.table for each in compared.values() if not each.identical]
    if differing:
        raise DatabaseError(
            f"{where}: differs from the copy in {', '.join(differing)}: another program writes "
            "there; stop it, and copy again"
        )
    if result.is_table:
        output.say(f"Copied to {where}; every row is the same in both.")
    for name in running:
        told = f"{name}: a run was in progress; copy again after the run."
        print(printable(told), file=sys.stderr)


@click.command
@click.option(
    "--against", metavar="URL", required=True, help="URL of the database to compare with."
)
@_password_env_option
@_password_file_option
@result_options
@click.pass_obj
def verify(
    settings: Settings,
    against: str,
    password_env: str | None,
    password_file: str | None,
    result: Result,
) -> None:
    """Compare the ledger with one in another database, row by row. Writes nothing.

    Exits with 1 if a row is missing, different or extra in the other database.

    Example: repoledger verify --against sqlite:///repoledger.db
    """
    result.require()
    here, there = _urls(settings, against, password_env, password_file)
    from sync.database.compare import compare

    with stop_on_signals() as stop, _both(here, there, stop) as (mine, other):
        compared = list(compare(mine, other))
    with result.opened():
        if result.is_table:
            _show(compared)
        else:
            output.print_rows(map(_as_dict, compared), result.format, columns=_COMPARED)
    if not all(each.identical for each in compared):
        raise Exit(ExitCode.FAILED)


def _urls(
    settings: Settings, url: str, password_env: str | None, password_file: str | None
) -> tuple[str, str]:
    """Return the URLs of the configured and of the other database, with their passwords."""
    config = settings.load()
    settings.start_log()
    from sync.config import exposure, other_database

    exposure.warn_of((password_file,) if password_file else ())
    return config.database.url, other_database(url, password_env, password_file, os.environ)


@contextmanager
def _both(here: str, there: str, stop: threading.Event) -> Iterator[tuple[Snapshot, Snapshot]]:
    from sync.database.compare import snapshot

    with (
        snapshot(here, stop) as mine,
        snapshot(there, stop) as other,
        reading_bar("comparing", mine),
    ):
        yield mine, other


@contextmanager
def reading_bar(label: str, read: Snapshot) -> Iterator[None]:
    """Show a progress bar of the rows read from a snapshot."""
    with progress_bar(label, "rows") as report:
        if report is None:
            yield
            return
        total, done = read.count(), 0

        def advance(rows: int) -> None:
            nonlocal done
            done += rows
            report(done, total)

        read.on_rows = advance
        yield


def _show(compared: list[Comparison]) -> None:
    output.print_table(
        ("table", "here", "there", "missing", "extra", "differ", "checksum"),
        [
            (
                each.table,
                each.rows_here,
                each.rows_there,
                each.missing,
                each.extra,
                each.different,
                each.checksum_here[:12] if each.identical else "not the same",
            )
            for each in compared
        ],
    )
    examples = [(each.table, *example) for each in compared for example in each.examples]
    for table, key, why in examples[:_SHOWN_EXAMPLES]:
        output.say(f"{table} {' '.join(map(str, key))}: {why}")
    unlike = sum(each.missing + each.extra + each.different for each in compared)
    if unlike > _SHOWN_EXAMPLES:
        print(f"and {unlike - _SHOWN_EXAMPLES:,} more rows.")
    if not unlike:
        print("Every row is the same in both.")


def _as_dict(compared: Comparison) -> dict[str, Any]:
    values = {name: getattr(compared, name) for name in _COMPARED}
    values["examples"] = [
        {"key": list(map(str, each.key)), "why": each.why} for each in compared.examples
    ]
    return values
