"""The commands export and import: a ledger as a folder of text files."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sync.cli import output
from sync.cli.progress_bar import progress_bar
from sync.cli.result import Result, result_options
from sync.cli.settings import Settings, stop_on_signals
from sync.cli.transfer import reading_bar
from sync.core.redaction import printable

_EXPORTED = ("table", "rows", "bytes", "written")
_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))


@click.command
@_folder
@result_options
@click.pass_obj
def export(settings: Settings, folder: Path, result: Result) -> None:
    """Write the ledger to a folder of text files, one sorted NDJSON a table, fit for git.

    Two exports of one ledger are the same, and a file that has not changed is not written. A folder
    with other files is refused.

    Example: repoledger export ledger
    """
    result.require()
    url = settings.load().database.url
    settings.start_log()
    from sync.database.compare import snapshot
    from sync.database.export import export as write

    with (
        stop_on_signals() as stop,
        snapshot(url, stop) as source,
        reading_bar("exporting", source),
    ):
        done = write(source, folder)
        running = source.accounts_running()
    with result.opened():
        rows = [{name: getattr(each, name) for name in _EXPORTED} for each in done]
        output.print_rows(rows, result.format, columns=_EXPORTED)
    if result.is_table:
        written = sum(each.written for each in done)
        size = sum(each.bytes for each in done)
        output.say(f"{folder}: {size:,} bytes in {len(done)} files, {written} of them written.")
    for name in running:
        print(printable(f"{name}: a run was in progress; export again after it."), file=sys.stderr)


@click.command("import")
@_folder
@result_options
@click.pass_obj
def import_(settings: Settings, folder: Path, result: Result) -> None:
    """Read a folder that `export` wrote into a database that has no ledger yet, or an empty one.

    All of it is written, or nothing. An export of an older version is brought up to date.

    Example: repoledger import ledger
    """
    result.require()
    url = settings.load().database.url
    settings.start_log()
    from sync.database.dialects import dialect_of
    from sync.database.importing import import_ as read

    with stop_on_signals() as stop, progress_bar("importing", "rows") as report:
        done = read(folder, url, stop, report or (lambda *_: None))
    with result.opened():
        rows = [{"table": name, "rows": number} for name, number in done.items()]
        output.print_rows(rows, result.format, columns=("table", "rows"))
    if result.is_table:
        output.say(f"Imported into {dialect_of(url).where}; every row is as it was exported.")
