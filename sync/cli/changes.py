"""The command changes: the change log of the repositories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from sync.cli import completion, output
from sync.cli.hosts import host_columns, host_option, repository_at
from sync.cli.output import limit_option
from sync.cli.result import Result, result_options
from sync.cli.settings import Settings, open_ledger
from sync.cli.times import moment_of
from sync.database.change_kinds import Kind

_CHANGE = ("observed_at", "full_name", "change", "field", "old_value", "new_value")


@click.command
@click.option(
    "--since", metavar="WHEN", help="Only changes since a date, a UTC time, or an age like 7d."
)
@host_option
@click.option(
    "--repository",
    metavar="OWNER/NAME",
    shell_complete=completion.repositories,
    help="Only of this repository: present or former name, HOST/OWNER/NAME or address.",
)
@click.option(
    "--field",
    shell_complete=completion.fields,
    help="Only changes of this field, such as description.",
)
@click.option(
    "--change",
    type=click.Choice(Kind),
    metavar="KIND",
    help=f"Only changes of this kind: {', '.join(Kind)}.",
)
@limit_option
@result_options
@click.pass_obj
def changes(
    settings: Settings,
    since: str | None,
    host: str | None,
    repository: str | None,
    field: str | None,
    change: Kind | None,
    limit: int | None,
    result: Result,
) -> None:
    """Show the changes of repositories, newest first.

    Example: repoledger changes --since 7d --repository octocat/hello-world
    """
    moment = moment_of(since, "--since")
    if repository is not None:
        host, repository = None, repository_at(host, repository)
    with result.opened(), open_ledger(settings) as ledger:
        rows = ledger.changes(
            since=moment, host=host, repository=repository, field=field, kind=change, limit=limit
        )
        output.print_rows(
            map(_without_document, rows) if result.is_table else rows,
            result.format,
            columns=(*_CHANGE, "host", "repository_id", "run_id"),
            table_columns=(*_CHANGE[:1], *host_columns(ledger.hosts()), *_CHANGE[1:]),
            empty="no changes",
        )


def _without_document(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a change without a value that is too long for a table: a whole repository."""
    whole = row["change"] in (Kind.created, Kind.redacted)
    return {**row, "new_value": None} if whole else row
