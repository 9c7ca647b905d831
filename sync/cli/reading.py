"""Commands that ask the ledger: repos, changes, query."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import click

from sync.cli import output
from sync.cli.moments import moment_of, past_moment_of
from sync.cli.output import Format, format_option, json_option
from sync.cli.settings import Settings, open_ledger
from sync.database.kinds import Kind

if TYPE_CHECKING:
    from datetime import datetime

    from sync.database.queries import Ledger

_limit_option = click.option(
    "--limit", type=click.IntRange(1, 2**31), metavar="N", help="Show at most this many."
)


class Sort(StrEnum):
    name = "name"
    stars = "stars"
    forks = "forks"
    issues = "issues"
    size = "size"
    created = "created"
    updated = "updated"
    pushed = "pushed"


# How each order sorts: by which column, and whether the largest comes first.
_ORDERS = {
    Sort.name: ("full_name", False),
    Sort.stars: ("stargazers_count", True),
    Sort.forks: ("forks_count", True),
    Sort.issues: ("open_issues_count", True),
    Sort.size: ("size", True),
    Sort.created: ("created_at", True),
    Sort.updated: ("updated_at", True),
    Sort.pushed: ("pushed_at", True),
}

_CHANGE = ("observed_at", "full_name", "change", "field", "old_value", "new_value")


@click.command
@click.option("--account", metavar="NAME", help="Only what this account lists.")
@click.option("--owner", metavar="LOGIN", help="Only those of this owner.")
@click.option("--language", help="Only those in this language.")
@click.option("--topic", help="Only those with this topic.")
@click.option("--name", help="Only those whose full name contains this.")
@click.option("--archived/--not-archived", default=None, help="Only archived, or none.")
@click.option("--fork/--not-fork", default=None, help="Only forks, or none.")
@click.option("--removed", is_flag=True, help="Show removed repositories instead.")
@click.option(
    "--as-of",
    metavar="WHEN",
    help="As it all was then: at the end of a date, at a time (UTC), or an age like 30d ago. "
    "Counters are kept by the day.",
)
@click.option(
    "--sort",
    type=click.Choice(Sort),
    default=Sort.name,
    help="Counts and times: the largest first.",
)
@click.option("--reverse", is_flag=True, help="Reverse the order.")
@_limit_option
@format_option
@json_option
@click.pass_obj
def repos(
    settings: Settings,
    account: str | None,
    owner: str | None,
    language: str | None,
    topic: str | None,
    name: str | None,
    archived: bool | None,
    fork: bool | None,
    removed: bool,
    as_of: str | None,
    sort: Sort,
    reverse: bool,
    limit: int | None,
    fmt: Format,
    json: bool,
) -> None:
    """List the synced repositories.

    Example: repoledger repos --language python --sort stars --limit 10
    """
    column, descending = _ORDERS[sort]
    moment = past_moment_of(as_of, "--as-of")
    with open_ledger(settings) as ledger:
        from sync.database.queries import REPOSITORY_COLUMNS

        if account is not None and all(
            row["account"] != account for row in ledger.status(counted=False)
        ):
            settings.load().account(account)  # neither synced nor configured: an error

        rows = ledger.repos(
            account=account,
            owner=owner,
            language=language,
            topic=topic,
            name=name,
            archived=archived,
            fork=fork,
            removed=removed,
            as_of=moment,
            sort=column,
            descending=descending != reverse,
            limit=limit,
        )
        fmt = output.chosen(fmt, json)
        if fmt is Format.table:
            header = ("removed", "reason") if removed else ("pushed", "description")
            output.print_table(
                ("full_name", "stars", "language", *header),
                (_repository_cells(row, removed=removed) for row in rows),
                empty=_why_none(ledger, moment),
            )
        else:
            output.print_rows(rows, fmt, columns=REPOSITORY_COLUMNS)


def _why_none(ledger: Ledger, moment: datetime | None) -> str:
    """Return what to say of an empty list."""
    first = None if moment is None else ledger.first_sync()
    if moment is None or first is None or moment >= first:
        return "no repositories"
    return f"nothing was known yet: the first sync began at {first:%Y-%m-%d %H:%M} UTC"


def _repository_cells(row: Mapping[str, Any], *, removed: bool) -> tuple[Any, ...]:
    when, more = ("removed_at", "removal_reason") if removed else ("pushed_at", "description")
    moment = row[when]
    day = moment.date() if moment else None
    return (row["full_name"], row["stargazers_count"], row["language"], day, row[more])


@click.command
@click.option("--since", metavar="WHEN", help="A date, a time (UTC), or an age like 7d.")
@click.option(
    "--repository",
    metavar="OWNER/NAME",
    help="Only those of one repository, by present or former name.",
)
@click.option("--field", help="Only those of one field, such as description.")
@click.option(
    "--change",
    type=click.Choice(Kind),
    metavar="KIND",
    help=f"Only those of one kind: {', '.join(Kind)}.",
)
@_limit_option
@format_option
@json_option
@click.pass_obj
def changes(
    settings: Settings,
    since: str | None,
    repository: str | None,
    field: str | None,
    change: Kind | None,
    limit: int | None,
    fmt: Format,
    json: bool,
) -> None:
    """Show what changed, the newest first.

    Example: repoledger changes --since 7d --repository octocat/hello-world
    """
    moment = moment_of(since, "--since")
    fmt = output.chosen(fmt, json)
    with open_ledger(settings) as ledger:
        rows = ledger.changes(
            since=moment, repository=repository, field=field, kind=change, limit=limit
        )
        output.print_rows(
            map(_without_document, rows) if fmt is Format.table else rows,
            fmt,
            columns=(*_CHANGE, "host", "repository_id", "run_id"),
            table_columns=_CHANGE,
            empty="no changes",
        )


def _without_document(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a change without what is too long for a table: all fields of a repository at once."""
    whole = row["change"] in (Kind.created, Kind.redacted)
    return {**row, "new_value": None} if whole else row


@click.command
@click.argument("sql", help="One statement; - reads it from stdin.")
@format_option
@json_option
@click.pass_obj
def query(settings: Settings, sql: str, fmt: Format, json: bool) -> None:
    """Run one read-only SQL statement against the database.

    Example: repoledger query "SELECT full_name FROM current_repositories"
    """
    text = sys.stdin.read() if sql == "-" else sql
    # Python would look at Ctrl-C only when the database has found the next row.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with open_ledger(settings) as ledger, ledger.query(text) as (names, rows):
        columns = _unique(names)
        dicts = (dict(zip(columns, row, strict=True)) for row in rows)
        output.print_rows(dicts, output.chosen(fmt, json), columns=columns, empty="no rows")


def _unique(names: Sequence[str]) -> list[str]:
    """Return the column names with repeated ones numbered, so that none hides another."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return result
