"""A clock that jumps, and a process that sleeps: what is overdue runs once, soon."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.support.daemon import RunningDaemon, ServiceManager, write_daemon_config
from tests.support.process import repoledger

pytestmark = pytest.mark.slow

JUMPING = (sys.executable, "-m", "tests.support.jumping_daemon")


@pytest.mark.matrix("process.clock")
@pytest.mark.parametrize(("hours", "schedule"), [(2, 'every = "1h"'), (-2, 'cron = "0 * * * *"')])
def test_a_jump_of_the_clock_is_followed_by_one_run(
    github: Sandbox, folder: Path, hours: int, schedule: str
) -> None:
    write_daemon_config(folder, github.url, schedule)
    clock = folder / "clock"
    clock.write_text(str(hours * 3600))
    with (
        ServiceManager(folder) as manager,
        RunningDaemon(
            folder, program=JUMPING, CLOCK=str(clock), NOTIFY_SOCKET=manager.address
        ) as daemon,
    ):
        daemon.wait_for("sync.run_finished")
        daemon.send(signal.SIGUSR1)
        jumped = daemon.wait_for("sync.run_finished", times=2)
        assert jumped["status"] == "succeeded"
        manager.wait_for("WATCHDOG=1", times=2)
        assert len(daemon.logged("sync.run_finished")) == 2
        assert daemon.get("/livez")[0] == 200


@pytest.mark.matrix("process.clock")
def test_a_process_that_was_stopped_for_a_while_goes_on_where_it_was(
    github: Sandbox, folder: Path
) -> None:
    write_daemon_config(folder, github.url, 'every = "2s"')
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished")
        daemon.send(signal.SIGSTOP)
        for _ in range(4):  # time passes
            assert repoledger("status", cwd=folder, TOKEN="x").returncode == 0
        before = len(daemon.logged("sync.run_finished"))
        daemon.send(signal.SIGCONT)
        daemon.wait_for("sync.run_finished", times=before + 2, status="succeeded")
    assert daemon.logged("sync.run_failed") == []
