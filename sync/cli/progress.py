"""A bar on a terminal that shows how far something has come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sync.cli import output
from sync.progress import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from sync.database.rows import RunCounts
    from sync.forecast import Forecast

Report = Callable[[int, int | None], None]


@contextmanager
def progress_bar(label: str, unit: str) -> Iterator[Report | None]:
    """Yield what takes how much is done, and of how much; None where there is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    with _bars(unit) as bars:
        task = bars.add_task(output.table_cell(label), total=None)

        def update(done: int, total: int | None) -> None:
            bars.update(task, completed=done, total=max(total, done) if total else None)

        yield update


@contextmanager
def run_progress(account: str) -> Iterator[Progress]:
    """Yield what shows the progress of an account's run; where there is no terminal, nowhere."""
    if not sys.stderr.isatty():
        yield Progress()
        return
    with _bars("pages") as bars:
        yield _RunBar(account, bars)


class _RunBar(Progress):
    def __init__(self, account: str, bars: Bars) -> None:
        self._account = account
        self._bars = bars
        self._task = bars.add_task(account, total=None)
        self._waits_until = datetime.min.replace(tzinfo=UTC)

    def foreseen(self, forecast: Forecast) -> None:
        self._bars.console.print(f"{self._account}: {forecast_text(forecast)}", highlight=False)

    def page_stored(self, counts: RunCounts, pages: int | None) -> None:
        total = max(pages, counts.pages) if pages else None
        self._bars.update(self._task, completed=counts.pages, total=total)
        # Pages that arrived before the limit was met are stored while others wait.
        if datetime.now(UTC) >= self._waits_until:
            self._bars.update(self._task, description=self._account)

    def waiting(self, until: datetime) -> None:
        self._waits_until = max(self._waits_until, until)
        seconds = (until - datetime.now(UTC)).total_seconds()
        text = f"{self._account}: waits {_length(seconds)} for quota, until {_clock(until)}"
        self._bars.update(self._task, description=text)


def forecast_text(forecast: Forecast) -> str:
    """Return a forecast as a sentence or two."""
    pages, requests = f"{forecast.pages:,} pages", f"about {forecast.requests:,} requests"
    if forecast.available is None or forecast.hourly is None or forecast.reset is None:
        return f"{pages}: {requests}, about {_length(forecast.seconds)}; no limit is set."
    until = _clock(forecast.reset)
    if forecast.resets == 0:
        length = _length(forecast.seconds)
        return f"{pages}: {requests} of the {forecast.available:,} until {until}, about {length}."
    rest = f"{pages}: {requests}, and {forecast.available:,} may be made until {until}"
    if forecast.quota_enough_at is None:
        cure = "Lower github.reserve" if forecast.resumable else "Use a token"
        return f"{rest}, {forecast.hourly:,} an hour later: never enough. {cure}."
    return (
        f"{rest}, {forecast.hourly:,} an hour later: enough at "
        f"{_clock(forecast.quota_enough_at)}. What is stored by then is not asked for again."
    )


def _clock(moment: datetime) -> str:
    """Return a time of the day in UTC, with the date if it is not today."""
    today = moment.date() == datetime.now(UTC).date()
    return f"{moment.astimezone(UTC):{'%H:%M' if today else '%Y-%m-%d %H:%M'}} UTC"


def _length(seconds: float) -> str:
    if seconds < 100:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{round(minutes / 60)} h"


def _bars(unit: str) -> Bars:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
    )
    return Bars(*columns, console=Console(stderr=True), transient=True)
