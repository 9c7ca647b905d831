"""Which resources are due, in which order, and what there is quota for: without any I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.inside.github import RateLimit
from tests.support.inside.load import (
    Agenda,
    Candidate,
    ResourcePlan,
    State,
    Status,
    agenda,
    basis_of,
    next_check,
    requests_left,
)
from tests.support.inside.resources import Due

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DAILY, AFTER_PUSH = Due(every=DAY), Due(when_changed=("pushed_at",))
RIGHTS = "the token"


def plan(due: Due = DAILY, **given: Any) -> ResourcePlan:
    return ResourcePlan(**{"number": 0, "due": due, "cost": 1, **given})


def read(
    ago: timedelta,
    *,
    status: Status = "complete",
    again_in: timedelta | None = None,
    due: Due = DAILY,
    listed: dict[str, Any] | None = None,
    lost_in: timedelta | None = None,
    failures: int = 0,
    **memory: Any,
) -> State:
    at = NOW - ago
    return State(
        status=status,
        checked_at=at,
        next_at=None if again_in is None else at + again_in,
        lost_at=None if lost_in is None else NOW + lost_in,
        basis=basis_of(due, listed or fields()),
        memory=memory,
        failures=failures,
    )


def fields(**changed: Any) -> dict[str, Any]:
    told = {"pushed_at": NOW - 9 * DAY, "created_at": NOW - 99 * DAY}
    return {**told, "stargazers_count": 1, "forks_count": 1, **changed}


def repository(
    id_: int,
    state: State | None = None,
    *,
    owner: str = "octo",
    push: bool | None = True,
    **told: Any,
) -> Candidate:
    return Candidate(id_, f"{owner}/{id_}", push, fields(**told), state)


def made(candidates: Sequence[Candidate], by: ResourcePlan | None = None, **options: Any) -> Agenda:
    chosen = {"now": NOW, "budget": None, "rights": RIGHTS, **options}
    return agenda([by or plan()], lambda _: candidates, **chosen)


def ids(
    candidates: Sequence[Candidate], by: ResourcePlan | None = None, **options: Any
) -> list[int]:
    return [task.repository_id for task in made(candidates, by, **options).tasks]


def test_what_is_lost_first_comes_first_then_what_was_never_read_then_what_is_overdue() -> None:
    overdue = repository(1, read(3 * DAY, again_in=DAY, lost_in=10 * DAY))
    more_overdue = repository(2, read(5 * DAY, again_in=DAY, lost_in=9 * DAY))
    unread = repository(3)
    soon = repository(4, read(12 * DAY, again_in=DAY, lost_in=2 * DAY))
    sooner = repository(5, read(13 * DAY, again_in=DAY, lost_in=HOUR))
    slice_ = repository(6, read(HOUR, next="https://github.example/page"))
    assert ids([slice_, overdue, more_overdue, unread, soon, sooner]) == [5, 4, 3, 2, 1, 6]


def test_of_first_loads_in_slices_the_youngest_repository_comes_first() -> None:
    old = repository(1, read(HOUR, next="https://x"), created_at=NOW - 900 * DAY)
    young = repository(2, read(HOUR, next="https://x"), created_at=NOW - 9 * DAY)
    assert ids([old, young]) == [2, 1]


def test_a_repository_read_not_long_ago_is_not_due() -> None:
    assert ids([repository(1, read(DAY / 2, again_in=DAY))]) == []


def test_a_run_by_hand_reads_what_is_nearly_due() -> None:
    nearly = [repository(1, read(23 * HOUR, again_in=36 * HOUR))]
    assert ids(nearly) == []
    assert ids(nearly, eager=True) == [1]


def test_a_change_of_the_repository_makes_it_due_once_a_day() -> None:
    unchanged = read(9 * DAY, due=AFTER_PUSH)
    changed = read(2 * DAY, due=AFTER_PUSH, listed=fields(pushed_at=NOW - 99 * DAY))
    lately = read(HOUR, due=AFTER_PUSH, listed=fields(pushed_at=NOW - 99 * DAY))
    states = enumerate([unchanged, changed, lately], start=1)
    assert ids([repository(n, each) for n, each in states], plan(AFTER_PUSH)) == [2]


def test_times_of_a_wrong_clock_do_not_keep_a_repository_from_being_read() -> None:
    ahead = repository(1, read(-DAY, again_in=DAY))
    far = repository(2, read(100 * DAY, again_in=5000 * DAY))
    assert ids([ahead, far]) == [1, 2]
    put_right = repository(1, read(3 * DAY, again_in=365 * DAY))  # by a clock that was ahead
    assert ids([put_right]) == [1]
    assert ids([put_right], plan(every=7 * DAY)) == []


def test_idle_repositories_are_read_less_often() -> None:
    due = Due(every=DAY, idle_every=5 * DAY, idle_after=2)
    pauses = [
        next_check(plan(due), "complete", repository_id=1, memory=memory, failures=0, now=NOW)
        for memory in ({}, {"idle": 1}, {"idle": 2})
    ]
    assert [round((at - NOW) / DAY) for at in pauses if at is not None] == [1, 1, 5]


def test_the_work_of_a_day_is_spread_over_it() -> None:
    hours = set()
    for id_ in range(500):
        at = next_check(plan(), "complete", repository_id=id_, memory={}, failures=0, now=NOW)
        assert at is not None
        assert DAY / 2 <= at - NOW <= 3 * DAY / 2
        hours.add(at.hour)
    assert hours == set(range(24))


def test_the_longest_rhythm_of_traffic_loses_no_day_by_that_spread() -> None:
    rare, late = plan(every=13 * DAY), NOW.replace(hour=23)
    forgotten = NOW.replace(hour=0) + 14 * DAY  # when GitHub cuts the day of the reading
    for id_ in range(100):
        at = next_check(rare, "complete", repository_id=id_, memory={}, failures=0, now=late)
        assert at is not None
        assert 12 * DAY < at - late <= forgotten - late


@pytest.mark.parametrize(("push", "due"), [(True, [1]), (None, [1]), (False, [])])
def test_traffic_is_requested_only_of_who_may_push(push: bool | None, due: list[int]) -> None:
    assert ids([repository(1, push=push)], plan(Due(every=DAY, needs_push=True))) == due


def test_nothing_is_requested_of_a_repository_without_any() -> None:
    due = Due(when_changed=("stargazers_count",), not_if_zero="stargazers_count")
    before = read(9 * DAY, due=due)
    candidates = [repository(1, stargazers_count=0), repository(2, before, stargazers_count=0)]
    assert ids(candidates, plan(due)) == [2]


def test_only_the_chosen_repositories_are_read_and_no_inactive_ones() -> None:
    chosen = plan(covers=lambda name: name != "octo/1", inactive={2})
    assert ids([repository(id_) for id_ in (1, 2, 3)], chosen) == [3]


def test_what_the_quota_does_not_suffice_for_waits_and_it_is_said_what_is_lost_when() -> None:
    states = [read(9 * DAY, again_in=DAY, lost_in=n * DAY) for n in (1, 5, 7)]
    candidates = [repository(n, each) for n, each in enumerate(states)]
    found = made(candidates, plan(cost=2), budget=3)
    assert [task.repository_id for task in found.tasks] == [0]
    assert (found.waiting[0], found.lost_at) == (2, NOW + 5 * DAY)
    assert made(candidates, plan(cost=2), budget=0).tasks == []


def test_where_the_quota_is_short_what_loses_something_comes_first() -> None:
    traffic, downloads = Due(every=DAY, lost_after=13 * DAY), DAILY
    plans = [plan(downloads), ResourcePlan(number=1, due=traffic, cost=2)]
    states: dict[int, list[State | None]] = {
        0: [read(9 * DAY, again_in=DAY), None],
        1: [read(3 * DAY, again_in=DAY, lost_in=n * DAY) for n in (9, 2, 7)],
    }

    def found(budget: int | None) -> list[tuple[int, int]]:
        tasks = agenda(
            plans,
            lambda each: [repository(n, state) for n, state in enumerate(states[each.number])],
            now=NOW,
            budget=budget,
            rights=RIGHTS,
        ).tasks
        return [(task.resource, task.repository_id) for task in tasks]

    assert found(8) == [(1, 1), (0, 1), (0, 0), (1, 0), (1, 2)]
    assert found(7) == [(1, 1), (1, 2), (1, 0), (0, 1)]


def test_the_next_time_is_told() -> None:
    candidates = [repository(n, read(HOUR, again_in=n * DAY)) for n in (2, 1, 3)]
    assert made(candidates).next_at == NOW - HOUR + DAY


@pytest.mark.parametrize("status", ["refused", "missing"])
def test_after_three_refusals_an_owners_others_are_not_requested(status: Status) -> None:
    refused = [
        repository(n, read(HOUR, status=status, again_in=DAY, rights=RIGHTS)) for n in (1, 2, 3)
    ]
    others = [repository(4), repository(5, owner="hubber")]
    assert ids([*refused, *others]) == [5]
    assert made([*refused, *others]).paused[0] == 1
    assert ids([*refused[:2], *others]) == [4, 5]
    answered = repository(6, read(HOUR, again_in=DAY))
    assert ids([*refused, answered, *others]) == [4, 5]


def test_a_refusal_holds_for_a_day_and_for_one_token() -> None:
    state = read(HOUR, status="refused", again_in=DAY, rights=RIGHTS)
    assert ids([repository(1, state)]) == []
    assert ids([repository(1, state)], rights="another token") == [1]
    assert ids([repository(1, state)], now=NOW + DAY) == [1]


def test_an_empty_repository_is_read_again_after_a_push() -> None:
    state = read(9 * DAY, status="empty", pushed_at="2026-02-20T12:00:00Z")
    assert ids([repository(1, state)]) == []
    assert ids([repository(1, state, pushed_at=NOW)]) == [1]


def test_what_this_run_has_read_is_not_read_again_but_gone_on_with() -> None:
    candidates = [
        repository(1, read(timedelta(), status="missing", again_in=timedelta())),
        repository(2, read(timedelta(), next="https://x")),
    ]
    assert ids(candidates, run_began=NOW - HOUR) == [2]
    assert ids(candidates, run_began=NOW + HOUR) == [1, 2]


def test_the_reserve_of_the_quota_and_the_next_listing_are_left_alone() -> None:
    quota = RateLimit(limit=5000, remaining=501, reset=NOW)
    assert requests_left(quota, 0.1) == 1
    assert requests_left(quota, 0.1, listing=30) == -29


@pytest.mark.parametrize(
    ("due", "status", "failures", "pause"),
    [
        (AFTER_PUSH, "complete", 0, None),
        (AFTER_PUSH, "empty", 0, None),
        (DAILY, "missing", 0, timedelta(0)),
        (DAILY, "refused", 0, DAY),
        (DAILY, "blocked", 0, DAY),
        (AFTER_PUSH, "off", 0, 7 * DAY),
        (AFTER_PUSH, "too_large", 0, 30 * DAY),
        (AFTER_PUSH, "unavailable", 0, 7 * DAY),
        (DAILY, "computing", 1, timedelta(seconds=5)),
        (DAILY, "computing", 2, timedelta(seconds=20)),
        (DAILY, "computing", 3, timedelta(seconds=60)),
        (DAILY, "computing", 4, HOUR),
        (DAILY, "failed", 1, HOUR),
        (DAILY, "failed", 3, 4 * HOUR),
        (DAILY, "failed", 500, DAY),
        (AFTER_PUSH, "failed", 500, DAY),
    ],
)
def test_an_answer_says_when_to_ask_again(
    due: Due, status: Status, failures: int, pause: timedelta | None
) -> None:
    expected = None if pause is None else NOW + pause
    found = next_check(plan(due), status, repository_id=1, memory={}, failures=failures, now=NOW)
    assert found == expected


def test_repositories_that_a_user_names_are_read_due_or_not_but_once() -> None:
    candidates = [
        repository(1, read(HOUR, again_in=DAY)),
        repository(2, read(HOUR, status="refused", again_in=DAY, rights=RIGHTS)),
        repository(3, read(timedelta(), again_in=DAY)),
    ]
    assert ids(candidates, forced=True, run_began=NOW - timedelta(minutes=1)) == [1, 2]
