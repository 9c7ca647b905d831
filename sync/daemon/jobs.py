"""APScheduler, and nothing else knows it: runs one function per account on its rhythm.

What it is told, because its defaults do otherwise: a late run is never
dropped (`misfire_grace_time=None`) and happens once however much was missed
(`coalesce`); an account never runs twice at a time (`max_instances=1`).
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from sync.schedule import Rhythm

# It tells of a skipped run by itself, and so do we.
logging.getLogger("apscheduler").setLevel(logging.ERROR)


class Jobs:
    """Calls `run(name)` for each account when it is time, `workers` of them at a time.

    `missed(name, moment)` is called when it is time and the last call is
    still going on.
    """

    def __init__(
        self, run: Callable[[str], None], missed: Callable[[str, datetime], None], workers: int
    ) -> None:
        self._run = run
        self._missed = missed
        self._busy: set[str] = set()  # running, or waiting for a worker
        self._running: set[str] = set()
        self._idle = threading.Condition()  # guards `_busy`, and tells when it shrinks
        self._pool = f"{workers} workers"
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={self._pool: _Workers(workers, self._submitted)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._scheduler.add_listener(self._skipped, EVENT_JOB_MAX_INSTANCES)

    def start(self) -> None:
        """Begin to call."""
        self._scheduler.start()

    def stop(self, timeout: float) -> bool:
        """Call no more, and wait for what is going on; tell whether it ended in time."""
        self._scheduler.pause()
        # Not its own `shutdown(wait=True)`: that keeps everybody out of the list of
        # jobs meanwhile, and so never ends if one of them asks for its next time.
        with self._idle:
            ended = self._idle.wait_for(lambda: not self._busy, timeout)
        self._scheduler.shutdown(wait=False)
        return ended

    def resize(self, workers: int) -> None:
        """Call so many accounts at a time from the next call on."""
        before, self._pool = self._pool, f"{workers} workers"
        if self._pool == before:
            return
        self._scheduler.add_executor(_Workers(workers, self._submitted), self._pool)
        for job in self._scheduler.get_jobs():
            job.modify(executor=self._pool)
        self._scheduler.remove_executor(before, shutdown=False)

    # Accounts

    def schedule(self, name: str, rhythm: Rhythm, first: datetime) -> None:
        """Call for the account from `first` on; replaces what was said of it before."""
        self._scheduler.add_job(
            self._call,
            _RhythmTrigger(rhythm),
            args=(name,),
            id=name,
            next_run_time=first,
            executor=self._pool,
            replace_existing=True,
        )

    def forget(self, name: str) -> None:
        """Call for the account no more."""
        with suppress(JobLookupError):
            self._scheduler.remove_job(name)

    def next_run(self, name: str) -> datetime | None:
        """Return when the account is called for next, in UTC."""
        job = self._scheduler.get_job(name)
        return job.next_run_time.astimezone(UTC) if job is not None else None

    def move(self, name: str, moment: datetime) -> None:
        """Call for the account at `moment` instead of its next time."""
        with suppress(JobLookupError):
            self._scheduler.modify_job(name, next_run_time=moment)

    def wake(self) -> None:
        """Look at the clock now: it may have jumped since the scheduler went to sleep."""
        self._scheduler.wakeup()

    def busy(self) -> frozenset[str]:
        """Return the accounts that are being called for, or wait for a free worker."""
        with self._idle:
            return frozenset(self._busy)

    # What APScheduler calls

    def _submitted(self, name: str) -> None:
        with self._idle:
            self._busy.add(name)

    def _call(self, name: str) -> None:
        with self._idle:
            if name in self._running:  # in the pool of before a resize
                return
            self._running.add(name)
        try:
            self._run(name)
        finally:
            with self._idle:
                self._running.discard(name)
                self._busy.discard(name)
                self._idle.notify_all()

    def _skipped(self, event: JobSubmissionEvent) -> None:
        self._missed(event.job_id, event.scheduled_run_times[-1].astimezone(UTC))


def is_alive() -> bool:
    """Tell whether the scheduler's thread is there."""
    return any(thread.name == "APScheduler" for thread in threading.enumerate())


class _Workers(ThreadPoolExecutor):
    """A thread pool that tells whom it has been given, also while they wait for a thread."""

    def __init__(self, workers: int, submitted: Callable[[str], None]) -> None:
        super().__init__(workers, {"thread_name_prefix": "sync"})
        self._submitted = submitted

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        self._submitted(job.id)
        super()._do_submit_job(job, run_times)


class _RhythmTrigger(BaseTrigger):
    """A rhythm as APScheduler asks for it; always of a time to come, so nothing is done twice."""

    def __init__(self, rhythm: Rhythm) -> None:
        self.rhythm = rhythm

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        following = self.rhythm.following(previous_fire_time or now)
        if following <= now:
            following = self.rhythm.following(now)
        return following + timedelta(seconds=random.uniform(0, self.rhythm.jitter))  # noqa: S311  # no secret
