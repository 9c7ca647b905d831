"""Time spent waiting is counted once and as it passes, and is bounded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.support.inside.rest import RequestStats


def test_threads_that_wait_at_the_same_time_count_once() -> None:
    stats = RequestStats()
    for seconds in (100.0, 100.0, 30.0):
        assert stats.count_limit_wait(seconds, at_most=105.0)


def test_a_wait_that_would_exceed_what_is_allowed_is_refused_and_not_counted() -> None:
    stats = RequestStats()
    assert stats.count_limit_wait(10.0, at_most=10.0)
    assert not stats.count_limit_wait(60.0, at_most=11.0)
    assert stats.count_limit_wait(10.0, at_most=11.0)


def test_threads_cannot_each_take_what_is_left() -> None:
    stats = RequestStats()

    def wait_ever_longer(start: float) -> float:
        return max(
            start + seconds
            for seconds in range(1, 100)
            if stats.count_limit_wait(start + seconds, at_most=50.0)
        )

    with ThreadPoolExecutor(8) as pool:
        longest = max(pool.map(wait_ever_longer, [n / 8 for n in range(8)]))
    assert 45.0 < longest <= 51.0


def test_a_wait_counts_as_it_passes_and_not_before() -> None:
    stats = RequestStats()
    stats.count_limit_wait(1000.0)
    stats.count_wait(2000.0)
    assert 0 <= stats.wait_seconds < 500.0


def test_a_wait_given_up_counts_only_as_long_as_it_was() -> None:
    stats = RequestStats()
    stats.count_limit_wait(1000.0)
    stats.cut_short()
    assert 0 <= stats.wait_seconds < 500.0
    assert stats.count_limit_wait(900.0, at_most=950.0)
