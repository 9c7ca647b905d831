"""When the daemon syncs: on its schedule, once, and whatever happened meanwhile."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.daemon import RunningDaemon, write_daemon_config
from tests.support.database import execute
from tests.support.inside.database import Store
from tests.support.ledger import rows, value
from tests.support.process import repoledger

TWO = "".join(f'[[accounts]]\nname = "{n}"\ntoken_env = "TOKEN"\n' for n in "ab")


def test_the_daemon_syncs_at_its_start_and_then_by_the_schedule(
    github: Sandbox, folder: Path
) -> None:
    write_daemon_config(folder, github.url, 'every = "1s"')
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished", times=3, account="me", status="succeeded")
    assert value(folder / "ledger.db", "SELECT count(*) FROM repositories") == 3
    triggers = rows(folder / "ledger.db", "SELECT DISTINCT trigger FROM sync_runs")
    assert triggers == [("schedule",)]


def test_while_all_is_well_it_logs_one_line_a_run(github: Sandbox, folder: Path) -> None:
    write_daemon_config(folder, github.url, 'every = "1s"')
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished", times=2)
        daemon.stop()
    names = [event["event"] for event in daemon.events]
    assert set(names) == {
        *("daemon.started", "sync.run_finished", "daemon.stopping", "daemon.stopped", "end")
    }
    assert names.count("sync.run_finished") == value(
        folder / "ledger.db", "SELECT count(*) FROM sync_runs"
    )


def test_without_run_at_start_it_waits_for_the_schedule(github: Sandbox, folder: Path) -> None:
    repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    write_daemon_config(folder, github.url, 'cron = "0 0 1 1 *"\nrun_at_start = false')
    with RunningDaemon(folder) as daemon:
        (status,) = rows(folder / "ledger.db", "SELECT next_run_at FROM accounts")
        assert status[0][5:16] == "01-01 00:00"
    assert daemon.logged("sync.run_finished") == []


def test_an_overdue_account_is_synced_once_after_downtime(github: Sandbox, folder: Path) -> None:
    write_daemon_config(folder, github.url, 'every = "1h"\nrun_at_start = false')
    repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    execute(
        f"sqlite:///{folder / 'ledger.db'}",
        "UPDATE sync_runs SET started_at = '2026-01-01 00:00:00.000000'",
    )
    with RunningDaemon(folder, "--log-level", "debug") as daemon:
        daemon.wait_for("sync.run_finished")
    assert len(daemon.logged("sync.run_started")) == 1


def test_a_slow_run_is_never_overlapped_and_what_it_misses_is_told(
    github: Sandbox, folder: Path
) -> None:
    write_daemon_config(folder, github.url, 'every = "1s"')
    github.delay = 1.3
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("schedule.run_missed", times=2, account="me")
        daemon.wait_for("sync.run_finished", times=2)
    spans = rows(folder / "ledger.db", "SELECT started_at, finished_at FROM sync_runs ORDER BY id")
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert "still going on" in daemon.logged("schedule.run_missed")[0]["reason"]


def test_different_accounts_run_side_by_side(github: Sandbox, folder: Path) -> None:
    write_daemon_config(folder, github.url, 'every = "1h"', TWO)
    meeting = threading.Barrier(2)

    def meet(request: object) -> None:
        if getattr(request, "path", "") == "/user/repos":
            meeting.wait(15)

    github.on_request = meet
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished", times=2, status="succeeded")


def test_no_more_accounts_are_synced_at_a_time_than_allowed(github: Sandbox, folder: Path) -> None:
    write_daemon_config(folder, github.url, 'every = "1h"\nconcurrency = 1', TWO)
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished", times=2)
    first, second = rows(folder / "ledger.db", "SELECT started_at, finished_at FROM sync_runs")
    assert first[1] <= second[0]


def test_an_account_may_have_a_schedule_of_its_own(github: Sandbox, folder: Path) -> None:
    accounts = TWO.replace('name = "a"', 'name = "a"\nevery = "1s"')
    write_daemon_config(folder, github.url, 'cron = "0 0 1 1 *"', accounts)
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished", times=4, account="a")
    assert len(daemon.logged("sync.run_finished", account="b")) == 1


def test_a_run_that_github_puts_off_comes_back_at_the_time_that_it_named(
    github: Sandbox, folder: Path
) -> None:
    github.fail(times=1, path="/user*", status=429, headers={"Retry-After": "2"}, body=b"{}")
    with RunningDaemon(folder) as daemon:
        put_off = daemon.wait_for("sync.run_finished", status="deferred")
        daemon.wait_for("sync.run_finished", status="succeeded")
    second = value(folder / "ledger.db", "SELECT max(started_at) FROM sync_runs")
    back = datetime.fromisoformat(put_off["not_before"])
    assert timedelta(0) <= datetime.fromisoformat(second).replace(tzinfo=UTC) - back
    assert value(folder / "ledger.db", "SELECT count(*) FROM sync_runs") == 2


def test_an_account_that_another_process_is_syncing_is_passed_over(
    github: Sandbox, folder: Path
) -> None:
    repoledger("migrate", cwd=folder)
    write_daemon_config(folder, github.url, 'every = "1s"')
    with (
        Store(f"sqlite:///{folder / 'ledger.db'}") as store,
        RunningDaemon(folder) as daemon,
    ):
        daemon.wait_for("sync.run_finished")
        with store.lock("me", wait=True):
            missed = daemon.wait_for("schedule.run_missed")
            assert "another process is syncing" in missed["reason"]
            before = len(daemon.logged("sync.run_finished"))
        daemon.wait_for("sync.run_finished", times=before + 1)
    assert {event["status"] for event in daemon.logged("sync.run_finished")} == {"succeeded"}


def test_a_daemon_that_was_killed_in_the_middle_converges_after_its_restart(
    github: Sandbox, folder: Path
) -> None:
    for n in range(150):
        github.add_repository("octo", f"more-{n}")
    write_daemon_config(folder, github.url, 'every = "1h"\nrun_at_start = false')
    with RunningDaemon(folder) as daemon:

        def kill(request: object) -> None:
            if getattr(request, "query", {}).get("page") == "2":
                daemon.send(signal.SIGKILL)

        github.on_request = kill
        assert daemon.process.wait(timeout=20) == -signal.SIGKILL
    github.on_request = None
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished", status="succeeded")
    statuses = rows(folder / "ledger.db", "SELECT status FROM sync_runs ORDER BY id")
    assert statuses == [("interrupted",), ("succeeded",)]
    assert value(folder / "ledger.db", "SELECT count(*) FROM repositories") == 153
