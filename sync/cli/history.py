"""The command history: counters of repositories day by day, as figures or drawn."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from sync.charts.picture import Theme
from sync.cli import completion, output
from sync.cli.chart_file import CHART_ENDINGS, ChartFormat, require_place, write
from sync.cli.counters import Counter
from sync.cli.formats import format_of
from sync.cli.past import Past, require_summable
from sync.cli.past_read import Asked, compared, of_repository, summed
from sync.cli.repository_filters import Wanted, filter_options
from sync.cli.result import Result, output_option
from sync.cli.settings import Settings, open_ledger
from sync.cli.times import end_of, moment_of, require_period

_DAYS = 30
_ALL = "all"


@click.command
@click.argument(
    "repositories",
    metavar="[OWNER/NAME]...",
    nargs=-1,
    shell_complete=completion.repositories,
    help="The repositories: present or former names, HOST/OWNER/NAME, addresses, or patterns "
    "such as 'octo/*'. Several are compared.",
)
@filter_options
@click.option(
    "--total",
    is_flag=True,
    help="Sum the counter of all these repositories; without names and filters, of all.",
)
@click.option(
    "--since",
    metavar="WHEN",
    help="First day: a date, an age like 90d, or all: also before the first sync, where "
    f"GitHub tells it. Default: {_DAYS} days before the last.",
)
@click.option(
    "--until",
    metavar="WHEN",
    help="Last day: a date, or an age like 7d. Default: today, or the day of the removal.",
)
@click.option(
    "--counter",
    type=click.Choice(Counter),
    help="Counter to show. stars, views, clones and downloads have tables of their own, with "
    "what GitHub tells of days before the first sync. Default: a table of several, a chart of "
    "the stars.",
)
@output_option
@click.option(
    *("--format", "fmt"),
    type=click.Choice(ChartFormat),
    help="Format of the result; svg and png are charts. Default: that of FILE's name, or a table.",
)
@click.option("--json", is_flag=True, help="Same as --format json.")
@click.option(
    "--theme",
    type=click.Choice(Theme),
    default=Theme.auto,
    help="Colours of a chart; auto: light or dark as the reader's device, in png light.",
)
@click.pass_obj
def history(
    settings: Settings,
    repositories: Sequence[str],
    wanted: Wanted,
    total: bool,
    since: str | None,
    until: str | None,
    counter: Counter | None,
    file: Path | None,
    fmt: ChartFormat | None,
    json: bool,
    theme: Theme,
) -> None:
    """Show counters of repositories day by day: of one, several compared, or their sum.

    Views, clones and downloads are shown with --counter; a day that is not known is empty.
    Clones include those of CI.

    Examples: repoledger history octocat/hello-world --since 90d --output stars.svg;
    repoledger history octo/alpha octo/beta; repoledger history --total --owner octo --since 1y
    """
    if json and fmt not in (None, ChartFormat.json):
        raise click.UsageError(f"--json and --format {fmt} contradict each other")
    fmt = format_of(file, ChartFormat.json if json else fmt, CHART_ENDINGS, ChartFormat.table)
    require_place(fmt, file)
    asked = Asked(
        names=repositories,
        wanted=wanted,
        # A chart is of one counter.
        counter=counter or (Counter.stars if fmt.is_chart else None),
        span=_days(since, until, datetime.now(UTC).date()),
        is_default_span=since is None and until is None,
    )
    if total:
        _require_total(asked)
    elif not repositories and not wanted.is_filter:
        raise click.UsageError(
            "name a repository, such as OWNER/NAME, or add --total for the sum of all"
        )
    with open_ledger(settings) as ledger:
        wanted.require_account(settings, ledger)
        if total:
            past = summed(ledger, asked)
        elif asked.is_of_one:
            past = of_repository(ledger, asked, last_days)
        else:
            past = compared(ledger, asked)
    if fmt.is_chart:
        write(past.picture(), fmt, theme, file)
        return
    result = Result(fmt.of_lists, file)
    with result.opened():
        if result.is_table and file is None and past.rows and sys.stdout.isatty():
            from sync.cli.past_shown import show

            show(past)
        else:
            _print(past, result)


def _require_total(asked: Asked) -> None:
    """Raise UsageError for what cannot be summed."""
    try:
        require_summable(asked.counter or Counter.stars)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    for option, given in (("--removed", asked.wanted.removed), ("--search", asked.wanted.words)):
        if given:
            raise click.UsageError(f"--total sums what there is now: leave out {option}")


def _days(since: str | None, until: str | None, today: date) -> tuple[date, date]:
    """Return the first and the last day, none of them in the future."""
    start = datetime.min.replace(tzinfo=UTC) if since == _ALL else moment_of(since, "--since")
    end = end_of(until, "--until")
    require_period(start, end, since, until)
    last = min(end.date(), today) if end else today
    if start is None:
        return last_days(last)
    return start.date(), last


def last_days(last: date) -> tuple[date, date]:
    """Return the days that are shown if nothing else is asked for."""
    return date.fromordinal(max(last.toordinal() - _DAYS, 1)), last


def _print(past: Past, result: Result) -> None:
    empty = "no data for these days"
    if result.is_table:
        cells: Any = ([row["day"], *(row[name] for name in past.columns)] for row in past.rows)
        output.print_table(("day", *past.columns.values()), cells, empty=empty)
    else:
        output.print_rows(past.rows, result.format, columns=("day", *past.columns))
