"""The command repos: the repositories, now or at an earlier time."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.exceptions import Exit

from sync.cli import completion, output
from sync.cli.hosts import host_columns
from sync.cli.output import limit_option
from sync.cli.repository_columns import (
    FIGURES,
    GAINS,
    ORDERS,
    SHORT,
    cell_of,
    names_in,
    shown_columns,
    value_of,
)
from sync.cli.repository_filters import Wanted, filter_options
from sync.cli.result import Result, result_options
from sync.cli.settings import ExitCode, Settings, open_ledger
from sync.cli.times import moment_of, past_moment_of
from sync.cli.web import open_page
from sync.core.redaction import printable, scrub

if TYPE_CHECKING:
    from sync.database.queries import Ledger

Row = Mapping[str, Any]


@click.command
@click.argument(
    "names",
    metavar="[NAME]...",
    nargs=-1,
    shell_complete=completion.repositories,
    help="Names or patterns: OWNER/NAME, NAME, 'octo/*', '*-tools'. Default: all.",
)
@filter_options
@click.option(
    "--as-of",
    metavar="WHEN",
    help="Show the past: a date (its end), a UTC time, or an age like 30d. "
    "Counters and updated_at are daily values.",
)
@click.option(
    "--since",
    metavar="WHEN",
    help="Also show the stars and forks gained since a date, or in a time like 30d.",
)
@click.option(
    "--columns",
    multiple=True,
    metavar="A,B,...",
    shell_complete=completion.words_of((*SHORT, *GAINS, *FIGURES)),
    help=f"Columns to show: {', '.join(SHORT)}, gained, lost, views, or any field of the table.",
)
@click.option(
    "--sort",
    multiple=True,
    metavar="ORDER",
    shell_complete=completion.words_of(ORDERS),
    help=f"Order of the list: {', '.join(ORDERS)}, or several of them: stars,name. Largest, "
    "newest or most first, but texts by the alphabet. Default: name.",
)
@click.option(
    "--figures",
    is_flag=True,
    help="Also show views and clones of the last 14 days (clones with those of CI), and "
    "downloads; empty if unknown. Implied by a sort by them.",
)
@click.option("--reverse", is_flag=True, help="Reverse the order.")
@click.option("--web", is_flag=True, help="Open the one repository that is found in a browser.")
@limit_option
@result_options
@click.pass_obj
def repos(
    settings: Settings,
    names: tuple[str, ...],
    wanted: Wanted,
    as_of: str | None,
    since: str | None,
    columns: tuple[str, ...],
    sort: tuple[str, ...],
    figures: bool,
    reverse: bool,
    web: bool,
    limit: int | None,
    result: Result,
) -> None:
    """List the synced repositories.

    Examples: repoledger repos --language python --sort stars --limit 10;
    repoledger repos 'octo/*' --since 30d --sort gained
    """
    asked = _asked(columns, sort, figures=figures, since=since, as_of=as_of)
    (first, falls), *others = [(name, most_first != reverse) for name, most_first in asked.orders]
    all_known = True
    with result.opened(), open_ledger(settings) as ledger:
        wanted.require_account(settings, ledger)
        rows = ledger.repos(
            names=names,
            as_of=asked.moment,
            sort=first,
            descending=falls,
            then=others,
            limit=2 if web else limit,
            figures=asked.figures,
            gained_since=asked.gained_since,
            **wanted.options,
        )
        if web:
            open_page(_only(list(rows))["html_url"])
            return
        found = _begun(rows)
        unknown = None if found else wanted.unknown_word(ledger)
        empty = unknown or _why_none(ledger, asked.moment)
        _print(found or (), asked, result, ledger, removed=wanted.removed, empty=empty)
        if unknown and not result.is_table:
            print(unknown, file=sys.stderr)
        if names and asked.moment is None:
            all_known = _tell_unmatched(ledger, names, removed=wanted.removed)
    if not all_known:
        raise Exit(ExitCode.FAILED)


class _Asked(NamedTuple):
    """The columns and the order of a list. `columns`: none were chosen, if empty."""

    columns: list[str]
    orders: list[tuple[str, bool]]
    figures: bool
    gained_since: date | None
    moment: datetime | None


def _asked(
    columns: Sequence[str],
    sort: Sequence[str],
    *,
    figures: bool,
    since: str | None,
    as_of: str | None,
) -> _Asked:
    from sync.database.filters import REPOSITORY_COLUMNS

    known = (*SHORT, *GAINS, *FIGURES, *REPOSITORY_COLUMNS)
    shown = names_in(columns, known, "--columns", "column")
    orders = names_in(sort, ORDERS, "--sort", "order") or ["name"]
    moment, begin = past_moment_of(as_of, "--as-of"), moment_of(since, "--since")
    for name in (*shown, *orders):
        if name in GAINS and begin is None:
            raise click.UsageError(f"{name} is counted from a day on: add --since, such as 30d")
    figures = figures or any(name in FIGURES for name in (*shown, *orders))
    if figures and moment is not None:
        raise click.UsageError(
            "views, clones and downloads are shown as they are now: leave out --as-of, or see "
            "`repoledger history OWNER/NAME --counter views`"
        )
    if begin is not None and begin > (moment or datetime.now(UTC)):
        what = "that is in the future" if moment is None else "must not be after --as-of"
        raise click.BadParameter(what, param_hint="--since")
    # A gain since a date begins with that day: after the end of the day before.
    gained_since = None if begin is None else (begin - timedelta(microseconds=1)).date()
    return _Asked(shown, [ORDERS[name] for name in orders], figures, gained_since, moment)


def _begun(rows: Iterator[Row]) -> Iterable[Row] | None:
    """Return the rows, or None if there are none."""
    first = next(rows, None)
    return None if first is None else chain((first,), rows)


def _print(
    rows: Iterable[Row], asked: _Asked, result: Result, ledger: Ledger, *, removed: bool, empty: str
) -> None:
    gains = asked.gained_since is not None
    if result.is_table:
        columns = [*host_columns(ledger.hosts())]
        shown = asked.columns or shown_columns(removed=removed, gains=gains, figures=asked.figures)
        columns += (name for name in shown if name not in columns)
        cells = ([cell_of(row, name) for name in columns] for row in rows)
        output.print_table(columns, cells, empty=empty)
        return
    from sync.database.filters import REPOSITORY_COLUMNS

    more = (*(GAINS if gains else ()), *(FIGURES if asked.figures else ()))
    columns = asked.columns or [*REPOSITORY_COLUMNS, *more]
    dicts = ({name: value_of(row, name) for name in columns} for row in rows)
    output.print_rows(dicts, result.format, columns=columns)


def _why_none(ledger: Ledger, moment: datetime | None) -> str:
    """Return the reason why the list is empty."""
    first = None if moment is None else ledger.first_sync()
    if moment is None or first is None or moment >= first:
        return "no repositories"
    return f"no data before {first:%Y-%m-%d %H:%M} UTC, the first sync"


def _only(rows: Sequence[Row]) -> Row:
    if len(rows) == 1:
        return rows[0]
    if not rows:
        raise click.UsageError("--web opens a repository, but there is none like this")
    some = f"{rows[0]['full_name']} and {rows[1]['full_name']}"
    raise click.UsageError(f"--web opens one repository, and there are several: {some}, ...")


def _tell_unmatched(ledger: Ledger, names: Sequence[str], *, removed: bool) -> bool:
    """Say which names no repository has; return whether all have one."""
    all_known = True
    for name, near, is_elsewhere in ledger.unmatched(names, removed=removed):
        all_known = False
        advice = f"; did you mean {' or '.join(near)}?" if near else ""
        if is_elsewhere:
            advice = "; it is not removed" if removed else "; it is removed: see --removed"
        said = f"no repository is called {name}{advice}"
        print(printable(scrub(said)), file=sys.stderr)
    return all_known
