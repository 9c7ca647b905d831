"""How the daemon stops and reads its configuration again: by signals, wherever it is."""

from __future__ import annotations

import re
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.daemon import RunningDaemon, wait_until, write_daemon_config
from tests.support.ledger import rows, value
from tests.support.process import repoledger

STOPS = [signal.SIGTERM, signal.SIGINT]
Arrange = Callable[[Sandbox, Path], threading.Event]


def at_idle(github: Sandbox, folder: Path) -> threading.Event:
    there = threading.Event()
    there.set()
    return there


def in_a_slow_answer(github: Sandbox, folder: Path) -> threading.Event:
    there = threading.Event()

    def arrive(request: object) -> None:
        if getattr(request, "path", "") == "/user/repos":
            there.set()

    github.delay = 60.0
    github.on_request = arrive
    return there


def between_two_pages(github: Sandbox, folder: Path) -> threading.Event:
    there = threading.Event()
    for n in range(150):
        github.add_repository("octo", f"more-{n}")

    def arrive(request: object) -> None:
        if getattr(request, "query", {}).get("page") == "2":
            github.delay = 60.0
            there.set()

    github.on_request = arrive
    return there


def waiting_for_quota(github: Sandbox, folder: Path) -> threading.Event:
    config = folder / "config.toml"
    config.write_text(config.read_text().replace('max_wait = "0s"', 'max_wait = "2h"'))
    github.fail(times=9, path="/user*", status=429, headers={"Retry-After": "50"}, body=b"{}")
    return threading.Event()


@pytest.mark.matrix("process.signal")
@pytest.mark.parametrize("number", STOPS)
@pytest.mark.parametrize(
    ("arrange", "status", "stored"),
    [
        (at_idle, "succeeded", 3),
        (in_a_slow_answer, "interrupted", 0),
        (between_two_pages, "interrupted", 100),
        (waiting_for_quota, "interrupted", 0),
    ],
)
def test_a_stop_ends_it_well_wherever_it_is(
    github: Sandbox,
    folder: Path,
    arrange: Arrange,
    status: str,
    stored: int,
    number: signal.Signals,
) -> None:
    there = arrange(github, folder)
    with RunningDaemon(folder) as daemon:
        if arrange is waiting_for_quota:
            daemon.wait_for("rate_limit.waiting")
        elif arrange is at_idle:
            daemon.wait_for("sync.run_finished")
        else:
            assert there.wait(20)
        if arrange is between_two_pages:
            wait_until(lambda: value(folder / "ledger.db", "SELECT count(*) FROM repositories"))
        began = time.monotonic()
        assert daemon.stop(number) == 0
        assert time.monotonic() - began < 5  # the promise itself, with room: it takes half a second
    assert daemon.logged("daemon.stopped")[0]["clean"] is True
    assert rows(folder / "ledger.db", "SELECT status FROM sync_runs") == [(status,)]
    assert value(folder / "ledger.db", "SELECT count(*) FROM repositories") == stored


@pytest.mark.matrix("process.signal")
def test_a_second_signal_ends_it_at_once(github: Sandbox, folder: Path) -> None:
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished")
        file = folder / "ledger.db"
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # which the end of the daemon waits for, a little
            daemon.send(signal.SIGTERM)
            daemon.wait_for("daemon.stopping")
            assert daemon.stop() == 130


def test_a_good_configuration_is_taken_over_without_a_restart(
    github: Sandbox, folder: Path
) -> None:
    accounts = "".join(f'[[accounts]]\nname = "{n}"\ntoken_env = "TOKEN"\n' for n in ("you", "me"))
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished", account="me")
        write_daemon_config(folder, github.url, 'every = "1h"\nconcurrency = 2', accounts)
        daemon.send(signal.SIGHUP)
        daemon.wait_for("config.reloaded", accounts=2)
        daemon.wait_for("sync.run_finished", account="you")
        write_daemon_config(
            folder, github.url, 'every = "1s"\nmax_age = "1d"', accounts[: len(accounts) // 2 + 1]
        )
        daemon.send(signal.SIGHUP)
        daemon.wait_for("config.reloaded", accounts=1)
        daemon.wait_for("sync.run_finished", account="you", times=3)
        assert daemon.json("/readyz") == (200, {"status": "ok", "database": "ok", "accounts": 1})
    assert len(daemon.logged("sync.run_finished", account="me")) == 1


def test_a_bad_configuration_is_refused_and_the_old_one_stays(
    github: Sandbox, folder: Path
) -> None:
    write_daemon_config(folder, github.url, 'every = "1s"')
    with RunningDaemon(folder) as daemon:
        good = (folder / "config.toml").read_text()
        (folder / "config.toml").write_text(good.replace("every", "evry"))
        daemon.send(signal.SIGHUP)
        refused = daemon.wait_for("config.refused", level="error")
        assert "schedule.evry: unknown key; did you mean every?" in refused["message"]
        (folder / "config.toml").write_text(good.replace("ledger.db", "nowhere/ledger.db"))
        daemon.send(signal.SIGHUP)
        daemon.wait_for("config.refused", times=2)
        runs = len(daemon.logged("sync.run_finished"))
        daemon.wait_for("sync.run_finished", times=runs + 2, status="succeeded")


def test_the_listener_moves_when_it_is_told_to(github: Sandbox, folder: Path) -> None:
    with RunningDaemon(folder) as daemon:
        config = folder / "config.toml"
        config.write_text(config.read_text().replace("127.0.0.1:0", "localhost:0"))
        daemon.send(signal.SIGHUP)
        moved = daemon.wait_for("config.reloaded")
        assert moved["listen"] != daemon.started["listen"]
        assert daemon.get("/livez")[0] == 200


def test_an_account_that_failed_is_tried_again_when_the_configuration_is_read_again(
    github: Sandbox, folder: Path
) -> None:
    token = folder / "token"
    token.write_text("ghp_" + "wrong" * 8)
    account = '[[accounts]]\nname = "me"\ntoken_file = "token"\n'
    write_daemon_config(folder, github.url, 'every = "1h"', account)
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_failed", error_type="BadCredentials")
        token.write_text(TOKEN + "\n")
        daemon.send(signal.SIGHUP)
        daemon.wait_for("sync.run_finished", status="succeeded")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (('token_env = "TOKEN"', 'token_env = "NOT_SET"'), "NOT_SET is not set"),
        (("ledger.db", "nowhere/ledger.db"), "does not exist; create it first"),
        (("every", "evry"), "unknown key; did you mean every?"),
    ],
)
def test_a_configuration_that_can_never_work_is_refused_at_the_start(
    folder: Path, change: tuple[str, str], complaint: str
) -> None:
    config = folder / "config.toml"
    config.write_text(config.read_text().replace(*change))
    done = repoledger("daemon", cwd=folder, TOKEN=TOKEN)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stop_while_it_is_starting_ends_it_at_once(github: Sandbox, folder: Path) -> None:
    file = folder / "ledger.db"
    repoledger("migrate", cwd=folder)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")  # which its start waits for
        daemon = RunningDaemon(folder)
        proc = Path(f"/proc/{daemon.process.pid}/status")
        caught = re.compile(r"\nSigCgt:\t[0-9a-f]+4007\n")  # TERM, QUIT, INT, HUP
        wait_until(lambda: caught.search(proc.read_text()))
        assert daemon.stop() == 0
        daemon.end()
    assert daemon.logged("daemon.started") == []
