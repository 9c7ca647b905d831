"""The daemon: puts schedule, runs and health together, from start to stop.

A run is `run_account`, as in the command backfill. At each heartbeat, on the monotonic
clock, `sync.daemon.schedule` decides which accounts are due: after downtime, a suspend or a
clock change, an overdue sync runs once, right away.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime

from structlog import get_logger

from sync import __version__
from sync.config import Config
from sync.core.clock import Clock, utc_now
from sync.core.errors import ConfigError, DatabaseError, RepoledgerError, RunInProgress
from sync.daemon.accounts import Accounts, AccountState
from sync.daemon.health import Monitor
from sync.daemon.http import Listener
from sync.daemon.jobs import Jobs
from sync.daemon.ledger import OpenLedger, Rows
from sync.daemon.metrics import Metrics
from sync.daemon.notify import notify, reloading
from sync.daemon.pings import Pings, address_after
from sync.daemon.readings import has_read_enough
from sync.daemon.runs import Runs, Stop, sync_account
from sync.forges.limits import SharedLimits
from sync.run.outcome import RunOutcome
from sync.signin.tokens import require_secret

log = get_logger("sync.daemon")

HEARTBEAT = 5.0  # seconds
_PATIENCE = 3.5  # seconds for runs to end at a stop, which must take less than five in all


class Daemon:
    """Syncs the accounts of the configuration that `load` returns, until it is stopped.

    `environ`: environment variables, which may hold tokens. `heartbeat`: seconds between two
    checks for due accounts.
    """

    def __init__(
        self,
        load: Callable[[], Config],
        environ: Mapping[str, str],
        *,
        heartbeat: float = HEARTBEAT,
        clock: Clock = utc_now,
    ) -> None:
        self.stop_event = Stop()
        self._load = load
        self._environ = environ
        self._heartbeat = heartbeat
        self._clock = clock
        self._limits = SharedLimits()
        self._runs = Runs(self.stop_event)
        self._pings = Pings(self.stop_event)
        self._listener: Listener | None = None

    # From start to stop

    def start(self) -> None:
        """Start the daemon. Raises ConfigError, AddressTaken and DatabaseError."""
        config = self._load()
        _require_a_credential(config, self._environ)
        ledger = OpenLedger.open(config, self.stop_event)
        self._jobs = Jobs(self._run, self._missed, config.schedule.concurrency, self._read)
        self._accounts = Accounts(self._jobs, ledger, self._clock)
        self._metrics = Metrics(self._accounts.states, self._clock)
        self._monitor = Monitor(
            self._accounts, self._jobs, self._runs, self._metrics, self._heartbeat, self._clock
        )
        self._listener = self._listen(config)
        ledger.mend()
        self._take(ledger, ledger.rows(), at_start=config.schedule.run_at_start)
        log.info(
            "daemon.started",
            version=__version__,
            accounts=len(config.accounts),
            listen=self._listens_at(),
        )
        self._jobs.start()
        self._beating = self._repeat(self._beat, "heartbeat")
        # In a thread of its own: a database that does not answer must not stop the heartbeat.
        self._repeat(self._learn, "other runs")
        notify("READY=1", f"STATUS=syncing {len(config.accounts)} accounts")

    def reload(self) -> None:
        """Reload the configuration; if it is invalid, log why and keep the old one."""
        reloading()
        problem = None
        try:
            config = self._load()
            self._change_to(config)
        except RepoledgerError as error:
            problem = str(error)
        except Exception as error:
            log.exception("daemon.reload_crashed")
            problem = f"unexpected error: {type(error).__name__}"
        if problem is None:
            log.info("config.reloaded", accounts=len(config.accounts), listen=self._listens_at())
        else:
            log.error("config.refused", message=problem)
        notify("READY=1")

    def _change_to(self, config: Config) -> None:
        """Take over `config`: first the steps that can fail, then those that cannot."""
        before = self._accounts.ledger
        moved = config.database != before.config.database
        with ExitStack() as undone:
            if moved:
                ledger = OpenLedger.open(config, self.stop_event)
                undone.callback(ledger.close)
            else:
                ledger = replace(before, config=config)
            rows = ledger.rows()
            if config.http != before.config.http:
                self._listener = self._listen(config)
            undone.pop_all()
        self._jobs.resize(config.schedule.concurrency)
        self._take(ledger, rows, at_start=moved)
        if moved:
            before.close()

    def stop(self) -> bool:
        """Stop the daemon; unfinished runs are interrupted. Return whether all ended in time."""
        self.stop_event.set()
        notify("STOPPING=1")
        log.info("daemon.stopping", runs=len(self._jobs.busy()))
        clean = self._jobs.stop(_PATIENCE)
        accounts = [state.name for state in self._accounts.states()]
        self._accounts.ledger.leave(accounts, stuck=self._jobs.busy())
        if self._listener is not None:
            self._listener.close()
        self._beating.join(1.0)
        log.info("daemon.stopped", clean=clean)
        return clean

    def _listens_at(self) -> str | None:
        if self._listener is None:
            return None
        host, port = self._listener.address
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _listen(self, config: Config) -> Listener | None:
        """Return a listener at the address in `config`, and close the present one."""
        before, http = self._listener, config.http
        if http.listen and before is not None:
            return before.moved(http.listen.address, http.names)
        if before is not None:
            before.close()
        if not http.listen:
            return None
        return Listener(http.listen.address, self._monitor.pages(), http.names)

    # Accounts

    def _take(self, ledger: OpenLedger, rows: Rows, *, at_start: bool) -> None:
        """Sync the accounts of `ledger`'s configuration from now on, and no others."""
        standings = ledger.standings()
        gone = self._accounts.take(ledger, rows, at_start=at_start, standings=standings)
        names = {account.name for account in ledger.config.accounts}
        self._metrics.keep(names)
        self._note_next_runs(names | gone)

    def _note_next_runs(self, names: Collection[str]) -> None:
        self._accounts.ledger.note_next_runs({name: self._jobs.next_run(name) for name in names})

    # Runs

    def _run(self, name: str) -> None:
        """Sync one account, in a worker thread."""
        state, started = self._accounts.state(name), self._clock()
        if state is None or self.stop_event.is_set():
            return
        try:
            outcome, answers = self._sync(state, lists=True)
        except RunInProgress as error:
            self._metrics.count_missed(name)
            log.warning("schedule.run_missed", account=name, reason=str(error))
            self._accounts.passed_over(state, started)
        else:
            self._metrics.count(outcome, answers)
            self._accounts.ran(state, outcome, started)
            self._report(state, outcome)
        self._close_if_replaced(state)

    def _read(self, name: str) -> None:
        """Read the resources of one account that are due, in a worker thread."""
        state = self._accounts.state(name)
        if state is None or self.stop_event.is_set():
            return
        try:
            outcome, answers = self._sync(state, lists=False)
        except RunInProgress as error:
            log.debug("schedule.reading_missed", account=name, reason=str(error))
            self._accounts.read(state, None)
        else:
            self._metrics.count_reading(outcome, answers)
            until = self._accounts.read(state, outcome)
            if outcome.status in ("failed", "deferred"):
                log.warning(
                    "schedule.reading_postponed",
                    account=name,
                    until=until and until.isoformat(timespec="seconds"),
                )
        self._close_if_replaced(state)

    def _sync(self, state: AccountState, *, lists: bool) -> tuple[RunOutcome, Counter[int]]:
        """Run with or without the listing, and note how the resources stand then."""
        done = sync_account(
            *(state.account, state.ledger, self._environ, self._runs, self._limits),
            lists=lists,
            enough=self._enough(state.name, lists=lists),
        )
        with suppress(RepoledgerError):
            self._accounts.note(state, state.ledger.standing(state.account))
        return done

    def _enough(self, name: str, *, lists: bool) -> Callable[[], bool]:
        """Return what says whether a run has loaded enough resources, from its first call on."""
        began: list[float] = []

        def enough() -> bool:
            began[:] = began or [time.monotonic()]
            seconds, wanted = time.monotonic() - began[0], self._jobs.wanted(name)
            return has_read_enough(seconds, wanted, lists=lists)

        return enough

    def _close_if_replaced(self, state: AccountState) -> None:
        if state.ledger.store is not self._accounts.ledger.store:
            state.ledger.close()  # a reload has replaced the ledger during the run

    def _report(self, state: AccountState, outcome: RunOutcome) -> None:
        """Send the ping for a run's outcome, and note the account's next run."""
        ledger = self._accounts.ledger
        well = all(each.is_well for each in self._accounts.states())
        url = address_after(outcome.status, state.account, ledger.config.ping, all_well=well)
        self._pings.send(url, state.name)
        if isinstance(outcome.error, DatabaseError):
            ledger.heal(self.stop_event)
        self._note_next_runs([state.name])
        following = self._jobs.next_run(state.name)
        log.debug("schedule.next_run", account=state.name, at=following and following.isoformat())

    def _missed(self, name: str, moment: datetime) -> None:
        self._metrics.count_missed(name)
        log.warning(
            "schedule.run_missed",
            account=name,
            scheduled_at=moment.isoformat(timespec="seconds"),
            reason="the last run of the account is still going on",
        )

    # Heartbeat

    def _repeat(self, action: Callable[[], None], name: str) -> threading.Thread:
        """Do `action` at each heartbeat, in a thread of its own."""

        def go_on() -> None:
            while not self.stop_event.wait(self._heartbeat):
                try:
                    action()
                except Exception:
                    log.exception("daemon.heartbeat_failed")

        thread = threading.Thread(target=go_on, name=name, daemon=True)
        thread.start()
        return thread

    def _beat(self) -> None:
        """Correct the plan after clock changes, end silent runs, and report to systemd."""
        self._accounts.catch_up()
        self._runs.end_silent()
        if self._listener is not None:
            self._listener.mend()
        if self._monitor.beat().good:
            notify("WATCHDOG=1")

    def _learn(self) -> None:
        """Take over the outcomes of other processes' runs, such as a backfill."""
        ledger = self._accounts.ledger
        with suppress(RepoledgerError):
            self._accounts.learn(ledger, ledger.rows())


def _require_a_credential(config: Config, environ: Mapping[str, str]) -> None:
    """Raise ConfigError if no account has a token: a mistake in the configuration."""
    problems: list[str] = []
    for account in config.accounts:
        try:
            require_secret(account, environ, config.forge_of(account).api_url)
        except ConfigError as error:
            problems += error.problems
        else:
            return
    raise ConfigError(*problems)
