"""A SQLite file that others write to, or that nothing more fits into, during a run."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import threading
from contextlib import closing

import pytest

from tests.matrix.stage import RUN_FAILED, RUN_FINISHED, Stage, expect
from tests.support.database import values
from tests.support.hub import a_repository

BUSY = 2.0  # seconds that another program writes for


@pytest.mark.matrix("database.locked", "always.converges")
def test_another_program_that_writes_into_the_ledger_is_waited_for(stage: Stage) -> None:
    stage.run()
    stage.hub.items = [a_repository(id_, description="new") for id_ in stage.ids()]
    file = stage.folder / "ledger.db"
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        release = threading.Timer(BUSY, other.execute, ("COMMIT",))

        def write(place: str) -> None:
            if place == "page 2":
                other.execute("BEGIN IMMEDIATE")
                release.start()

        stage.hub.on_request = write
        ran = stage.run()
        release.join()
    expect(ran, "succeeded", [RUN_FINISHED], seen=7)
    assert (ran.outcome["updated"], ran.seconds > BUSY) == (7, True)
    stage.assert_equals_list()


@pytest.mark.matrix("database.full", "always.converges", "always.alive")
def test_a_disk_that_is_full_fails_the_run_and_leaves_whole_pages(stage: Stage) -> None:
    running: list[subprocess.Popen[str]] = []

    def fill(place: str) -> None:
        if place == "page 3":  # no file can grow any more, as on a disk without room
            resource.prlimit(running[0].pid, resource.RLIMIT_FSIZE, (0, 0))

    stage.hub.on_request = fill
    running.append(stage.started())
    ran = stage.ended(running[0])
    stored = stage.ids()  # the page before may have been written already, or not
    assert stored in ([1, 2, 3], [1, 2, 3, 4, 5, 6])
    expect(ran, "failed", [RUN_FAILED], seen=len(stored), error="DatabaseError")
    assert "ledger.db: disk I/O error" in ran.outcome["error_message"]
    stage.assert_converges()
    statuses = values(stage.ledger, "SELECT status FROM sync_runs ORDER BY id")
    assert statuses == [("interrupted",), ("succeeded",)]
