"""A daemon reads what is due of the resources between two listings."""

from __future__ import annotations

import json
import signal
import sqlite3
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.daemon.test_health import metrics_of
from tests.support.daemon import PATIENCE, RunningDaemon, wait_until, write_daemon_config
from tests.support.ledger import rows
from tests.support.process import repoledger

JUMPING = (sys.executable, "-m", "tests.support.jumping_daemon")
SCHEDULE = 'every = "30d"\nrun_at_start = false\n[resources]\ntraffic = true\ndefault = false'
LONG_AGO = "2026-01-01 00:00:00.000000"


@pytest.fixture
def due(github: Sandbox, tmp_path: Path) -> Path:
    """A folder of an account that was listed, where the traffic of its repositories is due."""
    github.set_scopes(TOKEN, ("public_repo",))
    for n in range(30):
        github.add_repository("octo", f"r{n}")
    write_daemon_config(tmp_path, github.url, SCHEDULE)
    done = repoledger("backfill", cwd=tmp_path, TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    grow_old(tmp_path)
    return tmp_path


def grow_old(folder: Path) -> None:
    """Let what was read of the resources be due."""
    with closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as ledger:
        ledger.execute("UPDATE resource_states SET checked_at = ?, next_at = ?", [LONG_AGO] * 2)


def runs(folder: Path) -> list[tuple[str, str]]:
    return rows(folder / "ledger.db", "SELECT trigger, status FROM sync_runs ORDER BY id")


def still_due(folder: Path) -> int:
    query = f"SELECT count(*) FROM resource_states WHERE checked_at = '{LONG_AGO}'"
    return int(rows(folder / "ledger.db", query)[0][0])


def test_what_is_due_is_read_without_the_listing_and_is_no_sync_of_the_account(due: Path) -> None:
    before = status_of(due)
    with RunningDaemon(due) as daemon:
        daemon.wait_for("sync.run_finished", trigger="resources")
        wait_until(
            lambda: metrics_of(daemon).get(
                'repoledger_resource_requests_total{account="me",resource="traffic"}'
            )
        )
        figures = metrics_of(daemon)
        ready = daemon.json("/readyz")
    assert runs(due) == [("backfill", "succeeded"), ("resources", "succeeded")]
    assert still_due(due) == 0
    of = '{account="me",resource="traffic"}'
    assert figures[f"repoledger_resource_requests_total{of}"] == 60
    assert figures[f"repoledger_resource_refused{of}"] == 0
    assert figures[f"repoledger_resource_waiting{of}"] == 0
    assert figures[f"repoledger_resource_oldest_reading_age_seconds{of}"] < 3600
    assert not any(name.startswith("repoledger_runs_total") for name in figures)
    assert ready[0] == 200
    assert status_of(due) == before


def status_of(folder: Path) -> dict[str, Any]:
    """Return what `status` says of the account, but the time since it was synced."""
    (row,) = json.loads(repoledger("status", "--json", cwd=folder).stdout)
    return {name: row[name] for name in ("run_id", "trigger", "finished_at", "failures")}


def left_by(folder: Path, run: int) -> int:
    """Return the number of repositories that a run left for a later one."""
    query = f"SELECT sum(deferred) FROM resource_runs WHERE run_id = {run}"
    return int(rows(folder / "ledger.db", query)[0][0])


def test_a_due_listing_does_not_wait_for_a_long_reading(github: Sandbox, due: Path) -> None:
    going_on, go_on = hold(github)
    with RunningDaemon(due) as daemon:
        assert going_on.wait(PATIENCE)
        write_daemon_config(due, github.url, SCHEDULE.replace("30d", "1s"))
        daemon.reload()
        daemon.wait_for("schedule.run_missed", account="me")  # a second one, while one waits
        go_on.set()
        daemon.wait_for("sync.run_finished", status="succeeded", trigger="resources")
        write_daemon_config(due, github.url, SCHEDULE)
        daemon.reload()
        wait_until(lambda: still_due(due) == 0)
    told = runs(due)
    assert told[1] == ("resources", "succeeded")
    assert told[2][0] == "schedule"
    assert left_by(due, 2) > 0


@pytest.mark.slow
def test_what_becomes_due_while_the_daemon_runs_is_read_without_the_listing(
    github: Sandbox, due: Path
) -> None:
    clock = due / "clock"
    clock.write_text(str(2 * 24 * 3600))
    now = datetime.now(UTC)
    times = [f"{time:%Y-%m-%d %H:%M:%S.%f}" for time in (now, now + timedelta(days=1))]
    with closing(sqlite3.connect(due / "ledger.db", isolation_level=None)) as ledger:
        ledger.execute("UPDATE resource_states SET checked_at = ?, next_at = ?", times)
    with RunningDaemon(due, program=JUMPING, CLOCK=str(clock)) as daemon:
        daemon.send(signal.SIGUSR1)
        daemon.wait_for("sync.run_finished", trigger="resources")
        assert len(daemon.logged("sync.run_finished")) == 1


def test_figures_that_will_soon_be_lost_are_a_warning_of_readiness(due: Path) -> None:
    soon = datetime.now(UTC) + timedelta(days=1)
    later = datetime.now(UTC) + timedelta(days=9)
    times = [f"{time:%Y-%m-%d %H:%M:%S.%f}" for time in (soon, later)]
    with closing(sqlite3.connect(due / "ledger.db", isolation_level=None)) as ledger:
        ledger.execute("UPDATE resource_states SET lost_at = ?, next_at = ?", times)
    with RunningDaemon(due) as daemon:
        status, ready = daemon.json("/readyz")
    assert status == 200
    assert ready["warnings"] == {
        "me": f"not read for long: traffic; the first of it is lost at {soon:%Y-%m-%d %H:%M:%S} UTC"
    }


def hold(github: Sandbox) -> tuple[threading.Event, threading.Event]:
    """Hold the answers about traffic; return what tells that one is asked for, and lets go."""
    asked, may_go = threading.Event(), threading.Event()

    def arrive(request: object) -> None:
        if "/traffic/" in getattr(request, "path", ""):
            asked.set()
            assert may_go.wait(PATIENCE)

    github.on_request = arrive
    return asked, may_go


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_reading_that_is_ended_goes_on_in_the_next_daemon(
    github: Sandbox, due: Path, number: signal.Signals
) -> None:
    asked, may_go = threading.Event(), threading.Event()
    answers: list[str] = []

    def arrive(request: object) -> None:
        if "/traffic/views" in (path := getattr(request, "path", "")):
            answers.append(path)
            if len(answers) > 20:
                asked.set()
                may_go.wait(PATIENCE)

    github.on_request = arrive
    with RunningDaemon(due) as daemon:
        assert asked.wait(PATIENCE)
        code = daemon.stop(number)
    assert code == (0 if number == signal.SIGTERM else -number)
    may_go.set()
    left = still_due(due)
    assert 0 < left < 30
    with RunningDaemon(due) as daemon:
        daemon.wait_for("sync.run_finished", trigger="resources")
    assert runs(due)[1:] == [("resources", "interrupted"), ("resources", "succeeded")]
    assert still_due(due) == 0
    assert len(set(answers)) == 30


def test_with_one_worker_a_listing_of_another_account_goes_before_a_reading(
    github: Sandbox, due: Path
) -> None:
    me, you = (f'[[accounts]]\nname = "{name}"\ntoken_env = "TOKEN"\n' for name in ("me", "you"))
    schedule = SCHEDULE.replace("[resources]", "concurrency = 1\n[resources]")
    write_daemon_config(due, github.url, schedule)
    going_on, go_on = hold(github)
    with RunningDaemon(due) as daemon:
        assert going_on.wait(PATIENCE)
        write_daemon_config(due, github.url, schedule, me + you + 'every = "1s"\n')
        daemon.reload()
        daemon.wait_for("schedule.run_missed", account="you")  # a second one, while one waits
        go_on.set()
        daemon.wait_for("sync.run_finished", account="you")
        write_daemon_config(due, github.url, schedule, me + you)
        daemon.reload()
        wait_until(lambda: still_due(due) == 0)
    told = rows(due / "ledger.db", "SELECT account, trigger, status FROM sync_runs ORDER BY id")
    assert told[1] == ("me", "resources", "succeeded")
    assert told[2] == ("you", "schedule", "succeeded")
    assert left_by(due, 2) > 0
