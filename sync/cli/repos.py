"""The command repos: the repositories, now or at an earlier time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import click

from sync.cli import completion, output
from sync.cli.hosts import host_columns, host_option
from sync.cli.output import limit_option
from sync.cli.result import Result, result_options
from sync.cli.settings import Settings, open_ledger
from sync.cli.times import past_moment_of

if TYPE_CHECKING:
    from datetime import datetime

    from sync.database.queries import Ledger


class Sort(StrEnum):
    name = "name"
    stars = "stars"
    forks = "forks"
    issues = "issues"
    size = "size"
    created = "created"
    updated = "updated"
    pushed = "pushed"
    views = "views"
    clones = "clones"
    downloads = "downloads"


# The column of each order, and whether the largest value comes first.
_ORDERS = {
    Sort.name: ("full_name", False),
    Sort.stars: ("stargazers_count", True),
    Sort.forks: ("forks_count", True),
    Sort.issues: ("open_issues_count", True),
    Sort.size: ("size", True),
    Sort.created: ("created_at", True),
    Sort.updated: ("updated_at", True),
    Sort.pushed: ("pushed_at", True),
    Sort.views: ("views", True),
    Sort.clones: ("clones", True),
    Sort.downloads: ("downloads", True),
}
_BY_FIGURES = (Sort.views, Sort.clones, Sort.downloads)


@click.command
@click.option(
    "--account",
    metavar="NAME",
    shell_complete=completion.accounts,
    help="Only repositories that this account lists.",
)
@host_option
@click.option(
    "--owner",
    metavar="LOGIN",
    shell_complete=completion.owners,
    help="Only repositories of this owner.",
)
@click.option(
    "--language",
    shell_complete=completion.languages,
    help="Only repositories in this language.",
)
@click.option(
    "--topic", shell_complete=completion.topics, help="Only repositories with this topic."
)
@click.option("--name", help="Only repositories whose full name contains this text.")
@click.option(
    "--archived/--not-archived", default=None, help="Only archived repositories, or none of them."
)
@click.option("--fork/--not-fork", default=None, help="Only forks, or none of them.")
@click.option("--removed", is_flag=True, help="Show removed repositories instead.")
@click.option(
    "--as-of",
    metavar="WHEN",
    help="Show the past: a date (its end), a UTC time, or an age like 30d. "
    "Counters and updated_at are daily values.",
)
@click.option(
    "--sort",
    type=click.Choice(Sort),
    default=Sort.name,
    metavar="ORDER",
    help=f"Order of the list: {', '.join(Sort)}. Largest or newest first, except for name.",
)
@click.option(
    "--figures",
    is_flag=True,
    help="Also show views and clones of the last 14 days (clones with those of CI), and "
    "downloads; empty if unknown. Implied by a sort by them.",
)
@click.option("--reverse", is_flag=True, help="Reverse the order.")
@limit_option
@result_options
@click.pass_obj
def repos(
    settings: Settings,
    account: str | None,
    host: str | None,
    owner: str | None,
    language: str | None,
    topic: str | None,
    name: str | None,
    archived: bool | None,
    fork: bool | None,
    removed: bool,
    as_of: str | None,
    sort: Sort,
    figures: bool,
    reverse: bool,
    limit: int | None,
    result: Result,
) -> None:
    """List the synced repositories.

    Example: repoledger repos --language python --sort stars --limit 10
    """
    column, descending = _ORDERS[sort]
    moment = past_moment_of(as_of, "--as-of")
    figures = figures or sort in _BY_FIGURES
    if figures and moment is not None:
        raise click.UsageError(
            "views, clones and downloads are shown as they are now: leave out --as-of, or see "
            "`repoledger history OWNER/NAME --counter views`"
        )
    with result.opened(), open_ledger(settings) as ledger:
        from sync.database.queries import FIGURES, REPOSITORY_COLUMNS

        if account is not None and all(
            row["account"] != account for row in ledger.status(counted=False)
        ):
            settings.load().account(account)  # neither synced nor configured: an error

        rows = ledger.repos(
            account=account,
            host=host,
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
            figures=figures,
        )
        more = FIGURES if figures else ()
        if result.is_table:
            header = ("removed", "reason") if removed else ("pushed", "description")
            at = host_columns(ledger.hosts())
            # Figures take the place of the description.
            shown = (*more, header[0]) if figures else header
            output.print_table(
                (*at, "full_name", "stars", "language", *shown),
                (
                    (*(row[column] for column in at), *_cells(row, more, removed=removed))
                    for row in rows
                ),
                empty=_why_none(ledger, moment),
            )
        else:
            output.print_rows(rows, result.format, columns=(*REPOSITORY_COLUMNS, *more))


def _why_none(ledger: Ledger, moment: datetime | None) -> str:
    """Return the reason why the list is empty."""
    first = None if moment is None else ledger.first_sync()
    if moment is None or first is None or moment >= first:
        return "no repositories"
    return f"no data before {first:%Y-%m-%d %H:%M} UTC, the first sync"


def _cells(row: Mapping[str, Any], more: Sequence[str], *, removed: bool) -> tuple[Any, ...]:
    when, text = ("removed_at", "removal_reason") if removed else ("pushed_at", "description")
    moment = row[when]
    day = moment.date() if moment else None
    last = (*(row[name] for name in more), day) if more else (day, row[text])
    return (row["full_name"], row["stargazers_count"], row["language"], *last)
