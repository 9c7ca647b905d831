"""What shows only after a while: a daemon neither grows nor drifts."""

from __future__ import annotations

import re
import signal
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.support.daemon import RunningDaemon, ServiceManager, write_daemon_config
from tests.support.ledger import rows, value
from tests.support.runs import fill

pytestmark = pytest.mark.timeout(400)
MIB = 1024 * 1024


def usage(daemon: RunningDaemon) -> dict[str, int]:
    """Return the resident memory (bytes), open files and threads of the process."""
    proc = Path(f"/proc/{daemon.process.pid}")
    status = (proc / "status").read_text()
    figures = {
        name: int(re.findall(rf"{name}:\s+(\d+)", status)[0]) for name in ("VmRSS", "Threads")
    }
    files = len(list((proc / "fd").iterdir()))
    return {"memory": figures["VmRSS"] * 1024, "threads": figures["Threads"], "files": files}


def test_after_a_thousand_runs_it_is_as_small_as_after_fifty(
    github: Sandbox, tmp_path: Path
) -> None:
    fill(github, 30)
    accounts = "".join(f'[[accounts]]\nname = "a{n}"\ntoken_env = "TOKEN"\n' for n in range(20))
    write_daemon_config(tmp_path, github.url, 'every = "1s"', accounts)
    with RunningDaemon(tmp_path) as daemon:
        daemon.wait_for("sync.run_finished", times=50)
        early = usage(daemon)
        daemon.wait_for("sync.run_finished", times=1_000, patience=300)
        late = usage(daemon)
    print(f"after 50 runs {early}, after 1,000 runs {late}")
    assert late["memory"] - early["memory"] < 5 * MIB
    # Threads and files of the runs that happen to be under way come and go.
    assert abs(late["threads"] - early["threads"]) <= 4 * 6
    assert abs(late["files"] - early["files"]) <= 4 * 8


def test_for_a_minute_a_slow_server_is_never_asked_by_two_runs_at_a_time(
    github: Sandbox, tmp_path: Path
) -> None:
    fill(github, 3)
    write_daemon_config(tmp_path, github.url, 'every = "1s"')
    github.delay = 3.0
    with RunningDaemon(tmp_path) as daemon:
        daemon.wait_for("sync.run_finished", times=15, patience=90)
    spans = rows(
        tmp_path / "ledger.db", "SELECT started_at, finished_at FROM sync_runs ORDER BY id"
    )
    overlaps = [pair for pair in pairwise(spans) if pair[0][1] > pair[1][0]]
    missed = len(daemon.logged("schedule.run_missed"))
    print(f"{len(spans)} runs, {len(overlaps)} overlaps, {missed} missed ticks told")
    assert overlaps == []
    assert missed >= 15


@pytest.mark.matrix("process.clock")
def test_after_thirty_seconds_of_sleep_the_overdue_run_comes_once(
    github: Sandbox, tmp_path: Path
) -> None:
    fill(github, 3)
    write_daemon_config(tmp_path, github.url, 'every = "25s"')
    with (
        ServiceManager(tmp_path) as manager,
        RunningDaemon(tmp_path, NOTIFY_SOCKET=manager.address) as daemon,
    ):
        daemon.wait_for("sync.run_finished")
        manager.wait_for("WATCHDOG=1")  # idle
        daemon.send(signal.SIGSTOP)
        threading.Event().wait(30)  # the sleep itself, not a wait for something
        daemon.send(signal.SIGCONT)
        daemon.wait_for("sync.run_finished", times=2, patience=6)
        manager.wait_for("WATCHDOG=1", times=2)
        assert value(tmp_path / "ledger.db", "SELECT count(*) FROM sync_runs") == 2
