"""Commands that ask the ledger: repos, changes, history, query."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sync.cli import output
from sync.cli.output import Format, FormatOption, JsonOption
from sync.cli.settings import Settings

if TYPE_CHECKING:
    from sync.database.queries import Ledger

AccountOption = Annotated[
    str | None, typer.Option("--account", metavar="NAME", help="Only what this account lists.")
]
LimitOption = Annotated[
    int | None, typer.Option(min=1, max=2**31, metavar="N", help="Show at most this many.")
]


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


def _ledger(ctx: typer.Context) -> Ledger:
    settings: Settings = ctx.obj
    config = settings.load()
    from sync.database.queries import Ledger

    return Ledger(config.database.url)


def repos(
    ctx: typer.Context,
    account: AccountOption = None,
    owner: Annotated[
        str | None, typer.Option(metavar="LOGIN", help="Only those of this owner.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="Only those in this language.")] = None,
    topic: Annotated[str | None, typer.Option(help="Only those with this topic.")] = None,
    name: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only those whose full name contains this.")
    ] = None,
    archived: Annotated[
        bool | None, typer.Option("--archived/--not-archived", help="Only archived, or none.")
    ] = None,
    fork: Annotated[
        bool | None, typer.Option("--fork/--not-fork", help="Only forks, or none.")
    ] = None,
    removed: Annotated[
        bool, typer.Option("--removed", help="Show removed repositories instead.")
    ] = False,
    sort: Annotated[Sort, typer.Option(help="Counts and times: the largest first.")] = Sort.name,
    reverse: Annotated[bool, typer.Option("--reverse", help="Reverse the order.")] = False,
    limit: LimitOption = None,
    fmt: FormatOption = Format.table,
    json: JsonOption = False,
) -> None:
    """List the synced repositories.

    Example: repoledger repos --language python --sort stars --limit 10
    """
    column, descending = _ORDERS[sort]
    with _ledger(ctx) as ledger:
        from sync.database.queries import REPOSITORY_COLUMNS

        if account is not None and all(
            row["account"] != account for row in ledger.status(counted=False)
        ):
            ctx.obj.load().account(account)  # neither synced nor configured: an error

        rows = ledger.repos(
            account=account,
            owner=owner,
            language=language,
            topic=topic,
            name=name,
            archived=archived,
            fork=fork,
            removed=removed,
            sort=column,
            descending=descending != reverse,
            limit=limit,
        )
        fmt = output.chosen(fmt, json)
        if fmt is Format.table:
            output.print_table(
                ("full_name", "stars", "language", "pushed", "description"),
                (_repository_cells(row) for row in rows),
                empty="no repositories",
            )
        else:
            output.print_rows(rows, fmt, columns=REPOSITORY_COLUMNS)


def _repository_cells(row: Mapping[str, Any]) -> tuple[Any, ...]:
    pushed = row["pushed_at"]
    return (
        row["full_name"],
        row["stargazers_count"],
        row["language"],
        pushed.date() if pushed else None,
        row["description"],
    )


def changes(
    ctx: typer.Context,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="A date, a time (UTC), or an age like 7d.")
    ] = None,
    repository: Annotated[
        str | None,
        typer.Option(
            metavar="OWNER/NAME", help="Only those of one repository, by present or former name."
        ),
    ] = None,
    field: Annotated[
        str | None, typer.Option(help="Only those of one field, such as description.")
    ] = None,
    limit: LimitOption = None,
    fmt: FormatOption = Format.table,
    json: JsonOption = False,
) -> None:
    """Show what changed, the newest first.

    Example: repoledger changes --since 7d --repository octocat/hello-world
    """
    moment = _moment(since, "--since")
    with _ledger(ctx) as ledger:
        output.print_rows(
            ledger.changes(since=moment, repository=repository, field=field, limit=limit),
            output.chosen(fmt, json),
            columns=(
                *("observed_at", "full_name", "field", "old_value", "new_value"),
                *("host", "repository_id", "run_id"),
            ),
            table_columns=("observed_at", "full_name", "field", "old_value", "new_value"),
            empty="no changes",
        )


def history(
    ctx: typer.Context,
    repository: Annotated[
        str, typer.Argument(metavar="OWNER/NAME", help="The repository, by present or former name.")
    ],
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="First day: a date, or an age like 90d.")
    ] = "30d",
    fmt: FormatOption = Format.table,
    json: JsonOption = False,
) -> None:
    """Show a repository's counters day by day.

    Example: repoledger history octocat/hello-world --since 90d --format csv
    """
    moment = _moment(since, "--since")
    first = moment.date() if moment else date.min
    with _ledger(ctx) as ledger:
        output.print_rows(
            ledger.history(repository, since=first, until=datetime.now(UTC).date()),
            output.chosen(fmt, json),
            columns=(
                *("day", "stargazers_count", "forks_count", "open_issues_count"),
                *("watchers_count", "size"),
            ),
            empty="nothing is known of those days",
        )


def query(
    ctx: typer.Context,
    sql: Annotated[
        str, typer.Argument(metavar="SQL", help="One statement; - reads it from stdin.")
    ],
    fmt: FormatOption = Format.table,
    json: JsonOption = False,
) -> None:
    """Run one read-only SQL statement against the database.

    Example: repoledger query "SELECT full_name FROM current_repositories"
    """
    text = sys.stdin.read() if sql == "-" else sql
    # Python would look at Ctrl-C only when the database has found the next row.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with _ledger(ctx) as ledger, ledger.query(text) as (names, rows):
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


def _moment(text: str | None, option: str) -> datetime | None:
    """Parse a date, a time (UTC unless it says otherwise) or an age."""
    if text is None:
        return None
    age = re.fullmatch(r"(\d{1,5})\s*([mhdw])", text.strip())
    if age:
        unit = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[age[2]]
        return datetime.now(UTC) - timedelta(**{unit: int(age[1])})
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            "it must be a date (2026-05-01), a time (2026-05-01T12:00) or an age (7d, 12h)",
            param_hint=option,
        ) from None
