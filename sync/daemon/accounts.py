"""The daemon's accounts and the times of their next runs: one value, behind one lock."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from structlog import get_logger

from sync.config import Account, Config
from sync.core.clock import Clock
from sync.core.errors import DatabaseError, kind_of
from sync.daemon.jobs import Jobs
from sync.daemon.ledger import OpenLedger, Rows, Standing
from sync.daemon.readings import Reading, next_reading
from sync.daemon.schedule import AccountSchedule, History, first_due, next_due
from sync.run.outcome import RunOutcome

log = get_logger("sync.daemon")

_TOLERANCE = timedelta(seconds=1)  # by which a planned time may differ from the due time


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """One account at a moment.

    `tried`: the configuration that its last run began with. `reading`: what the last run left of
    its resources. `standing`: how they stand in the ledger. `waiting`: numbers of repositories
    that the last run left for a later one, by resource.
    """

    account: Account
    ledger: OpenLedger
    history: History
    tried: Config
    reading: Reading = field(default_factory=Reading)
    standing: Standing = field(default_factory=Standing)
    waiting: Mapping[str, int] = field(default_factory=dict)

    @property
    def config(self) -> Config:
        return self.ledger.config

    @property
    def name(self) -> str:
        return self.account.name

    @property
    def schedule(self) -> AccountSchedule:
        """The account's schedule, with slack for the allowed wait for quota."""
        slack = self.config.forge_of(self.account).max_wait
        return AccountSchedule.of(self.account, self.config.schedule, slack=slack)

    @property
    def is_well(self) -> bool:
        """Whether the account has been synced, and no run has failed since."""
        return self.history.last_synced_at is not None and self.history.failures == 0

    def due(self, now: datetime) -> datetime:
        """Return the time of the next run, not before `now`."""
        changed = self.tried is not self.config
        return max(next_due(self.schedule, self.history, now, changed=changed), now)

    def reading_due(self, now: datetime, listing_at: datetime | None) -> datetime | None:
        """Return when its resources are read next; None if not before it is listed."""
        synced = self.history.last_synced_at is not None
        return next_reading(self.reading, now, synced=synced, listing_at=listing_at)

    def problem(self, now: datetime) -> str | None:
        """Return why the account was not synced recently enough (`max_age`); None if it was."""
        history = self.history
        if issubclass(kind_of(history.error_type), DatabaseError):  # the next run will fail as well
            return f"could not be stored: {history.error_message}"
        if history.last_synced_at is None:
            problem = "never synced"
        elif self._is_stale(history.last_synced_at, now):
            problem = f"last synced at {history.last_synced_at:%Y-%m-%d %H:%M:%S} UTC"
        else:
            return None
        return f"{problem}: {history.error_message}" if history.error_message else problem

    def _is_stale(self, synced: datetime, now: datetime) -> bool:
        """Return whether the last success is too old, or too far ahead after a clock change."""
        return now > self.schedule.stale_at(synced) or synced > self.schedule.stale_at(now)


class Accounts:
    """Plans with `jobs` when each account is synced; every method is thread-safe.

    The open ledger, with its configuration, and the accounts' states are immutable, and
    replaced under the lock. Code under the lock does no I/O.
    """

    def __init__(self, jobs: Jobs, ledger: OpenLedger, clock: Clock) -> None:
        self._jobs = jobs
        self._clock = clock
        self._lock = threading.Lock()
        self._ledger = ledger
        self._states: dict[str, AccountState] = {}

    @property
    def ledger(self) -> OpenLedger:
        """The ledger that new runs write to."""
        with self._lock:
            return self._ledger

    def states(self) -> tuple[AccountState, ...]:
        """Return the present state of every account."""
        with self._lock:
            return tuple(self._states.values())

    def state(self, name: str) -> AccountState | None:
        """Return the present state of an account; None if it has left the configuration."""
        with self._lock:
            return self._states.get(name)

    def take(
        self,
        ledger: OpenLedger,
        rows: Rows,
        *,
        at_start: bool,
        standings: Mapping[str, Standing] | None = None,
    ) -> frozenset[str]:
        """Plan the accounts of `ledger`'s configuration; return those that have left it.

        `rows` hold the history of new accounts; with `at_start`, these are synced at once.
        `standings`: how their resources stand.
        """
        config = ledger.config
        with self._lock:
            now, busy = self._clock(), self._jobs.busy()
            before, self._states, self._ledger = self._states, {}, ledger
            for account in config.accounts:
                name, first = account.name, None
                standing = (standings or {}).get(name, Standing())
                known = before.get(name)
                if known is None or known.ledger.store is not ledger.store:
                    history = History.of(rows.get(name))
                    state = AccountState(
                        account=account,
                        ledger=ledger,
                        history=history,
                        tried=config,
                        reading=Reading(next_at=standing.next_at, not_before=history.not_before),
                        standing=standing,
                    )
                    first = first_due(state.schedule, history, now, at_start=at_start)
                else:
                    state = replace(known, account=account, ledger=ledger)
                    other = state.schedule != known.schedule
                    if name in busy:  # when it ends, `ran` plans the next one
                        first = state.schedule.following(now) if other else None
                    elif other or state.history.status == "failed":
                        first = state.due(now)
                self._states[name] = state
                if first is not None:
                    self._jobs.schedule(name, state.schedule, first)
                if name not in busy:
                    self._plan_reading(state, now)
            gone = before.keys() - self._states.keys()
            for name in gone:
                self._jobs.forget(name)
            return frozenset(gone)

    def ran(self, state: AccountState, outcome: RunOutcome, started: datetime) -> None:
        """Record the outcome of a run that began with `state`; plan the next run if it failed."""
        until = None
        with self._lock:
            known, now = self._known(state), self._clock()
            if known is None:
                return
            history = known.history.after(outcome, started, now)
            reading = known.reading.after(outcome, now)
            waiting = outcome.loaded.waiting
            known = replace(
                known, history=history, tried=state.config, reading=reading, waiting=waiting
            )
            self._states[state.name] = known
            if outcome.status in ("failed", "deferred"):
                # A second later: the scheduler still counts this run as going on.
                until = known.due(now + _TOLERANCE)
                self._jobs.move(state.name, until)
            self._plan_reading(known, now)
        if until is not None:
            log.warning(
                "schedule.run_postponed",
                account=state.name,
                until=until.isoformat(timespec="seconds"),
                failures=history.failures,
            )

    def read(self, state: AccountState, outcome: RunOutcome | None) -> datetime | None:
        """Record the outcome of a reading of resources that began with `state`.

        None: another process was syncing the account. Return when the next one is planned, if
        this one failed or was deferred.
        """
        with self._lock:
            known, now = self._known(state), self._clock()
            if known is None:
                return None
            before = known.reading
            if outcome is None:  # that process may read what is due
                reading = replace(before, ended_at=now, next_at=now, resume_at=None)
                known = replace(known, reading=reading)
            else:
                waiting = outcome.loaded.waiting
                known = replace(known, reading=before.after(outcome, now), waiting=waiting)
            self._states[state.name] = known
            if state.name not in self._jobs.busy():
                self._plan_reading(known, now)
            bad = outcome is not None and outcome.status in ("failed", "deferred")
            return self._jobs.next_reading(state.name) if bad else None

    def _plan_reading(self, state: AccountState, now: datetime) -> None:
        """Plan when the account's resources are read next."""
        due = state.reading_due(now, self._jobs.next_run(state.name))
        planned = self._jobs.next_reading(state.name)
        if due is not None:
            # A second later: the scheduler may still count a run as going on.
            wanted = max(due, now + _TOLERANCE)
            if planned is not None and due - _TOLERANCE <= planned <= wanted + _TOLERANCE:
                return
            due = wanted
        if due is not None or planned is not None:
            self._jobs.read_at(state.name, due)

    def note(self, state: AccountState, standing: Standing) -> None:
        """Take over how an account's resources stand after a run that began with `state`."""
        with self._lock:
            known = self._known(state)
            if known is not None:
                self._states[state.name] = replace(known, standing=standing)

    def passed_over(self, state: AccountState, started: datetime) -> None:
        """Count a run of another process as this daemon's, until `learn` finds its outcome."""
        with self._lock:
            known = self._known(state)
            if known is not None:
                history = replace(known.history, status=None, started_at=started)
                self._states[state.name] = replace(known, history=history)

    def _known(self, state: AccountState) -> AccountState | None:
        """Return the present state of a run's account; None if its ledger has been replaced."""
        known = self._states.get(state.name)
        return known if known and known.ledger.store is state.ledger.store else None

    def learn(self, ledger: OpenLedger, rows: Rows) -> None:
        """Take over the outcomes of other processes' runs, such as a backfill, from `rows`."""
        with self._lock:
            busy, now = self._jobs.busy(), self._clock()
            for name, state in list(self._states.items()):
                row, history = rows.get(name), state.history
                if row is None or name in busy or state.ledger.store is not ledger.store:
                    continue
                ended = row["finished_at"]
                if ended is not None and (
                    history.finished_at is None or history.finished_at < ended <= now
                ):
                    new = replace(state, history=History.of(row), tried=state.config)
                    self._states[name] = new

    def catch_up(self) -> None:
        """Move runs that are due earlier than planned: after a clock change or another's run."""
        with self._lock:
            # Before `busy`, which then includes accounts handed to a worker in between.
            planned = {name: self._jobs.next_run(name) for name in self._states}
            busy, readings, now = self._jobs.busy(), self._jobs.readings(), self._clock()
            for name, state in self._states.items():
                at, due = planned[name], state.due(now)
                jitter = timedelta(seconds=state.schedule.jitter)
                if at is not None and name not in busy and at > due + jitter + _TOLERANCE:
                    self._jobs.move(name, due)
                if name not in busy and name not in readings:
                    self._plan_reading(state, now)
        self._jobs.wake()
