"""Which repositories are due, in which order, and what there is quota for: without any I/O."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.inside.database import ListedRepository, ResourceState
from tests.support.inside.github import RateLimit
from tests.support.inside.load import Status, agenda, basis_of, next_check, requests_left
from tests.support.inside.resources import Due

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAILY, AFTER_PUSH = Due(every=DAY), Due(when_changed=("pushed_at",))


def listed(id_: int, *values: object) -> ListedRepository:
    return ListedRepository(id_, values)


def checked(
    ago: timedelta, *, again_in: timedelta | None = None, repository: ListedRepository | None = None
) -> ResourceState:
    at = NOW - ago
    basis = basis_of(repository or listed(0))
    return ResourceState("complete", at, None if again_in is None else at + again_in, basis, 0)


def ids(
    due: Due,
    repositories: list[ListedRepository],
    states: dict[int, ResourceState],
    budget: int | None = None,
) -> tuple[list[int], int]:
    made = agenda(due, repositories, states, now=NOW, budget=budget)
    return [task.repository_id for task in made.tasks], made.deferred


def test_repositories_never_requested_come_first_then_those_requested_longest_ago() -> None:
    states = {id_: checked(id_ * DAY, again_in=DAY) for id_ in (1, 2, 3)}
    assert ids(DAILY, [listed(n) for n in (1, 2, 3, 4)], states) == ([4, 3, 2, 1], 0)


def test_a_repository_requested_not_long_ago_is_not_due() -> None:
    assert ids(DAILY, [listed(1)], {1: checked(DAY / 2, again_in=DAY)}) == ([], 0)


def test_a_change_of_the_repository_is_a_reason_to_ask() -> None:
    before, now = listed(1, NOW - DAY), listed(1, NOW)
    states = {1: checked(100 * DAY, repository=before)}
    assert ids(AFTER_PUSH, [before], states) == ([], 0)
    assert ids(AFTER_PUSH, [now], states) == ([1], 0)


def test_a_repository_checked_in_the_future_by_a_wrong_clock_is_due() -> None:
    assert ids(DAILY, [listed(1)], {1: checked(-DAY, again_in=DAY)}) == ([1], 0)


@pytest.mark.parametrize(("budget", "asked"), [(None, 3), (2, 2), (0, 0), (-5, 0)])
def test_repositories_beyond_the_quota_are_deferred(budget: int | None, asked: int) -> None:
    found, deferred = ids(DAILY, [listed(n) for n in (1, 2, 3)], {}, budget)
    assert (len(found), deferred) == (asked, 3 - asked)


def test_the_reserve_of_the_quota_is_left_alone() -> None:
    assert requests_left(RateLimit(limit=5000, remaining=501, reset=NOW), 0.1) == 1
    assert requests_left(None, 0.1) is None


@pytest.mark.parametrize(
    ("due", "status", "failures", "pause"),
    [
        (DAILY, "complete", 0, DAY),
        (AFTER_PUSH, "complete", 0, None),
        (AFTER_PUSH, "empty", 0, None),
        (DAILY, "missing", 0, timedelta(0)),
        (DAILY, "refused", 0, DAY),
        (DAILY, "blocked", 0, DAY),
        (AFTER_PUSH, "off", 0, timedelta(days=7)),
        (DAILY, "failed", 1, timedelta(hours=1)),
        (DAILY, "failed", 3, timedelta(hours=4)),
        (DAILY, "failed", 500, DAY),
        (AFTER_PUSH, "failed", 500, DAY),
    ],
)
def test_an_answer_says_when_to_ask_again(
    due: Due, status: Status, failures: int, pause: timedelta | None
) -> None:
    expected = None if pause is None else NOW + pause
    assert next_check(due, status, failures, NOW) == expected
