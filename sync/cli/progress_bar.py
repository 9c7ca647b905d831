"""Progress bars on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from sync.cli import output
from sync.cli.times import time_of
from sync.core.clock import utc_now
from sync.core.deadline import Deadline
from sync.run.progress import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from sync.database.writes import RunCounts
    from sync.run.forecast import Forecast

Report = Callable[[int, int | None], None]


@contextmanager
def progress_bar(label: str, unit: str) -> Iterator[Report | None]:
    """Yield a function that takes the progress and the total; None without a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    with _bars() as bars:
        task = bars.add_task(output.table_cell(label), total=None, unit=unit)

        def update(done: int, total: int | None) -> None:
            bars.update(task, completed=done, total=max(total, done) if total else None)

        yield update


@contextmanager
def run_progress(account: str) -> Iterator[Progress]:
    """Yield callbacks that show the progress of a run; without a terminal, they show nothing."""
    if not sys.stderr.isatty():
        yield Progress()
        return
    with _bars() as bars:
        yield _RunBar(account, bars)


class _RunBar(Progress):
    def __init__(self, account: str, bars: Bars) -> None:
        self._account = account
        self._bars = bars
        self._task = bars.add_task(account, total=None, unit="pages")
        self._readings = 0
        self._pause: Deadline | None = None

    def forecast_made(self, forecast: Forecast) -> None:
        self._bars.console.print(f"{self._account}: {forecast_text(forecast)}", highlight=False)

    def page_stored(self, counts: RunCounts, pages: int | None) -> None:
        total = max(pages, counts.pages) if pages else None
        self._bars.update(self._task, completed=counts.pages, total=total)
        self._describe(self._account)

    def resource_stored(self, resource: str, left: int) -> None:
        self._readings += 1
        total = self._readings + left
        self._bars.update(self._task, completed=self._readings, total=total, unit="readings")
        self._describe(f"{self._account}: {resource}")

    def _describe(self, text: str) -> None:
        """Show `text`, unless requests wait: what arrived before the limit is still stored."""
        if self._pause is None or not self._pause.left(utc_now()):
            self._bars.update(self._task, description=text)

    def waiting(self, until: datetime) -> None:
        now = utc_now()
        if self._pause is None or until - now > self._pause.left(now):
            self._pause = Deadline(until, now)
        seconds = (until - now).total_seconds()
        text = f"{self._account}: waits {_length(seconds)} for quota, until {time_of(until)}"
        self._bars.update(self._task, description=text)


def forecast_text(forecast: Forecast) -> str:
    """Return a forecast as a sentence or two."""
    pages, requests = f"{forecast.pages:,} pages", f"about {forecast.requests:,} requests"
    if forecast.available is None or forecast.hourly is None or forecast.reset is None:
        return f"{pages}: {requests}, about {_length(forecast.seconds)}; no rate limit."
    until = time_of(forecast.reset)
    if forecast.resets == 0:
        length = _length(forecast.seconds)
        return f"{pages}: {requests} of the {forecast.available:,} until {until}, about {length}."
    rest = f"{pages}: {requests}; the quota allows {forecast.available:,} until {until}"
    if forecast.quota_enough_at is None:
        cure = "Lower the configured reserve" if forecast.resumable else "Use a token"
        return f"{rest}, then {forecast.hourly:,} an hour: never enough. {cure}."
    return (
        f"{rest}, then {forecast.hourly:,} an hour: enough at "
        f"{time_of(forecast.quota_enough_at)}. Stored pages cost no quota then."
    )


def _length(seconds: float) -> str:
    if seconds < 100:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{round(minutes / 60)} h"


def _bars() -> Bars:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeElapsedColumn(),
    )
    return Bars(*columns, console=Console(stderr=True), transient=True)
