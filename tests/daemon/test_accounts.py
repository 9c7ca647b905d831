"""The plan of the accounts: it is changed by runs, reloads and the heartbeat at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import PATIENCE
from tests.support.inside.config import Config, parse
from tests.support.inside.core import BadCredentials, utc_now
from tests.support.inside.daemon import Accounts, Jobs, OpenLedger
from tests.support.inside.database import RunStatus
from tests.support.inside.run import RunOutcome

SOON = timedelta(minutes=1)


def config(file: Path, *names: str, every: str = "1h") -> Config:
    tables: dict[str, Any] = {
        "database": {"url": f"sqlite:///{file}"},
        "schedule": {"every": every},
        "accounts": [{"name": name, "username": "octo"} for name in names or ("me",)],
    }
    return parse(tables, {}, source="config.toml", folder=Path())


def ended(status: RunStatus) -> RunOutcome:
    error = BadCredentials("401: Bad credentials") if status == "failed" else None
    return RunOutcome(run_id=1, account="me", status=status, error=error)


class Held:
    """A run of an account, held before it ends and, once more, at its tail."""

    def __init__(self, outcome: RunOutcome) -> None:
        self.outcome = outcome
        self.began, self.may_end = threading.Semaphore(0), threading.Event()
        self.ended, self.may_leave = threading.Semaphore(0), threading.Event()

    def __call__(self, accounts: Accounts, name: str) -> None:
        state, started = accounts.state(name), utc_now()
        assert state is not None
        self.began.release()
        assert self.may_end.wait(PATIENCE)
        accounts.ran(state, self.outcome, started)
        self.ended.release()
        assert self.may_leave.wait(PATIENCE)

    def wait_for(self, moment: threading.Semaphore) -> None:
        assert moment.acquire(timeout=PATIENCE)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[OpenLedger]:
    with closing(OpenLedger.open(config(tmp_path / "a.db"), threading.Event())) as opened:
        yield opened


@contextmanager
def accounts_of(
    ledger: OpenLedger, run: Callable[[Accounts, str], None]
) -> Iterator[tuple[Accounts, Jobs]]:
    accounts: Accounts
    jobs = Jobs(lambda name: run(accounts, name), lambda *_: None, 2)
    accounts = Accounts(jobs, ledger, utc_now)
    jobs.start()
    try:
        yield accounts, jobs
    finally:
        assert jobs.stop(PATIENCE)


def read_again(ledger: OpenLedger, *names: str, every: str = "1h") -> OpenLedger:
    """Return the ledger with a configuration that was read again."""
    return replace(ledger, config=config(Path("a.db"), *names, every=every))


def is_planned_soon(jobs: Jobs, name: str = "me") -> bool:
    planned = jobs.next_run(name)
    assert planned is not None
    return planned < utc_now() + SOON


def test_a_configuration_that_is_read_while_a_run_fails_is_tried_at_once(
    ledger: OpenLedger,
) -> None:
    run = Held(ended("failed"))
    with accounts_of(ledger, run) as (accounts, jobs):
        accounts.take(ledger, {}, at_start=True)
        run.wait_for(run.began)
        accounts.take(read_again(ledger), {}, at_start=False)
        run.may_end.set()
        run.wait_for(run.ended)
        assert is_planned_soon(jobs)
        run.may_leave.set()


def test_a_configuration_that_is_read_at_the_tail_of_a_failing_run_is_not_lost(
    ledger: OpenLedger,
) -> None:
    run = Held(ended("failed"))
    run.may_end.set()
    with accounts_of(ledger, run) as (accounts, jobs):
        accounts.take(ledger, {}, at_start=True)
        run.wait_for(run.ended)
        assert not is_planned_soon(jobs)
        accounts.take(read_again(ledger), {}, at_start=False)  # the job counts as going on, still
        run.may_leave.set()
        accounts.catch_up()
        while "me" in jobs.busy():
            accounts.catch_up()  # as each heartbeat does
        accounts.catch_up()
        run.wait_for(run.began)
        run.wait_for(run.began)


def test_an_account_that_fails_again_with_the_new_configuration_waits_again(
    ledger: OpenLedger,
) -> None:
    run = Held(ended("failed"))
    run.may_end.set()
    run.may_leave.set()
    with accounts_of(ledger, run) as (accounts, jobs):
        accounts.take(ledger, {}, at_start=True)
        run.wait_for(run.ended)
        accounts.catch_up()
        assert not is_planned_soon(jobs)


def test_a_schedule_that_is_changed_during_a_run_counts_from_then_on(ledger: OpenLedger) -> None:
    run = Held(ended("succeeded"))
    run.may_leave.set()
    with accounts_of(ledger, run) as (accounts, jobs):
        accounts.take(read_again(ledger, every="10m"), {}, at_start=True)
        run.wait_for(run.began)
        accounts.take(read_again(ledger, every="5h"), {}, at_start=False)
        run.may_end.set()
        run.wait_for(run.ended)
        accounts.catch_up()
        planned = jobs.next_run("me")
        assert planned is not None
        assert planned > utc_now() + timedelta(hours=4)


def test_how_a_run_into_another_ledger_went_says_nothing_about_this_one(
    ledger: OpenLedger, tmp_path: Path
) -> None:
    run = Held(ended("succeeded"))
    other = OpenLedger.open(config(tmp_path / "b.db"), threading.Event())
    with closing(other), accounts_of(ledger, run) as (accounts, _):
        accounts.take(ledger, {}, at_start=True)
        run.wait_for(run.began)
        accounts.take(other, {}, at_start=True)
        run.may_end.set()
        run.wait_for(run.ended)
        (state,) = accounts.states()
        assert state.history.status is None
        assert not state.is_well
        run.may_leave.set()  # only now: its next run, into the other ledger, may begin at once


def test_an_account_that_left_during_its_run_stays_away(ledger: OpenLedger) -> None:
    run = Held(ended("failed"))
    run.may_leave.set()
    with accounts_of(ledger, run) as (accounts, jobs):
        accounts.take(read_again(ledger, "me", "you"), {}, at_start=True)
        run.wait_for(run.began)
        run.wait_for(run.began)
        assert accounts.take(read_again(ledger, "you"), {}, at_start=False) == {"me"}
        run.may_end.set()
        run.wait_for(run.ended)
        run.wait_for(run.ended)
        assert [state.name for state in accounts.states()] == ["you"]
        assert jobs.next_run("me") is None


def test_reloads_runs_and_heartbeats_at_once_lose_no_run_and_no_reload(ledger: OpenLedger) -> None:
    runs: list[Config] = []

    def run(accounts: Accounts, name: str) -> None:
        state, started = accounts.state(name), utc_now()
        assert state is not None
        runs.append(state.config)
        accounts.ran(state, ended("failed"), started)

    stop = threading.Event()
    with accounts_of(ledger, run) as (accounts, _):
        accounts.take(ledger, {}, at_start=True)

        def beat() -> None:
            while not stop.wait(0.001):
                accounts.catch_up()

        beating = threading.Thread(target=beat)
        beating.start()
        for _ in range(50):
            last = config(Path("a.db"))
            accounts.take(replace(ledger, config=last), {}, at_start=False)
            deadline = utc_now() + timedelta(seconds=PATIENCE)
            while last not in [seen for seen in runs if seen is last]:
                assert utc_now() < deadline, "a reload was lost"
        stop.set()
        beating.join()
