"""APScheduler as the daemon uses it: one run of an account at a time, whatever changes."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from queue import SimpleQueue

from tests.support.daemon import PATIENCE, wait_until
from tests.support.inside.core import utc_now
from tests.support.inside.daemon import AccountSchedule, Jobs

SECONDLY = AccountSchedule(
    cron=None, every=1.0, timezone="UTC", jitter=0.0, max_age=None, slack=0.0
)
DAILY = AccountSchedule(
    cron=None, every=86_400.0, timezone="UTC", jitter=0.0, max_age=None, slack=0.0
)


def test_a_run_is_not_overlapped_by_one_in_the_pool_of_a_new_size() -> None:
    began, may_end = threading.Semaphore(0), threading.Event()
    missed: SimpleQueue[tuple[str, datetime]] = SimpleQueue()

    def run(_: str) -> None:
        began.release()
        assert may_end.wait(PATIENCE)

    jobs = Jobs(run, lambda *told: missed.put(told), 1)
    jobs.start()
    jobs.schedule("me", SECONDLY, utc_now())
    assert began.acquire(timeout=PATIENCE)
    jobs.resize(3)
    assert missed.get(timeout=PATIENCE)[0] == "me"
    assert jobs.busy() == {"me"}
    assert not began.acquire(blocking=False)
    may_end.set()
    assert began.acquire(timeout=PATIENCE)
    assert jobs.stop(PATIENCE)


def test_an_account_that_waits_for_a_worker_is_busy_and_runs_when_one_is_free() -> None:
    began: SimpleQueue[str] = SimpleQueue()
    may_end = threading.Event()

    def run(name: str) -> None:
        began.put(name)
        assert may_end.wait(PATIENCE)

    jobs = Jobs(run, lambda *_: None, 1)
    jobs.schedule("a", DAILY, utc_now() - timedelta(days=3))  # overdue, and before the start
    jobs.schedule("b", DAILY, utc_now())
    jobs.start()
    first = began.get(timeout=PATIENCE)
    while jobs.busy() != {"a", "b"}:
        jobs.wake()
    assert began.empty()
    may_end.set()
    assert {first, began.get(timeout=PATIENCE)} == {"a", "b"}
    assert jobs.stop(PATIENCE)
    assert began.empty()


def test_a_run_that_hangs_does_not_hold_up_a_stop_and_a_stopped_scheduler_is_not_alive() -> None:
    began, may_end = threading.Event(), threading.Event()

    def run(_: str) -> None:
        began.set()
        assert may_end.wait(PATIENCE)

    jobs = Jobs(run, lambda *_: None, 1)
    assert jobs.is_alive()
    jobs.schedule("me", DAILY, utc_now())
    jobs.start()
    assert began.wait(PATIENCE)
    assert jobs.is_alive()
    assert not jobs.stop(0.01)
    assert jobs.busy() == {"me"}
    may_end.set()
    wait_until(lambda: not jobs.is_alive())
