"""The lock that a server keeps for a process: for how long, and what frees it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from sync.sandbox import Sandbox
from tests.support.backfills import (
    PATIENCE,
    POLL,
    Backfill,
    effect,
    end_sessions,
    held_at_page,
    runs,
    undisturbed,
    wait_for_pages,
    wait_patiently,
    waiting_sessions,
)
from tests.support.database import snapshot, users_engine
from tests.support.database_processes import spawned, takes_lock
from tests.support.inside.core import RunInProgress
from tests.support.inside.database import LEASE, Store
from tests.support.runs import fill

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.parametrize("new_database", ["postgresql", "mysql"], indirect=True),
]


@pytest.mark.matrix("database.frozen")
def test_a_backfill_that_is_frozen_in_the_middle_of_a_page_keeps_nobody_out_for_long(
    github: Sandbox, tmp_path: Path, ledger_url: str
) -> None:
    fill(github, 250)
    with held_at_page(github, 2) as gate, users_engine(ledger_url) as engine:
        frozen = Backfill(github, tmp_path, ledger_url)
        assert gate.reached.wait(PATIENCE)
        wait_for_pages(ledger_url, 1)
        with engine.begin() as connection:  # the last that a page writes is in its way
            connection.execute(text("SELECT id FROM sync_runs FOR UPDATE"))
            gate.set()
            wait_patiently(lambda: waiting_sessions(ledger_url))
            frozen.freeze()
    # It holds the lock, and the rows of an open transaction, until the server ends both.
    other = Backfill(github, tmp_path, ledger_url, "--wait").end(patience=300)
    assert (other.code, *other.did) == (0, "succeeded", 3, 150, 0, 100, 0), other.stderr
    assert "sync.run_waiting" in other.stderr
    before = snapshot(ledger_url)
    frozen.thaw()
    late = frozen.end()
    assert (late.code, late.outcome["error_type"]) == (1, "Fenced"), late.stderr
    assert late.traceless
    assert snapshot(ledger_url) == before
    assert runs(ledger_url) == [("interrupted", 1, 100, 0, 0, 0), other.did]
    assert effect(ledger_url) == undisturbed(github, tmp_path)


def test_a_run_that_waits_for_long_between_two_pages_keeps_its_lock(
    github: Sandbox, tmp_path: Path, ledger_url: str
) -> None:
    fill(github, 250)
    with held_at_page(github, 2) as gate:
        backfill = Backfill(github, tmp_path, ledger_url)
        assert gate.reached.wait(PATIENCE)
        POLL.wait(LEASE + 15)  # there is nothing to wait for but the time itself
        refused = Backfill(github, tmp_path, ledger_url).end()
    assert (refused.code, refused.outcome["error_type"]) == (1, "RunInProgress")
    ended = backfill.end()
    assert (ended.code, *ended.did) == (0, "succeeded", 3, 250, 0, 0, 0), ended.stderr


def test_a_lock_whose_connection_was_ended_is_taken_again_before_long(ledger_url: str) -> None:
    def is_refused() -> bool:
        try:
            with store.lock("me"):
                return False
        except RunInProgress:
            return True

    with Store(ledger_url) as store, spawned(takes_lock, ledger_url, "me") as child:
        assert [child.receive(), child.receive()] == ["asking", "held"]
        assert end_sessions(ledger_url) == 1
        assert not is_refused()
        wait_patiently(is_refused)
