"""When an account is due, decided from what is known of its runs. No I/O here.

The daemon asks this when it starts, after each run and at each heartbeat, so
that it makes no difference whether time passed in sleep, in another process or
by a jump of the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from cronsim import CronSim

from sync.config.sections import Account, Schedule
from sync.database.rows import GOOD
from sync.errors import DatabaseError
from sync.outcome import RunOutcome
from sync.rest.retry import PASSING

# After a failed run: the first pause at most, and the longest; each is twice the one before.
_FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
# What may pass by itself is tried again soon, and not only at the next time of the schedule.
_DATABASE: tuple[type[Exception], ...] = (DatabaseError, *DatabaseError.__subclasses__())
DATABASE_ERRORS = frozenset(error.__name__ for error in _DATABASE)
_PASSING = frozenset(error.__name__ for error in PASSING) | DATABASE_ERRORS
# A server that says "come back" again and again, at once, is not believed.
_LONGEST_DISBELIEF = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often an account is synced: by `cron` in `timezone`, or `every` so many seconds.

    Each start by cron comes up to `jitter` seconds late. `promise` is how old the last
    success may become, in seconds; None for two times of the schedule, and
    `slack` seconds.
    """

    cron: str | None
    every: float | None
    timezone: str
    jitter: float
    promise: float | None
    slack: float

    @classmethod
    def of(cls, account: Account, schedule: Schedule, *, slack: float) -> Self:
        """Return the rhythm of `account`: its own, or the installation's."""
        own = account.cron is not None or account.every is not None
        every = account.every if own else schedule.every
        jitter = schedule.jitter if account.jitter is None else account.jitter
        return cls(
            cron=account.cron if own else schedule.cron,
            every=every,
            timezone=account.timezone or schedule.timezone,
            jitter=jitter if every is None else 0.0,
            promise=schedule.max_age,
            slack=slack,
        )

    def following(self, moment: datetime) -> datetime:
        """Return the first time of the schedule after `moment`, in UTC, without jitter."""
        if self.every is not None:
            return moment + timedelta(seconds=self.every)
        local = moment.astimezone(ZoneInfo(self.timezone))
        times = (time.astimezone(UTC) for time in CronSim(str(self.cron), local))
        # In the hour that summer time repeats, cronsim may answer with the first of the two.
        return next(time for time in times if time > moment)

    def stale_at(self, last_synced_at: datetime) -> datetime:
        """Return when a success at `last_synced_at` is older than promised.

        One run may fail or be late; of the next one something must have come.
        """
        if self.promise is not None:
            return last_synced_at + timedelta(seconds=self.promise)
        second = self.following(self.following(last_synced_at))
        return second + timedelta(seconds=self.jitter + self.slack)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is known of an account's runs; times in UTC, None for never.

    `failures` and `deferrals` count such runs since the last good one. `error_type`
    and `error_message` tell of the last run, if it failed.
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

    @classmethod
    def of(cls, row: Mapping[str, Any] | None) -> Self:
        """Return the history that a row of `Ledger.status` tells; None is of no run yet."""
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
            error_type=type(error).__name__ if error else None,
            error_message=str(error) if error else None,
        )


def next_due(rhythm: Rhythm, history: History, now: datetime) -> datetime:
    """Return when the account is to be synced next; `now` or earlier means at once."""
    last = history.started_at
    if last is None or last > now:  # never, or the clock has been set back since
        return now
    if history.status == "deferred":
        return max(history.not_before or now, _end_of_disbelief(history, last))
    if history.status in ("interrupted", "running"):  # whoever ran it has ended in the middle
        return history.not_before or now
    if history.status == "failed":
        return _after_failure(rhythm, history, history.finished_at or last)
    return rhythm.following(last)


def _end_of_disbelief(history: History, last: datetime) -> datetime:
    """Return when to come back at the earliest, after several runs on end that were put off."""
    if history.deferrals < 2:
        return last
    pause = _FIRST_PAUSE * (1 << min(history.deferrals - 2, 32))
    return (history.finished_at or last) + min(pause, _LONGEST_DISBELIEF)


def _after_failure(rhythm: Rhythm, history: History, ended: datetime) -> datetime:
    """Return when to try again after a run that failed: later each time, up to a limit."""
    first = min(_FIRST_PAUSE, timedelta(seconds=rhythm.every or _FIRST_PAUSE.total_seconds()))
    doublings = min(max(history.failures - 1, 0), 32)
    pause = min(first * (1 << doublings), LONGEST_PAUSE)
    earliest = ended + pause
    if history.error_type in _PASSING:
        return earliest
    # What is wrong with a token stays wrong: not before the schedule's next time either.
    return max(earliest, rhythm.following(ended))


def first_due(rhythm: Rhythm, history: History, now: datetime, *, at_start: bool) -> datetime:
    """Return when a daemon that starts `now` syncs the account first.

    At once with `at_start`, unless GitHub has asked to wait.
    """
    due = next_due(rhythm, history, now)
    waits = history.not_before is not None and history.not_before >= due > now
    return now if at_start and not waits else max(due, now)
