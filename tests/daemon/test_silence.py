"""A run that shows no sign of life any more: it shows in /livez, and is ended."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from sync.sandbox import Sandbox
from tests.support.daemon import RunningDaemon, wait_until, write_daemon_config
from tests.support.inside.daemon import Stop, liveness

IMPATIENT = (sys.executable, "-W", "error", "-m", "tests.support.impatient_daemon")


def test_a_silent_run_is_no_life() -> None:
    well = {"beat_age": 1.0, "heartbeat": 5.0, "scheduler_alive": True}
    assert liveness(**well, silent={}).good  # type: ignore[arg-type]  # as named above
    ill = liveness(**well, silent={"me": 412.3})  # type: ignore[arg-type]  # as above
    assert not ill.good
    assert ill.details["problem"] == "a run has shown no sign of life: me for 412 s"


def test_a_stop_event_sets_its_parts_and_no_part_sets_it() -> None:
    stop = Stop()
    with stop.part() as one, stop.part() as other:
        one.set()
        assert (stop.is_set(), other.is_set()) == (False, False)
        stop.set()
        assert other.is_set()
    with stop.part() as late:
        assert late.is_set()


def test_a_silent_run_shows_in_livez_is_ended_and_the_account_goes_on(
    github: Sandbox, tmp_path: Path
) -> None:
    github.add_repository("octo", "hello")
    config = write_daemon_config(tmp_path, github.url, 'every = "1s"')
    config.write_text(config.read_text().replace("[github]", '[github]\ntimeout = "1s"'))
    with RunningDaemon(tmp_path, program=IMPATIENT) as daemon:
        daemon.wait_for("sync.run_finished", status="succeeded")
        with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # which a run waits for, without a word
            wait_until(lambda: daemon.json("/livez")[0] == 503)
            problem = daemon.json("/livez")[1]["problem"]
            ended = daemon.wait_for("daemon.run_silent", account="me")
        assert problem.startswith("a run has shown no sign of life: me for ")
        assert ended["level"] == "error"
        wait_until(lambda: daemon.json("/livez")[0] == 200)
        daemon.reload()  # what has failed is tried again at once
        before = len(daemon.logged("sync.run_finished", status="succeeded"))
        daemon.wait_for("sync.run_finished", status="succeeded", times=before + 1)
