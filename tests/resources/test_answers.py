"""What becomes of each answer about a resource, of figures and of a list alike."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.stand_in import StandIn
from tests.support.answering import Answering, WaitsByHand

# What is read of an answer does not depend on the database; the contract runs on each of them.
pytestmark = pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture(params=["traffic", "downloads"])
def scene(request: pytest.FixtureRequest, github: StandIn, ledger_url: str) -> Answering:
    return Answering(github, ledger_url, request.param)


def one_and_another(scene: Answering) -> tuple[int, int]:
    """Return two repositories that are read, and due again after a push."""
    one, other = scene.add("one"), scene.add("other")
    scene.run()
    scene.clock.now += 6 * DAY
    push(scene, one, other)
    return one, other


def push(scene: Answering, *ids: int) -> None:
    scene.clock.now += 2 * DAY
    for id_ in ids:
        scene.github.push(id_)


def test_the_same_answer_again_costs_no_quota_and_is_as_good(scene: Answering) -> None:
    one, _ = one_and_another(scene)
    before = len(scene.stored(one))
    scene.run()
    answers = [r.status for r in scene.github.requests if r.path.startswith(f"/repositories/{one}")]
    assert set(answers) == {304}
    assert scene.status(one) == "complete"
    readings = scene.resource.name == "traffic"  # each has a row of its own
    assert (len(scene.stored(one)) > before) is readings


@pytest.mark.parametrize(
    ("case", "body", "status", "pause"),
    [
        ("no push", None, "refused", DAY),
        ("no permission", None, "refused", DAY),
        ("disabled", None, "off", 7 * DAY),
        (404, {"message": "Issues are disabled for this repo"}, "off", 7 * DAY),
        ("gone", None, "off", 7 * DAY),
        ("too large", None, "too_large", 30 * DAY),
        (422, {"message": "Too many commits: 10,000 commits or more"}, "too_large", 30 * DAY),
        (404, None, "missing", timedelta(0)),
        (451, None, "blocked", DAY),
        (403, {"message": "Repository access blocked"}, "blocked", DAY),
        (500, None, "failed", HOUR),
    ],
)
def test_a_refusal_is_noted_and_stops_nothing_else(
    scene: Answering, case: str | int, body: Any, status: str, pause: timedelta
) -> None:
    one, other = one_and_another(scene)
    before = scene.stored(one)
    scene.github.answer_child(scene.route, case, rid=one, body=body)
    outcome = scene.run()
    assert (outcome.status, outcome.complete) == ("succeeded", True)
    assert (scene.status(one), scene.pause(one)) == (status, pause)
    assert (scene.status(other), scene.stored(one)) == ("complete", before)

    scene.github.answer_child(scene.route, None, rid=one)
    scene.clock.now += max(pause - MINUTE, timedelta(seconds=1))
    scene.run()
    early = scene.requests(one)
    scene.clock.now += MINUTE
    scene.run()
    assert bool(early) is (pause == timedelta(0))
    assert scene.status(one) == "complete"


@pytest.mark.parametrize("case", ["no content", "empty"])
def test_an_empty_repository_is_asked_again_when_somebody_pushes(
    scene: Answering, case: str
) -> None:
    one, other = one_and_another(scene)
    scene.github.answer_child(scene.route, case, rid=one)
    scene.run()
    assert scene.told("http.request_failed") == ["debug"]
    assert (scene.status(one), scene.pause(one)) == ("empty", None)
    scene.github.answer_child(scene.route, None, rid=one)
    push(scene, other)
    scene.run()
    assert (scene.requests(one), scene.status(other)) == (0, "complete")
    push(scene, one)
    scene.run()
    assert scene.status(one) == "complete"


def test_what_is_being_computed_is_asked_for_again_in_the_same_run(scene: Answering) -> None:
    one, _ = one_and_another(scene)
    scene.github.answer_child(scene.route, "computing", rid=one, times=2)
    stop = WaitsByHand(scene.clock)
    assert scene.run(stop=stop).status == "succeeded"
    assert stop.waits == [5, 20]
    assert scene.status(one) == "complete"


def test_what_is_computed_for_days_is_unavailable_in_the_end(scene: Answering) -> None:
    one, other = one_and_another(scene)
    before = scene.stored(one)
    scene.github.answer_child(scene.route, "computing", rid=one)
    stop = WaitsByHand(scene.clock)
    scene.run(stop=stop)
    assert (stop.waits, scene.requests(one)) == ([5, 20, 60], 4)
    assert (scene.status(one), scene.status(other)) == ("computing", "complete")
    scene.clock.now += HOUR - MINUTE
    scene.run(stop=stop)
    assert scene.requests(one) == 0
    scene.clock.now += 2 * MINUTE
    scene.run(stop=stop)
    assert (scene.status(one), scene.requests(one)) == ("computing", 1)
    scene.clock.now += 3 * DAY
    scene.run(stop=stop)
    assert (scene.status(one), scene.pause(one)) == ("unavailable", 7 * DAY)
    assert scene.stored(one) == before
    assert stop.waits == [5, 20, 60]


def test_a_server_that_fails_is_asked_after_one_two_and_four_hours(scene: Answering) -> None:
    one, other = one_and_another(scene)
    scene.github.answer_child(scene.route, 502, rid=one)
    for hours in (1, 2, 4):
        assert scene.run().status == "succeeded"
        assert (scene.status(one), scene.pause(one)) == ("failed", hours * HOUR)
        scene.clock.now += hours * HOUR
    assert scene.status(other) == "complete"


def test_a_rate_limit_puts_off_what_is_left_and_what_is_stored_stays(scene: Answering) -> None:
    one, other = one_and_another(scene)
    before = scene.stored(one), scene.state(one)
    body = b'{"message": "You have exceeded a secondary rate limit."}'
    path = f"/repositories/*/{scene.route}"
    scene.github.fail(99, 403, path, {"Retry-After": "600"}, body)
    outcome = scene.run()
    assert outcome.status == "deferred"
    assert outcome.loaded.waiting == {scene.resource.name: 2} or not outcome.loaded.counts
    assert (scene.stored(one), scene.state(one)) == before
    scene.github.forgive()
    scene.clock.now += HOUR
    scene.run()
    assert scene.status(one) == scene.status(other) == "complete"


# Refusals of many


def test_the_permission_to_add_is_named_once_a_run(scene: Answering) -> None:
    ids = [scene.add(f"repo-{n}") for n in range(3)]
    scene.github.answer_child(scene.route, "no push")
    assert scene.run().status == "succeeded"
    needed = f"(needed: {scene.resource.needs})"
    details = [scene.state(id_)["detail"] for id_ in ids]
    assert details == [f"403: Must have push access to repository {needed}"] * 3
    (refused,) = [each for each in scene.events if each["event"] == "resource.refused"]
    assert (refused["repositories"], refused["needs"]) == (3, scene.resource.needs)
    assert {each["event"] for each in scene.events if each["log_level"] == "warning"} == {
        "resource.refused"
    }


def test_a_resource_that_was_asked_for_by_name_makes_a_refused_run_partial(
    scene: Answering,
) -> None:
    scene.add("one")
    scene.github.answer_child(scene.route, "no push")
    outcome = scene.run(by_name=True)
    assert (outcome.status, outcome.complete) == ("partial", True)
    assert outcome.loaded.refused_by_name == (scene.resource.name,)


@pytest.mark.parametrize("case", ["no push", 404])
def test_after_three_refusals_in_a_row_an_owners_others_are_left_alone(
    scene: Answering, case: str | int
) -> None:
    scene.github.add_user("hubber")
    mine = [scene.add(f"repo-{n:02}") for n in range(16)]
    theirs = scene.add("theirs", owner="hubber")
    for id_ in mine:
        scene.github.answer_child(scene.route, case, rid=id_)
    outcome = scene.run()
    assert scene.status(theirs) == "complete"
    assert 3 <= sum(map(scene.requests, mine)) <= 3 + 5  # what was in flight
    assert outcome.loaded.waiting == {}
    scene.clock.now += DAY - HOUR
    scene.run()
    assert sum(map(scene.requests, mine)) == 0
    scene.clock.now += 2 * HOUR
    for id_ in mine:
        scene.github.answer_child(scene.route, None, rid=id_)
    scene.run()
    assert {scene.status(id_) for id_ in mine} == {"complete"}


def test_what_a_server_does_not_have_for_anyone_rests_for_a_day(
    scene: Answering,
) -> None:
    owners = [f"user-{n}" for n in range(9)]
    for owner in owners:
        scene.github.add_user(owner)
        for n in range(3):
            scene.add(f"repo-{n}", owner=owner)
    scene.github.answer_child(scene.route, 404)
    assert scene.run().status == "succeeded"
    assert 3 <= scene.requests() <= 9 + 5
    scene.clock.now += DAY - HOUR
    scene.run()
    assert scene.requests() == 0
    scene.github.answer_child(scene.route, None)
    scene.clock.now += 2 * HOUR
    scene.run()
    assert scene.requests() >= 27
