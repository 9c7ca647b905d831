"""The daemon itself: puts schedule, runs and health together, from start to stop.

Every run is `run_sync`, the same as the command backfill's. What is due is
asked of `sync.schedule` at each heartbeat, by a clock that does not jump, so
that downtime, a suspend and a jump of the wall clock all end in one run, soon.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sync import __version__
from sync.clock import Clock, utc_now
from sync.config import Config
from sync.daemon.accounts import AccountState, require_a_credential, rhythm_of
from sync.daemon.http import Listener
from sync.daemon.jobs import Jobs
from sync.daemon.metrics import Metrics
from sync.daemon.monitor import Monitor
from sync.daemon.notify import notify, reloading
from sync.daemon.pings import Pings, address_after
from sync.daemon.worker import sync_account
from sync.database import migrate
from sync.database.queries import Ledger
from sync.database.store import Store
from sync.errors import DatabaseError, RepoledgerError, RunInProgress
from sync.github.limits import SharedLimits
from sync.loggers import get_logger
from sync.outcome import RunOutcome
from sync.schedule import History, first_due, next_due

log = get_logger("sync.daemon")

HEARTBEAT = 5.0  # seconds
_PATIENCE = 3.5  # seconds for runs to end at a stop; all of it must take less than five
_TOLERANCE = timedelta(seconds=1)


class Daemon:
    """Syncs the accounts of the configuration that `load` returns until it is stopped.

    `environ` is where tokens are looked for, `heartbeat` the seconds between
    two looks at what is due.
    """

    def __init__(
        self,
        load: Callable[[], Config],
        environ: Mapping[str, str],
        *,
        heartbeat: float = HEARTBEAT,
        clock: Clock = utc_now,
    ) -> None:
        self.stop_event = threading.Event()
        self._load = load
        self._environ = environ
        self._clock = clock
        self._limits = SharedLimits()
        self._metrics = Metrics()
        self._pings = Pings(self.stop_event)
        self._states: dict[str, AccountState] = {}
        self._listener: Listener | None = None
        self._beating = threading.Thread(target=self._beat_on, name="heartbeat", daemon=True)
        self._monitor = Monitor(self._metrics, heartbeat, clock)

    # From start to stop

    def start(self) -> None:
        """Begin. Raises ConfigError and DatabaseError if that makes no sense."""
        self._config = config = self._load()
        require_a_credential(config, self._environ)
        self._store = self._open(config)
        self._jobs = Jobs(self._run, self._missed, config.schedule.concurrency)
        self._listener = self._listen(config)
        self._mend()
        self._take(config, self._rows(config), at_start=config.schedule.run_at_start)
        log.info(
            "daemon.started",
            version=__version__,
            accounts=len(self._states),
            listen=self._listens_at(),
        )
        self._jobs.start()
        self._beating.start()
        notify("READY=1", f"STATUS=syncing {len(self._states)} accounts")

    def reload(self) -> None:
        """Read the configuration again; a bad one is told of, and the old one stays."""
        reloading()
        problem = None
        try:
            self._change_to(self._load())
        except RepoledgerError as error:
            problem = str(error)
        except Exception as error:
            log.exception("daemon.reload_crashed")
            problem = f"unforeseen: {type(error).__name__}"
        if problem is None:
            log.info("config.reloaded", accounts=len(self._states), listen=self._listens_at())
        else:
            log.error("config.refused", message=problem)
        notify("READY=1")

    def _change_to(self, config: Config) -> None:
        """Take over `config`: first all that can fail, then all that cannot."""
        moved = config.database != self._config.database
        store = self._open(config) if moved else self._store
        rows = self._rows(config)
        if config.http != self._config.http:
            before, self._listener = self._listener, self._listen(config)
            if before is not None:
                before.close()
        if moved:
            self._store.close()
            self._states = {}  # what is known of the accounts is known of the other ledger
        self._config, self._store = config, store
        self._jobs.resize(config.schedule.concurrency)
        self._take(config, rows, at_start=moved)

    def stop(self) -> bool:
        """End every run, recorded as interrupted; tell whether all ended by themselves."""
        self.stop_event.set()
        notify("STOPPING=1")
        log.info("daemon.stopping", runs=len(self._jobs.busy()))
        clean = self._jobs.stop(_PATIENCE)
        with suppress(RepoledgerError, OSError):
            for name in self._jobs.busy():
                self._store.interrupt_stale_run(name)  # stuck where nothing can wake it
            self._store.note_next_runs(dict.fromkeys(self._states))
        self._store.close()
        if self._listener is not None:
            self._listener.close()
        self._beating.join(_TOLERANCE.total_seconds())
        log.info("daemon.stopped", clean=clean)
        return clean

    def _listens_at(self) -> str | None:
        if self._listener is None:
            return None
        host, port = self._listener.address
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _listen(self, config: Config) -> Listener | None:
        if not config.http.listen:
            return None
        return Listener(config.http.listen.address, self._monitor.pages())

    def _open(self, config: Config) -> Store:
        """Return the ledger, open as long as the daemon runs: the last one to close it has work."""
        migrate.prepare(config.database.url, config.database.migrate, self.stop_event)
        return Store(config.database.url, stop=self.stop_event)

    def _mend(self) -> None:
        """Record what was running when its process died; also of accounts that are no more."""
        for name in self._store.accounts_running():
            with suppress(RunInProgress), self._store.lock(name):
                self._store.interrupt_stale_run(name)

    # Accounts

    def _rows(self, config: Config) -> dict[str, Mapping[str, Any]]:
        """Return what the ledger knows of each account."""
        with Ledger(config.database.url) as ledger:
            return {row["account"]: row for row in ledger.status(counted=False)}

    def _take(
        self, config: Config, rows: Mapping[str, Mapping[str, Any]], *, at_start: bool
    ) -> None:
        """Schedule the accounts of `config`, and forget those that are not in it."""
        now = self._clock()
        busy = self._jobs.busy()
        states: dict[str, AccountState] = {}
        for account in config.accounts:
            rhythm = rhythm_of(account, config)
            state = states[account.name] = self._states.get(account.name) or AccountState(
                account, rhythm, History.of(rows.get(account.name))
            )
            if account.name not in self._states:
                first = first_due(rhythm, state.history, now, at_start=at_start)
            elif state.history.status == "failed" and account.name not in busy:
                first = now  # it may be what has been mended
            elif state.rhythm != rhythm:
                first = max(next_due(rhythm, state.history, now), now)
            else:
                first = None
            state.account, state.rhythm = account, rhythm
            if first is not None:
                self._jobs.schedule(account.name, rhythm, first)
        for name in self._states.keys() - states.keys():
            self._jobs.forget(name)
        self._states = states
        self._monitor.watch(config.database.url, states.values())
        self._note_next_runs(states)

    def _note_next_runs(self, names: Iterable[str]) -> None:
        """Let `repoledger status` know; not worth failing for."""
        with suppress(RepoledgerError, OSError):
            self._store.note_next_runs({name: self._jobs.next_run(name) for name in names})

    # Runs

    def _run(self, name: str) -> None:
        """Sync one account, in one of the scheduler's threads."""
        state = self._states.get(name)
        if state is None or self.stop_event.is_set():
            return
        started, config = self._clock(), self._config
        try:
            outcome, answers = sync_account(
                state.account,
                config,
                self._environ,
                self._store,
                self.stop_event,
                self._limits,
            )
        except RunInProgress as error:
            self._metrics.count_missed(name)
            log.warning("schedule.run_missed", account=name, reason=str(error))
            # It counts as this one's, until the heartbeat finds how it ended.
            state.history = replace(state.history, status=None, started_at=started)
        else:
            self._metrics.count(outcome, answers)
            state.history = state.history.after(outcome, started, self._clock())
            self._plan_next(state, outcome, config)

    def _plan_next(self, state: AccountState, outcome: RunOutcome, config: Config) -> None:
        """Plan what comes after a run that was done with `config`, and tell who waits for it."""
        # Not at once: the scheduler still counts this run as going on.
        soon = self._clock() + _TOLERANCE
        if outcome.status in ("failed", "deferred"):
            mended = outcome.status == "failed" and config is not self._config
            due = soon if mended else max(next_due(state.rhythm, state.history, soon), soon)
            self._jobs.move(state.name, due)
            log.warning(
                "schedule.run_postponed",
                account=state.name,
                until=due.isoformat(timespec="seconds"),
                failures=state.history.failures,
            )
        well = all(state.is_well for state in self._states.values())
        url = address_after(outcome.status, state.account, self._config.ping, all_well=well)
        self._pings.send(url, state.name)
        if isinstance(outcome.error, DatabaseError):
            self._heal()
        self._note_next_runs([state.name])

    def _heal(self) -> None:
        """Make a ledger that was deleted anew, where migrating is automatic."""
        with suppress(RepoledgerError):
            database = self._config.database
            migrate.prepare(database.url, database.migrate, self.stop_event)

    def _missed(self, name: str, moment: datetime) -> None:
        self._metrics.count_missed(name)
        log.warning(
            "schedule.run_missed",
            account=name,
            scheduled_at=moment.isoformat(timespec="seconds"),
            reason="the last run of the account is still going on",
        )

    # Heartbeat

    def _beat_on(self) -> None:
        while not self.stop_event.wait(self._monitor.heartbeat):
            try:
                self._beat()
            except Exception:
                log.exception("daemon.heartbeat_failed")

    def _beat(self) -> None:
        """Put right what the scheduler cannot know: that the clock has jumped."""
        busy = self._jobs.busy()
        self._look_at_others(busy)
        now = self._clock()
        for state in self._states.values():
            planned = self._jobs.next_run(state.name)
            if state.name in busy or planned is None:
                continue
            due = max(next_due(state.rhythm, state.history, now), now)
            if planned > due + timedelta(seconds=state.rhythm.jitter) + _TOLERANCE:
                self._jobs.move(state.name, due)
        self._jobs.wake()
        self._monitor.beat()
        if self._monitor.liveness().good:
            notify("WATCHDOG=1")

    def _look_at_others(self, busy: frozenset[str]) -> None:
        """Take in the runs of other processes, such as a backfill by hand."""
        with suppress(RepoledgerError):
            rows = self._rows(self._config)
            for state in self._states.values():
                row = rows.get(state.name)
                if row is None or state.name in busy or row["finished_at"] is None:
                    continue
                if state.history.finished_at is None or (
                    state.history.finished_at < row["finished_at"] <= self._clock()
                ):
                    state.history = History.of(row)
