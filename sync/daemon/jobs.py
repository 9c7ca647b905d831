"""The scheduler: calls a function for each account at its times. Wraps APScheduler.

Settings against its defaults: a late run is never dropped (`misfire_grace_time=None`),
several missed runs become one (`coalesce`), an account has one run at a time
(`max_instances=1`).

An account's resources are read between its listings by jobs of their own. The two never run at
the same time, and a listing goes first: see `Jobs.wanted`.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

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

from sync.daemon.readings import Wanted
from sync.daemon.schedule import AccountSchedule

_READING = "resources of\n"  # begins the ids of these jobs; no account's name holds a newline

# It logs skipped runs, and so does the daemon.
logging.getLogger("apscheduler").setLevel(logging.ERROR)


class Jobs:
    """Calls `run(name)` for each account at its times, for `workers` accounts at once.

    Calls `missed(name, moment)` instead if the account's last call has not returned. Calls
    `read(name)` at the times given to `read_at`.
    """

    def __init__(
        self,
        run: Callable[[str], None],
        missed: Callable[[str, datetime], None],
        workers: int,
        read: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._run = run
        self._read = read
        self._missed = missed
        # Ids of jobs: running or waiting for a worker; waiting; running readings.
        self._busy: set[str] = set()
        self._waiting: set[str] = set()
        self._reading: set[str] = set()
        self._idle = threading.Condition()  # guards these, notified when they shrink
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
            self._list,
            _ScheduleTrigger(schedule),
            args=(name,),
            id=name,
            next_run_time=first,
            executor=self._pool,
            replace_existing=True,
        )

    def forget(self, name: str) -> None:
        """Stop calling the account."""
        self.read_at(name, None)
        with suppress(JobLookupError):
            self._scheduler.remove_job(name)

    def read_at(self, name: str, moment: datetime | None) -> None:
        """Read the account's resources once, at `moment`; not at all if it is None."""
        if moment is None:
            with suppress(JobLookupError):
                self._scheduler.remove_job(_READING + name)
            return
        self._scheduler.add_job(
            self._read_resources,
            _Once(moment),
            args=(name,),
            id=_READING + name,
            next_run_time=moment,
            executor=self._pool,
            replace_existing=True,
        )

    def next_reading(self, name: str) -> datetime | None:
        """Return when the account's resources are read next, in UTC; None if it is not planned."""
        return self.next_run(_READING + name)

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
            return frozenset(id_ for id_ in self._busy if not id_.startswith(_READING))

    def readings(self) -> frozenset[str]:
        """Return the accounts whose resources are read, or wait for a free worker to be read."""
        with self._idle:
            ids = (id_ for id_ in self._busy if id_.startswith(_READING))
            return frozenset(id_.removeprefix(_READING) for id_ in ids)

    def wanted(self, name: str) -> Wanted:
        """Return what waits for the worker that reads the resources of an account."""
        with self._idle:
            readings = sum(id_.startswith(_READING) for id_ in self._waiting)
            listings = len(self._waiting) - readings
            return Wanted(name in self._busy, listings, readings)

    # Called by APScheduler

    def _list(self, name: str) -> None:
        """Run the account, after a reading of its resources has ended."""
        with self._idle:
            self._waiting.discard(name)
            self._idle.wait_for(lambda: _READING + name not in self._reading)
        self._run(name)

    def _read_resources(self, name: str) -> None:
        """Read the account's resources, unless it is about to be listed."""
        id_ = _READING + name
        with self._idle:
            self._waiting.discard(id_)
            if name in self._busy:
                return
            self._reading.add(id_)
        try:
            self._read(name)
        finally:
            with self._idle:
                self._reading.discard(id_)
                self._idle.notify_all()

    def _begin(self, id_: str) -> bool:
        """Mark a job as busy; False if it is already."""
        with self._idle:
            is_new = id_ not in self._busy
            if is_new:
                self._busy.add(id_)
                self._waiting.add(id_)
            return is_new

    def _end(self, id_: str) -> None:
        with self._idle:
            self._busy.discard(id_)
            self._waiting.discard(id_)
            self._idle.notify_all()

    def _ended(self, event: JobExecutionEvent) -> None:
        self._end(event.job_id)

    def _skipped(self, event: JobSubmissionEvent) -> None:
        if event.job_id.startswith(_READING):  # the daemon plans the next one when this one ends
            return
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


class _Once(BaseTrigger):
    """A single time, which the job is given when it is added."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def get_next_fire_time(self, previous_fire_time: datetime | None, _: datetime) -> Any:
        return self.moment if previous_fire_time is None else None


class _ScheduleTrigger(BaseTrigger):
    """An account's schedule as an APScheduler trigger; it never names a time in the past."""

    def __init__(self, schedule: AccountSchedule) -> None:
        self.schedule = schedule

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        following = self.schedule.following(previous_fire_time or now)
        if following <= now:
            following = self.schedule.following(now)
        return following + timedelta(seconds=random.uniform(0, self.schedule.jitter))  # noqa: S311  # no secret
