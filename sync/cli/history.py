"""The command history: a repository's counters day by day, as figures or drawn."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import Exit

from sync.cli import completion, output
from sync.cli.counters import (
    COLUMNS,
    SERIES,
    SHOWN,
    VIEWS,
    Counter,
    Series,
    Step,
    reach_of,
    steps_in,
    together,
)
from sync.cli.hosts import host_option, repository_at
from sync.cli.output import Format, json_option
from sync.cli.output_files import replacing
from sync.cli.settings import ExitCode, Settings, open_ledger
from sync.cli.times import moment_of
from sync.core.extras import needed_for

if TYPE_CHECKING:
    from sync.database.queries import Ledger

Rows = Sequence[Mapping[str, Any]]

_DAYS = 30
_ALL = "all"
_PLOT_HEIGHT = 8
_AROUND_PLOT = 5  # lines: a blank one, title, axis, dates, the shell's next prompt


class HistoryFormat(StrEnum):
    table = "table"
    json = "json"
    ndjson = "ndjson"
    csv = "csv"
    svg = "svg"
    png = "png"


_CHARTS = (HistoryFormat.svg, HistoryFormat.png)


@click.command
@click.argument(
    "repository",
    metavar="OWNER/NAME",
    shell_complete=completion.repositories,
    help="The repository: present or former name, HOST/OWNER/NAME or address.",
)
@host_option
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
    "what GitHub tells of days before the first sync. Default: a table of the others; drawn "
    "are stars on a terminal, all in svg and png.",
)
@click.option(
    *("--output", "file"),
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the result to this file.",
)
@click.option(
    *("--format", "fmt"),
    type=click.Choice(HistoryFormat),
    help="Format of the result; svg and png are charts. Default: that of FILE's name, or a table.",
)
@json_option
@click.pass_obj
def history(
    settings: Settings,
    repository: str,
    host: str | None,
    since: str | None,
    until: str | None,
    counter: Counter | None,
    file: Path | None,
    fmt: HistoryFormat | None,
    json: bool,
) -> None:
    """Show a repository's counters day by day.

    Views, clones and downloads are shown with --counter; a day that is not known is empty.
    Clones include those of CI.

    Examples: repoledger history octocat/hello-world --since 90d --format csv;
    repoledger history octocat/hello-world --counter stars --since all --output stars.svg
    """
    today = datetime.now(UTC).date()
    first, last = _days(since, until, today)
    repository = repository_at(host, repository)
    fmt = HistoryFormat.json if json else fmt or _format_of(file)
    if fmt in _CHARTS:
        _require_chart(fmt, file)
    with open_ledger(settings) as ledger:
        removed = ledger.removed_on(repository)
        if since is None and until is None and removed is not None:
            first, last = _days(None, None, removed)
        rows = _rows(ledger, repository, counter, first, last)
        name = ledger.full_name(repository)
    if fmt in _CHARTS:
        picture = _chart(name, rows, fmt, counter)
        with replacing(file) if file else contextlib.nullcontext(sys.stdout.buffer) as stream:
            stream.write(picture)
    elif file is None:
        if fmt is HistoryFormat.table and rows and sys.stdout.isatty():
            _show(name, rows, counter)
        else:
            _print(rows, fmt, counter)
    else:
        with replacing(file) as stream, _as_stdout(stream):
            _print(rows, fmt, counter)


def _format_of(file: Path | None) -> HistoryFormat:
    """Return the format that the name of a file ends with, or a table."""
    suffix = file.suffix.lower().removeprefix(".") if file else ""
    return HistoryFormat(suffix) if suffix in list(HistoryFormat) else HistoryFormat.table


def _rows(
    ledger: Ledger, repository: str, counter: Counter | None, first: date, last: date
) -> list[Mapping[str, Any]]:
    """Return a row for each day of which the ledger tells something, or that it is unknown."""
    own: list[Mapping[str, Any]] = []
    if counter is None or counter in COLUMNS:
        own = list(ledger.history(repository, since=first, until=last))
    if counter is None or counter not in VIEWS:
        return own
    told = ledger.figures(repository, VIEWS[counter], since=first, until=last)
    return list(together(own, list(told), tuple(SHOWN[counter])))


def _days(since: str | None, until: str | None, today: date) -> tuple[date, date]:
    """Return the first and the last day, none of them in the future."""
    end = moment_of(until, "--until")
    start = datetime.min.replace(tzinfo=UTC) if since == _ALL else moment_of(since, "--since")
    last = min(end.date(), today) if end else today
    if start is None:
        return date.fromordinal(max(last.toordinal() - _DAYS, 1)), last
    if end and start.date() > end.date():
        raise click.BadParameter("must not be before --since", param_hint="--until")
    return start.date(), last


def _print(rows: Rows, fmt: HistoryFormat, counter: Counter | None) -> None:
    shown = (*SHOWN[counter],) if counter and counter in SHOWN else (*COLUMNS.values(),)
    output.print_rows(
        rows, Format(fmt.value), columns=("day", *shown), empty="no data for these days"
    )


def _show(name: str, rows: Rows, counter: Counter | None) -> None:
    """Show a table on a terminal, with plots below it, where a long table does not hide them."""
    # The database's names of the counters would need more than 80 columns.
    short = {column: each.value for each, column in COLUMNS.items()}
    shown = SHOWN.get(counter, short) if counter else short
    cells = ([row["day"], *(row[column] for column in shown)] for row in rows)
    output.print_table(("day", *shown.values()), cells)
    from sync.cli.plot import plotted

    lines = _lines(rows, counter or Counter.stars)
    terminal = shutil.get_terminal_size()
    fitting = (terminal.lines - 1) // len(lines) - _AROUND_PLOT + 1
    for series, steps in lines.items():
        plot = plotted(
            _title(name, series, steps),
            steps,
            width=terminal.columns,
            height=max(3, min(_PLOT_HEIGHT, fitting)),
            plain=not _has_braille(),
        )
        for line in ["", *plot] if plot else []:
            print(line)


def _lines(rows: Rows, counter: Counter) -> dict[Series, list[Step]]:
    """Return what is drawn of a counter: lines, and those that were asked for of days."""
    present = [each for each in SERIES[counter] if rows and each.column in rows[0]]
    return {each: steps_in(rows, each.column) for each in present or SERIES[counter][:1]}


def _title(name: str, series: Series, steps: Sequence[Step]) -> str:
    if series.filled:
        return f"{series.label} of {name}"
    reach = reach_of(steps)
    return f"{name}: {series.label}" + (f", until {reach}" if reach else "")


def _has_braille() -> bool:
    """Tell whether the terminal can show braille; the console of Linux cannot."""
    try:
        "⣿┤".encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return False
    return os.environ.get("TERM") not in ("linux", "dumb")


@contextlib.contextmanager
def _as_stdout(stream: Any) -> Iterator[None]:
    """Redirect the output to a file, in UTF-8 on every machine."""
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="backslashreplace", newline="\n")
    try:
        with contextlib.redirect_stdout(text):
            yield
        text.detach()
    except BaseException:
        with contextlib.suppress(OSError):  # the disk is still full
            text.close()
        raise


def _require_chart(fmt: HistoryFormat, file: Path | None) -> None:
    """End with exit code 2 if a chart could not be drawn, or would be shown as characters."""
    if file is None and sys.stdout.isatty():
        output.print_error(
            f"a terminal cannot show {fmt.value}: add `--output FILE`, or redirect it"
        )
        raise Exit(ExitCode.WRONG_USE)
    os.environ["MPLBACKEND"] = "agg"  # draws without a window; a wrong name would fail
    with _quietly(), needed_for("a chart", "matplotlib"):
        from sync.cli import chart  # noqa: F401  # fails if matplotlib is not installed


def _chart(name: str, rows: Rows, fmt: HistoryFormat, counter: Counter | None) -> bytes:
    lines: dict[Series, list[Step]] = {}
    for each in [counter] if counter else COLUMNS:
        lines |= _lines(rows, each)
    with _quietly():
        from sync.cli import chart

        return chart.drawn(name, lines, fmt.value)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Silence matplotlib's messages about its fonts and folders.

    It logs that its cache is in a temporary folder, warns of characters missing in its
    fonts, and starts `fc-list`, which writes to stderr if HOME is read-only.
    """
    import logging  # not at the start of every command

    logging.getLogger("matplotlib").setLevel(logging.CRITICAL)
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
