"""Several backfills of one account at once, as processes, and what must come of it."""

from __future__ import annotations

from pathlib import Path

from sync.sandbox import Sandbox
from tests.support.backfills import (
    Backfill,
    effect,
    held_at_page,
    runs,
    undisturbed,
    wait_patiently,
)
from tests.support.runs import fill


def one_writes_and_the_others_say_so(github: Sandbox, folder: Path, url: str, number: int) -> None:
    """Begin `number` backfills at once; all but one are refused while that one is at work."""
    fill(github, 150)
    with held_at_page(github, 2) as gate:
        backfills = [Backfill(github, folder, url) for _ in range(number)]
        wait_patiently(lambda: sum(backfill.has_ended for backfill in backfills) == number - 1)
        gate.set()
        ended = [backfill.end() for backfill in backfills]
    assert sorted(each.code for each in ended) == [0] + [1] * (number - 1)
    for refused in (each for each in ended if each.code):
        assert refused.outcome["error_type"] == "RunInProgress"
        assert "another process is syncing the account me" in refused.outcome["error_message"]
        assert refused.traceless
    assert runs(url) == [("succeeded", 2, 150, 0, 0, 0)]
    assert effect(url) == undisturbed(github, folder)


def each_waits_for_the_one_before(github: Sandbox, folder: Path, url: str, number: int) -> None:
    """Begin `number` backfills at once that wait for each other: the first stores the rows."""
    fill(github, 150)
    with held_at_page(github, 2) as gate:
        backfills = [Backfill(github, folder, url, "--wait") for _ in range(number)]
        wait_patiently(lambda: sum("run_waiting" in each.log for each in backfills) == number - 1)
        gate.set()
        ended = [backfill.end() for backfill in backfills]
    assert [each.code for each in ended] == [0] * number
    assert all(each.traceless for each in ended)
    others = [("succeeded", 2, 0, 0, 150, 0)] * (number - 1)
    assert runs(url) == [("succeeded", 2, 150, 0, 0, 0), *others]
    assert effect(url) == undisturbed(github, folder)
