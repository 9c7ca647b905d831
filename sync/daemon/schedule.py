"""Decides when an account is due, by its schedule and the history of its runs. No I/O here.

The daemon asks at its start, after each run and at each heartbeat, so that sleep, runs of
other processes and clock changes need no handling of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from cronsim import CronSim

from sync.config.sections import Account, Schedule
from sync.config.values import zone_of
from sync.core.deadline import believed
from sync.core.errors import kind_of
from sync.database.writes import GOOD
from sync.run.outcome import RunOutcome

# Back-off after failed runs: the first pause, doubled after each failure, up to the longest.
_FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
# The longest back-off after deferrals: a server may name a time that is over again and again.
_MAX_DEFERRAL_BACKOFF = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSchedule:
    """An account's schedule: `cron` in `timezone`, or `every` so many seconds.

    `jitter`: seconds by which a start by cron may be delayed. `max_age`: seconds that the last
    success may be old; None for two times of the schedule and `slack` seconds.
    """

    cron: str | None
    every: float | None
    timezone: str
    jitter: float
    max_age: float | None
    slack: float

    @classmethod
    def of(cls, account: Account, schedule: Schedule, *, slack: float) -> Self:
        """Return the schedule of `account`: its own keys, or those of `[schedule]`."""
        own = account.cron is not None or account.every is not None
        every = account.every if own else schedule.every
        jitter = schedule.jitter if account.jitter is None else account.jitter
        return cls(
            cron=account.cron if own else schedule.cron,
            every=every,
            timezone=account.timezone or schedule.timezone,
            jitter=jitter if every is None else 0.0,
            max_age=schedule.max_age,
            slack=slack,
        )

    def following(self, moment: datetime) -> datetime:
        """Return the first time of the schedule after `moment`, in UTC, without jitter."""
        if self.every is not None:
            return moment + timedelta(seconds=self.every)
        local = moment.astimezone(zone_of(self.timezone))
        times = (time.astimezone(UTC) for time in CronSim(str(self.cron), local))
        # At the end of summer time, cronsim may return the first of two equal local times.
        return next(time for time in times if time > moment)

    def stale_at(self, last_synced_at: datetime) -> datetime:
        """Return the time from which a success at `last_synced_at` is too old.

        Without `max_age`, one run may fail or be late; the next one must have succeeded.
        """
        if self.max_age is not None:
            return last_synced_at + timedelta(seconds=self.max_age)
        second = self.following(self.following(last_synced_at))
        return second + timedelta(seconds=self.jitter + self.slack)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The history of an account's runs; times in UTC, None for never.

    `failures`, `deferrals`: failed and deferred runs since the last success. `error_type`,
    `error_message`: the error of the last run, if it failed.
    """

    status: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    last_synced_at: datetime | None = None
    not_before: datetime | None = None
    failures: int = 0
    deferrals: int = 0
    error_type: str | None = None
    error_message: str | None = None

    @property
    def times(self) -> tuple[datetime, ...]:
        """The start and the end of the last run, as far as known."""
        return tuple(m for m in (self.started_at, self.finished_at) if m is not None)

    @classmethod
    def of(cls, row: Mapping[str, Any] | None) -> Self:
        """Return the history in a row of `Ledger.status`; None for an account without runs."""
        return cls() if row is None else cls(**{name: row[name] for name in cls.__slots__})

    def after(self, outcome: RunOutcome, started_at: datetime, finished_at: datetime) -> Self:
        """Return the history with one more run."""
        good = outcome.status in GOOD
        error = outcome.error
        return replace(
            self,
            status=outcome.status,
            started_at=started_at,
            finished_at=finished_at,
            last_synced_at=finished_at if good else self.last_synced_at,
            not_before=outcome.not_before,
            failures=0 if good else self.failures + (outcome.status == "failed"),
            deferrals=0 if good else self.deferrals + (outcome.status == "deferred"),
            error_type=error.code if error else None,
            error_message=str(error) if error else None,
        )


def next_due(
    schedule: AccountSchedule, history: History, now: datetime, *, changed: bool = False
) -> datetime:
    """Return the time of the account's next run; `now` or earlier means at once.

    `changed`: whether the configuration has been reloaded since the last run began, which may
    have removed the cause of its failure.
    """
    last = history.started_at
    if last is None or any(moment > now for moment in history.times):
        return now  # no run yet, or the clock has been set back
    asked = believed(history.not_before, now, noted=history.times) or now
    if history.status == "deferred":
        return max(asked, _after_deferrals(history, last))
    if history.status in ("interrupted", "running"):  # its process ended in the middle of it
        return asked
    if history.status == "failed":
        if changed:
            return asked
        return max(asked, _after_failure(schedule, history, history.finished_at or last))
    return schedule.following(last)


def _after_deferrals(history: History, last: datetime) -> datetime:
    """Return the earliest time of the next run after deferred ones: with back-off."""
    if history.deferrals < 2:
        return last
    pause = _FIRST_PAUSE * (1 << min(history.deferrals - 2, 32))
    return (history.finished_at or last) + min(pause, _MAX_DEFERRAL_BACKOFF)


def _after_failure(schedule: AccountSchedule, history: History, ended: datetime) -> datetime:
    """Return the time of the next run after a failed one: with back-off."""
    first = min(_FIRST_PAUSE, timedelta(seconds=schedule.every or _FIRST_PAUSE.total_seconds()))
    doublings = min(max(history.failures - 1, 0), 32)
    pause = min(first * (1 << doublings), LONGEST_PAUSE)
    earliest = ended + pause
    if kind_of(history.error_type).is_transient:
        return earliest
    # A permanent error, such as a bad token: not before the schedule's next time either.
    return max(earliest, schedule.following(ended))


def first_due(
    schedule: AccountSchedule, history: History, now: datetime, *, at_start: bool
) -> datetime:
    """Return the time of the account's first run in a daemon that starts `now`.

    With `at_start` that is `now`, unless GitHub has asked to wait.
    """
    due = next_due(schedule, history, now)
    asked = believed(history.not_before, now, noted=history.times)
    return now if at_start and asked is None else max(due, now)
