"""A backfill that is frozen while another takes over, as processes: the late page is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.support.backfills import (
    PATIENCE,
    Backfill,
    effect,
    end_sessions,
    held_at_page,
    runs,
    undisturbed,
    wait_for_pages,
)
from tests.support.database import snapshot
from tests.support.runs import fill

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),  # a busy machine starts processes slowly
]


def frozen_between_two_pages(github: Sandbox, folder: Path, url: str) -> Backfill:
    """Return a backfill that stands still while it waits for its second page."""
    with held_at_page(github, 2) as gate:
        frozen = Backfill(github, folder, url)
        assert gate.reached.wait(PATIENCE)
        wait_for_pages(url, 1)
        frozen.freeze()
    return frozen


def take_the_lock_from_a_frozen_process(url: str) -> None:
    """Do what an administrator can, since a process that is frozen still holds all it held."""
    if url.startswith("sqlite:"):
        (lock,) = Path(url.removeprefix("sqlite:///")).parent.glob("*.me.lock")
        lock.unlink()
    else:
        assert end_sessions(url)


@pytest.mark.matrix("database.frozen", "always.one-writer")
def test_a_page_that_a_frozen_backfill_brings_after_another_took_over_is_refused(
    github: Sandbox, tmp_path: Path, ledger_url: str
) -> None:
    fill(github, 250)
    frozen = frozen_between_two_pages(github, tmp_path, ledger_url)
    refused = Backfill(github, tmp_path, ledger_url).end()
    assert (refused.code, refused.outcome["error_type"]) == (1, "RunInProgress")
    take_the_lock_from_a_frozen_process(ledger_url)
    assert Backfill(github, tmp_path, ledger_url).end().code == 0
    before = snapshot(ledger_url)
    frozen.thaw()
    late = frozen.end()
    assert (late.code, late.outcome["status"]) == (1, "failed")
    assert "a later run of the account me has taken over" in late.outcome["error_message"]
    assert late.traceless
    assert snapshot(ledger_url) == before
    assert [status for status, *_ in runs(ledger_url)] == ["interrupted", "succeeded"]
    assert effect(ledger_url) == undisturbed(github, tmp_path)


def test_a_frozen_backfill_that_lost_its_lock_and_was_not_overtaken_finishes(
    github: Sandbox, tmp_path: Path, ledger_url: str
) -> None:
    fill(github, 250)
    frozen = frozen_between_two_pages(github, tmp_path, ledger_url)
    take_the_lock_from_a_frozen_process(ledger_url)
    frozen.thaw()
    ended = frozen.end()
    assert (ended.code, *ended.did) == (0, "succeeded", 3, 250, 0, 0, 0)
    assert runs(ledger_url) == [ended.did]
    assert effect(ledger_url) == undisturbed(github, tmp_path)
