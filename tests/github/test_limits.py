"""How many requests are under way at a time, and what clients of one user know of each other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.inside.core import Interrupted, RateLimited
from tests.support.inside.github import Limits, RateLimit, SharedLimits

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def nothing() -> None:
    """Tell that the client is running."""


def turn(limits: Limits, reserve: float = 0.0, now: datetime = NOW) -> ExitStack:
    """Take a turn, and return what gives it back."""
    stack = ExitStack()
    stack.enter_context(limits.turn(reserve=reserve, clock=lambda: now, require_running=nothing))
    return stack


def waits(limits: Limits, reserve: float = 0.0) -> bool:
    """Tell whether a request would have to wait for another to come back."""

    def give_up() -> None:
        raise Interrupted

    with (
        suppress(Interrupted),
        limits.turn(reserve=reserve, clock=lambda: NOW, require_running=give_up),
    ):
        return False
    return True


def too_fast(
    limits: Limits,
    *,
    retry_at: datetime | None = NOW,
    elapsed: float = 0.0,
    concurrency: int = 8,
    now: datetime = NOW,
) -> None:
    error = RateLimited("too fast", retry_at=retry_at, secondary=True)
    limits.note_limit(error, now=now, elapsed=elapsed, concurrency=concurrency)


@pytest.mark.matrix("http.pace")
def test_each_limit_on_the_pace_halves_what_is_under_way_down_to_one() -> None:
    limits = Limits()
    seen = []
    for _ in range(5):
        too_fast(limits)
        seen.append(limits.at_once)
    assert seen == [4, 2, 1, 1, 1]


def test_requests_that_were_under_way_together_slow_down_once() -> None:
    limits = Limits()
    too_fast(limits)
    for _ in range(3):
        too_fast(limits, elapsed=60.0)
    assert limits.at_once == 4


def test_a_spent_quota_does_not_slow_down() -> None:
    limits = Limits()
    error = RateLimited("spent", retry_at=NOW + HOUR, secondary=False)
    limits.note_limit(error, now=NOW, elapsed=0.0, concurrency=8)
    assert limits.at_once is None


@pytest.mark.matrix("http.pace")
def test_it_recovers_by_one_after_each_twenty_good_answers() -> None:
    limits = Limits()
    too_fast(limits)
    numbers = []
    for _ in range(80):
        limits.note_good(8)
        numbers.append(limits.at_once)
    assert numbers[18:20] == [4, 5]
    assert numbers[38:40] == [5, 6]
    assert numbers[58:60] == [6, 7]
    assert numbers[78:80] == [7, None]  # as many as it likes again


def test_a_limit_in_between_begins_the_recovery_anew() -> None:
    limits = Limits()
    too_fast(limits)
    for _ in range(19):
        limits.note_good(8)
    too_fast(limits)
    limits.note_good(8)
    assert limits.at_once == 2


def test_no_more_are_under_way_than_is_allowed_and_one_that_comes_back_lets_another_go() -> None:
    limits = Limits()
    too_fast(limits, concurrency=4)
    first, second = turn(limits), turn(limits)
    assert waits(limits)
    with ThreadPoolExecutor(1) as pool:
        third = pool.submit(turn, limits)
        first.close()
        third.result(timeout=30).close()
    second.close()
    assert not waits(limits)


def test_a_stop_ends_the_wait_for_a_turn() -> None:
    limits = Limits()
    too_fast(limits, concurrency=2)
    stop = threading.Event()

    def require_running() -> None:
        if stop.is_set():
            raise Interrupted

    with turn(limits), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            lambda: limits.turn(
                reserve=0, clock=lambda: NOW, require_running=require_running
            ).__enter__()
        )
        stop.set()
        with pytest.raises(Interrupted):
            waiting.result(timeout=30)


@pytest.mark.matrix("http.pace-untold")
def test_a_pause_that_is_not_told_is_a_minute_and_doubles_until_an_answer_is_good() -> None:
    limits, now, pauses = Limits(), NOW, []
    for good in (False,) * 6 + (True,):
        if good:
            limits.note_good(4)
        too_fast(limits, retry_at=None, now=now)
        until = held_until(limits, now)
        pauses.append((until - now).total_seconds() / 60)
        now = until
    assert pauses == [1, 2, 4, 8, 15, 15, 1]


@pytest.mark.matrix("http.pace")
def test_of_two_pauses_the_longer_one_is_kept_whichever_came_first() -> None:
    for minutes in ((5, 30), (30, 5)):
        limits = Limits()
        for pause in minutes:
            too_fast(limits, retry_at=NOW + timedelta(minutes=pause))
        assert held_until(limits, NOW) == NOW + timedelta(minutes=30)
    others = Limits()
    too_fast(others, retry_at=NOW + timedelta(minutes=40))
    limits.merge(others)
    assert held_until(limits, NOW) == NOW + timedelta(minutes=40)


def held_until(limits: Limits, now: datetime) -> datetime:
    with pytest.raises(RateLimited) as caught:
        turn(limits, now=now)
    assert not caught.value.sent
    assert caught.value.retry_at is not None
    return caught.value.retry_at


@pytest.mark.parametrize("back", [HOUR, 24 * HOUR, 9_999 * HOUR])
def test_neither_a_pause_nor_an_hour_grows_when_the_clock_is_set_back(back: timedelta) -> None:
    paused, spent = Limits(), Limits()
    too_fast(paused, retry_at=NOW + HOUR / 2)
    spent.note_quota(RateLimit(limit=5_000, remaining=0, reset=NOW + HOUR / 2), NOW)
    for limits in (paused, spent):
        with pytest.raises(RateLimited) as caught:
            turn(limits, 0.1, now=NOW - back)
        assert caught.value.retry_at is not None
        assert caught.value.retry_at - (NOW - back) < HOUR


def test_of_two_pauses_the_longer_counts_also_of_two_accounts_of_one_user() -> None:
    for first, second in ((HOUR, HOUR / 2), (HOUR / 2, HOUR)):
        limits, other, apart = Limits(), Limits(), Limits()
        too_fast(limits, retry_at=NOW + first)
        too_fast(limits, retry_at=NOW + second)
        too_fast(apart, retry_at=NOW + first)
        too_fast(other, retry_at=NOW + second)
        apart.merge(other)
        assert held_until(limits, NOW) == held_until(apart, NOW) == NOW + HOUR


@pytest.mark.matrix("http.quota")
def test_the_reserve_is_not_touched_by_several_requests_at_a_time() -> None:
    limits = Limits()
    limits.note_quota(RateLimit(limit=5_000, remaining=502, reset=NOW + HOUR), NOW)
    with turn(limits, 0.1), turn(limits, 0.1):
        assert waits(limits, 0.1)  # the two may be all there is
        assert not waits(limits, 0.05)
    limits.note_quota(RateLimit(limit=5_000, remaining=500, reset=NOW + HOUR), NOW)
    with pytest.raises(RateLimited, match="500 of 5000 requests are left"):
        turn(limits, 0.1)
    turn(limits, 0.1, now=NOW + HOUR).close()


# Whose they are


@pytest.mark.matrix("process.shared-quota")
def test_accounts_of_one_user_have_one_limit_as_soon_as_that_is_known() -> None:
    shared = SharedLimits()
    mine, other = shared.of("me", "github.com", "a"), shared.of("work", "github.com", "b")
    assert mine is not other
    other.note_quota(RateLimit(limit=5_000, remaining=7, reset=NOW + HOUR), NOW)
    assert shared.join("me", "github.com", 1, mine) == (mine, [])
    joined, sharing = shared.join("work", "github.com", 1, other)
    assert (joined, sharing) == (mine, ["me"])
    assert mine.quota is not None
    assert mine.quota.remaining == 7
    assert shared.of("work", "github.com", "b") is mine  # its next client begins with it
    assert shared.join("work", "github.com", 1, mine) == (mine, [])  # and that is no news


@pytest.mark.parametrize(
    "join",
    [
        lambda shared, limits: shared.join("work", "github.com", 2, limits),
        lambda shared, limits: shared.join("work", "ghe.example", 1, limits),
    ],
)
def test_other_users_and_other_hosts_have_limits_of_their_own(
    join: Callable[[SharedLimits, Limits], tuple[Limits, list[str]]],
) -> None:
    shared = SharedLimits()
    mine, other = shared.of("me", "github.com", "a"), shared.of("work", "github.com", "b")
    shared.join("me", "github.com", 1, mine)
    assert join(shared, other) == (other, [])


def test_another_token_of_an_account_begins_without_what_was_known() -> None:
    shared = SharedLimits()
    before = shared.of("me", "github.com", "a")
    assert shared.of("me", "github.com", "a") is before
    assert shared.of("me", "github.com", "exchanged") is not before


def test_without_a_token_it_is_the_address_that_has_the_limit() -> None:
    shared = SharedLimits()
    assert shared.of("one", "github.com", None) is shared.of("two", "github.com", None)
    assert shared.of("one", "github.com", None) is not shared.of("one", "ghe.example", None)
