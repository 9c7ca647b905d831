"""The daemon's runs: a watchdog ends silent ones, and each has an outcome, whatever happens."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from structlog import get_logger

from sync.config import Account
from sync.core.errors import ConfigError, DatabaseError, RepoledgerError, RunInProgress
from sync.daemon.ledger import OpenLedger
from sync.database.writes import RESOURCES_ONLY
from sync.forges.limits import SharedLimits
from sync.rest.stats import RequestStats
from sync.run.options import RunOptions
from sync.run.outcome import RunOutcome, log_outcome
from sync.run.record import record_refusal
from sync.run.run import run_account
from sync.signin.clients import client_for

log = get_logger("sync.daemon")

_SILENT = "the run showed no sign of life for longer than any of its deadlines, and was ended"

# Seconds that a run may wait for quota. A longer wait defers the run, since other accounts may
# need its worker.
_LONGEST_WAIT = 60.0

# Seconds of silence, beside twice a request's timeout, after which a run is ended. Everything a
# run waits for between requests has a shorter deadline: token commands, quota, a busy database.
PATIENCE = 300.0


class Stop(threading.Event):
    """A stop event with parts: setting it sets all parts."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: set[threading.Event] = set()

    def set(self) -> None:
        super().set()
        for part in tuple(self._parts):
            part.set()

    @contextmanager
    def part(self) -> Iterator[threading.Event]:
        """Yield a part, which can also be set alone."""
        part = threading.Event()
        self._parts.add(part)
        if self.is_set():
            part.set()
        try:
            yield part
        finally:
            self._parts.discard(part)


class RunUnderWay:
    """A run under way.

    `stop`: ends the run when set. `stats`: its client's, once there is one; changes in them are
    signs of life. `ended`: whether the watchdog has ended the run.
    """

    def __init__(self, stop: threading.Event, patience: float) -> None:
        self.stop = stop
        self.stats: RequestStats | None = None
        self.ended = False
        self._patience = patience
        self._signs: tuple[float, ...] = ()
        self._heard_at = time.monotonic()

    def silence(self) -> float | None:
        """Return the seconds without a sign of life; None if they are within the limit."""
        stats = self.stats
        signs = (stats.requests, stats.wait_seconds, stats.pace_seconds) if stats else ()
        if signs != self._signs:
            self._signs, self._heard_at = signs, time.monotonic()
        silence = time.monotonic() - self._heard_at
        return silence if silence > self._patience else None


class Runs:
    """The runs under way; setting `stop` ends all of them."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._runs: dict[str, RunUnderWay] = {}

    @contextmanager
    def watch(self, account: str, timeout: float) -> Iterator[RunUnderWay]:
        """Watch a run whose requests have a timeout of `timeout` seconds each."""
        with self._stop.part() as stop:
            run = self._runs[account] = RunUnderWay(stop, PATIENCE + 2 * timeout)
            try:
                yield run
            finally:
                del self._runs[account]

    def silent(self) -> Mapping[str, float]:
        """Return the accounts whose run shows no sign of life, with the seconds of silence."""
        silences = {name: run.silence() for name, run in tuple(self._runs.items())}
        return {name: silence for name, silence in silences.items() if silence is not None}

    def end_silent(self) -> None:
        """End silent runs; `silent` still reports those that do not stop."""
        for name, silence in self.silent().items():
            run = self._runs.get(name)
            if run is not None and not run.ended:
                run.ended = True
                run.stop.set()
                log.error("daemon.run_silent", account=name, seconds=round(silence))


def sync_account(
    account: Account,
    ledger: OpenLedger,
    environ: Mapping[str, str],
    runs: Runs,
    limits: SharedLimits,
    *,
    lists: bool = True,
    enough: Callable[[], bool] = lambda: False,
) -> tuple[RunOutcome, Counter[int]]:
    """Sync `account`; return the outcome, and the number of answers by HTTP status.

    `lists`: whether the listing is loaded, and not only resources. `enough`: whether the rest of
    the resources is left for later. Raises only RunInProgress: another process is syncing the
    account, which is no failure.
    """
    forge = ledger.config.forge_of(account)
    with runs.watch(account.name, forge.timeout) as run:
        try:
            outcome = _run(account, ledger, environ, run, limits, lists=lists, enough=enough)
        except RunInProgress:
            raise
        except ConfigError as error:
            trigger = _trigger(lists=lists)
            outcome = record_refusal(ledger.store, account.name, forge.host, trigger, error)
        except RepoledgerError as error:
            outcome = RunOutcome.not_begun(account.name, error)
            log_outcome(outcome)
        except BaseException as error:  # the scheduler would swallow a SystemExit
            log.exception("daemon.run_crashed", account=account.name)
            unexpected = RepoledgerError(f"unexpected error: {type(error).__name__}")
            outcome = RunOutcome.not_begun(account.name, unexpected)
    if run.ended and outcome.status == "interrupted":
        # The watchdog's stop counts as a failure, so that the run is tried again with back-off.
        outcome = replace(outcome, status="failed", error=RepoledgerError(_SILENT))
    if isinstance(outcome.error, DatabaseError):
        ledger.store.close()  # the error may lie in its connections
    return outcome, run.stats.by_status if run.stats else Counter()


def _run(
    account: Account,
    ledger: OpenLedger,
    environ: Mapping[str, str],
    run: RunUnderWay,
    limits: SharedLimits,
    *,
    lists: bool,
    enough: Callable[[], bool],
) -> RunOutcome:
    config = ledger.config
    patience = min(config.forge_of(account).max_wait, _LONGEST_WAIT)
    # A new client for each run, so that a replaced token is used.
    with client_for(
        account, config, environ, stop=run.stop, max_wait=patience, limits=limits
    ) as client:
        run.stats = client.stats
        options = RunOptions.of(account, config, _trigger(lists=lists), lists=lists, enough=enough)
        return run_account(options, client, ledger.store, limits=limits)


def _trigger(*, lists: bool) -> str:
    return "schedule" if lists else RESOURCES_ONLY
