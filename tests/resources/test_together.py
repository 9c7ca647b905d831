"""Runs that read all resources at once, or frozen while another takes over: the rows are the same.

What is stored afterwards equals what runs bring that nothing happens to, in every table.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.database import snapshot
from tests.support.database_processes import Child, spawned
from tests.support.ledger_state import differences
from tests.support.together import (
    BETWEEN,
    INSIDE,
    STEPS,
    Scene,
    but_who_was_first,
    first_to_tell,
    runs,
    scene_before,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine starts processes slowly
KINDS = ("sqlite", "postgresql")


@pytest.fixture(params=STEPS)
def step(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=KINDS)
def scene(request: pytest.FixtureRequest, step: str, tmp_path: Path) -> Iterator[Scene]:
    with scene_before(request.param, step, tmp_path) as scene:
        yield scene


@contextmanager
def frozen(scene: Scene, moment: str) -> Iterator[Child]:
    """Yield a run of the account me that stands still at that moment of its second answer."""
    with spawned(runs, scene.order(), moment) as child:
        assert child.receive() == "paused"
        child.freeze()
        yield child


def thawed(child: Child) -> None:
    child.thaw()
    child.send("go on")


def assert_undisturbed(scene: Scene, *accounts: str) -> None:
    found, expected = scene.effect, scene.undisturbed(*accounts)
    if len(accounts) > 1:
        found, expected = but_who_was_first(found), but_who_was_first(expected)
    assert list(differences(found, expected)) == []


def test_of_two_runs_of_an_account_one_reads_resources_and_the_other_says_so(scene: Scene) -> None:
    with scene.held() as gate, ExitStack() as stack:
        both = [stack.enter_context(spawned(runs, scene.order())) for _ in range(2)]
        other, refused = first_to_tell(both)
        assert (refused.status, refused.error) == ("not begun", "RunInProgress")
        assert "another process is syncing the account me" in refused.message
        gate.set()
        both.remove(other)
        assert both[0].receive().is_good
    assert len(scene.statuses) == 1
    assert_undisturbed(scene, "me")


def test_a_run_that_waits_for_another_that_reads_resources_ends_well_after_it(
    scene: Scene,
) -> None:
    with scene.held() as gate, ExitStack() as stack:
        both = [stack.enter_context(spawned(runs, scene.order(wait=True))) for _ in range(2)]
        second, told = first_to_tell(both)
        assert told == "waiting"
        gate.set()
        assert [child.receive().is_good for child in both] == [True, True]
        assert second in both
    assert len(scene.statuses) == 2
    assert_undisturbed(scene, "me")


def test_two_accounts_that_read_the_same_repositories_at_once_store_what_one_after_the_other_does(
    scene: Scene,
) -> None:
    with scene.held_for_both() as met, ExitStack() as stack:
        both = [
            stack.enter_context(spawned(runs, scene.order(account))) for account in ("me", "other")
        ]
        assert [child.receive().is_good for child in both] == [True, True]
        assert met.is_set()
    assert_undisturbed(scene, "me", "other")


@pytest.mark.parametrize("scene", ["postgresql"], indirect=True)
def test_an_answer_whose_transaction_was_frozen_while_another_run_took_over_is_refused(
    scene: Scene,
) -> None:
    taken_over(scene, INSIDE)


def test_an_answer_that_a_frozen_run_brings_after_another_took_over_is_refused(
    scene: Scene,
) -> None:
    taken_over(scene, BETWEEN)


def taken_over(scene: Scene, moment: str) -> None:
    """Freeze a run, let another take over, and thaw it: it writes nothing more."""
    with frozen(scene, moment) as late:
        with spawned(runs, scene.order()) as other:
            assert other.receive().error == "RunInProgress"
        scene.free_lock()
        with spawned(runs, scene.order()) as other:
            assert other.receive().is_good
        before = snapshot(scene.url)
        thawed(late)
        end = late.receive()
        assert (end.status, end.error) == ("failed", "Fenced")
        assert "a later run of the account me has taken over" in end.message
    assert snapshot(scene.url) == before
    assert len(scene.statuses) == 2
    assert scene.statuses[0] == "interrupted"
    assert_undisturbed(scene, "me")


@pytest.mark.parametrize("scene", ["sqlite"], indirect=True)
def test_a_run_frozen_in_a_transaction_keeps_others_from_a_file_and_finishes_once_thawed(
    scene: Scene,
) -> None:
    with frozen(scene, INSIDE) as first:
        with spawned(runs, scene.order()) as other:
            assert other.receive().error == "RunInProgress"
        thawed(first)
        assert first.receive().is_good
    assert len(scene.statuses) == 1
    assert_undisturbed(scene, "me")
