"""The scheduler: calls a function for each account at its times. Wraps APScheduler.

Settings against its defaults: a late run is never dropped (`misfire_grace_time=None`),
several missed runs become one (`coalesce`), an account has one run at a time
(`max_instances=1`).
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_SCHEDULER_STARTED,
    JobExecutionEvent,
    JobSubmissionEvent,
)
from apscheduler.executors.base import MaxInstancesReachedError
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.job import Job
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger

from sync.daemon.schedule import AccountSchedule

# It logs skipped runs, and so does the daemon.
logging.getLogger("apscheduler").setLevel(logging.ERROR)


class Jobs:
    """Calls `run(name)` for each account at its times, for `workers` accounts at once.

    Calls `missed(name, moment)` instead if the account's last call has not returned.
    """

    def __init__(
        self, run: Callable[[str], None], missed: Callable[[str, datetime], None], workers: int
    ) -> None:
        self._run = run
        self._missed = missed
        self._busy: set[str] = set()  # running, or waiting for a worker
        self._idle = threading.Condition()  # guards `_busy`, notified when it shrinks
        self._pool = f"{workers} workers"
        self._scheduler = BlockingScheduler(
            timezone=UTC,
            executors={self._pool: _Workers(workers, self._begin, self._end)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._scheduler.add_listener(self._skipped, EVENT_JOB_MAX_INSTANCES)
        self._scheduler.add_listener(self._ended, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
        self._thread = threading.Thread(target=self._scheduler.start, name="schedule", daemon=True)

    def start(self) -> None:
        """Start the scheduler's thread."""
        started = threading.Event()
        self._scheduler.add_listener(lambda _: started.set(), EVENT_SCHEDULER_STARTED)
        self._thread.start()
        started.wait()

    def is_alive(self) -> bool:
        """Return whether the scheduler's thread is alive, or not started yet."""
        return self._thread.ident is None or self._thread.is_alive()

    def stop(self, timeout: float) -> bool:
        """Start no more runs; return whether those under way ended within `timeout` seconds."""
        self._scheduler.pause()
        # `shutdown(wait=True)` has no time limit and holds the lock on the jobs: a run that
        # asks for its next time would never end.
        with self._idle:
            ended = self._idle.wait_for(lambda: not self._busy, timeout)
        self._scheduler.shutdown(wait=False)
        return ended

    def resize(self, workers: int) -> None:
        """Call `workers` accounts at once, from the next call on."""
        before, self._pool = self._pool, f"{workers} workers"
        if self._pool == before:
            return
        self._scheduler.add_executor(_Workers(workers, self._begin, self._end), self._pool)
        for job in self._scheduler.get_jobs():
            job.modify(executor=self._pool)
        self._scheduler.remove_executor(before, shutdown=False)

    # Accounts

    def schedule(self, name: str, schedule: AccountSchedule, first: datetime) -> None:
        """Call the account first at `first`, then by `schedule`; replaces its former plan."""
        self._scheduler.add_job(
            self._run,
            _ScheduleTrigger(schedule),
            args=(name,),
            id=name,
            next_run_time=first,
            executor=self._pool,
            replace_existing=True,
        )

    def forget(self, name: str) -> None:
        """Stop calling the account."""
        with suppress(JobLookupError):
            self._scheduler.remove_job(name)

    def next_run(self, name: str) -> datetime | None:
        """Return the account's next time, in UTC."""
        job = self._scheduler.get_job(name)
        return job.next_run_time.astimezone(UTC) if job is not None else None

    def move(self, name: str, moment: datetime) -> None:
        """Call the account at `moment` instead of its next time."""
        with suppress(JobLookupError):
            self._scheduler.modify_job(name, next_run_time=moment)

    def wake(self) -> None:
        """Compare the clock with the plan now: it may have jumped while the scheduler slept."""
        self._scheduler.wakeup()

    def busy(self) -> frozenset[str]:
        """Return the accounts that are running or waiting for a free worker."""
        with self._idle:
            return frozenset(self._busy)

    # Called by APScheduler

    def _begin(self, name: str) -> bool:
        """Mark the account as busy; False if it is already."""
        with self._idle:
            is_new = name not in self._busy
            self._busy.add(name)
            return is_new

    def _end(self, name: str) -> None:
        with self._idle:
            self._busy.discard(name)
            self._idle.notify_all()

    def _ended(self, event: JobExecutionEvent) -> None:
        self._end(event.job_id)

    def _skipped(self, event: JobSubmissionEvent) -> None:
        self._missed(event.job_id, event.scheduled_run_times[-1].astimezone(UTC))


class _Workers(ThreadPoolExecutor):
    """A thread pool that starts no account twice, even across a resize.

    `begin(name)` returns whether it may start; `end(name)` is called if no thread is free.
    """

    def __init__(
        self, workers: int, begin: Callable[[str], bool], end: Callable[[str], None]
    ) -> None:
        super().__init__(workers, {"thread_name_prefix": "sync"})
        self._begin = begin
        self._end = end

    def submit_job(self, job: Job, run_times: list[datetime]) -> None:
        if not self._begin(job.id):
            raise MaxInstancesReachedError(job)
        try:
            super().submit_job(job, run_times)
        except BaseException:
            self._end(job.id)
            raise


class _ScheduleTrigger(BaseTrigger):
    """An account's schedule as an APScheduler trigger; it never names a time in the past."""

    def __init__(self, schedule: AccountSchedule) -> None:
        self.schedule = schedule

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        following = self.schedule.following(previous_fire_time or now)
        if following <= now:
            following = self.schedule.following(now)
        return following + timedelta(seconds=random.uniform(0, self.schedule.jitter))  # noqa: S311  # no secret
