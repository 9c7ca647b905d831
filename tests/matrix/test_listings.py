"""Lists that do not tell the truth: what is on them counts, what is not on them does not."""

from __future__ import annotations

import pytest

from tests.matrix.stage import FAILED, RUN_FINISHED, WITHHELD, Stage, expect
from tests.support.fault_server import answer
from tests.support.hub import a_repository

pytestmark = pytest.mark.slow


@pytest.mark.matrix("http.same-item", "always.converges", "always.counts")
def test_a_repository_on_two_pages_is_stored_once_as_it_came_last(stage: Stage) -> None:
    again = a_repository(2, description="as it came last")
    everything = stage.hub.items
    stage.hub.items = [*everything[:3], a_repository(4), again, again, *everything[4:]]
    ran = stage.run()
    expect(ran, "succeeded", [RUN_FINISHED], seen=9)
    assert (ran.outcome["inserted"], ran.outcome["updated"]) == (7, 1)
    stage.hub.items = [everything[0], again, *everything[2:]]
    stage.assert_equals_list()
    stage.assert_converges()


@pytest.mark.matrix("http.shifted", "always.alive", "always.converges")
def test_a_repository_that_the_list_lacks_is_asked_for_and_stays(stage: Stage) -> None:
    stage.run()
    everything = stage.hub.items
    stage.hub.items = everything[:3] + everything[4:]
    stage.hub.fault("/repositories/4", [answer(200, everything[3])])
    ran = stage.run()
    assert (ran.code, ran.events) == (0, [RUN_FINISHED])
    assert [r.target for r in stage.hub.requests].count("/repositories/4") == 1
    assert stage.ids() == list(range(1, 8))
    stage.hub.items = everything
    stage.assert_converges()


@pytest.mark.matrix("http.empty-list", "always.alive", "always.converges")
def test_a_list_that_is_suddenly_empty_removes_nothing(stage: Stage) -> None:
    stage.run()
    everything = stage.hub.items
    stage.hub.items = []
    ran = stage.run()
    expect(ran, "partial", [WITHHELD, RUN_FINISHED], seen=0, error="RemovalsWithheld")
    assert ran.outcome["withheld"] == 7
    assert not any(r.target.startswith("/repositories/") for r in stage.hub.requests)
    stage.hub.items = everything
    stage.assert_converges()


@pytest.mark.matrix("http.shifted", "always.alive")
def test_a_repository_that_cannot_be_asked_for_stays(stage: Stage) -> None:
    stage.run()
    everything = stage.hub.items
    stage.hub.items = everything[:3] + everything[4:]
    stage.hub.fault("/repositories/4", [b""] * 5)
    ran = stage.run()
    assert (ran.code, ran.outcome["withheld"], ran.events[-2:]) == (3, 1, [WITHHELD, RUN_FINISHED])
    assert ran.events.count(FAILED) == 5
    stage.hub.items = everything
    stage.assert_converges()
