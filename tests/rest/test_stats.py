"""Time spent waiting is counted once, is bounded, and is not more than was waited."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from sync.rest.stats import RequestStats


def test_threads_that_wait_at_the_same_time_count_once() -> None:
    stats = RequestStats()
    stats.count_wait(100.0)
    stats.count_wait(100.0)
    stats.count_wait(30.0)
    assert stats.wait_seconds == pytest.approx(100.0, abs=5.0)


def test_a_wait_that_would_exceed_what_is_allowed_is_refused_and_not_counted() -> None:
    stats = RequestStats()
    assert stats.count_limit_wait(10.0, at_most=10.0)
    assert not stats.count_limit_wait(60.0, at_most=10.0)
    assert stats.wait_seconds == 10.0


def test_threads_cannot_each_take_what_is_left() -> None:
    stats = RequestStats()

    def wait_ever_longer(start: float) -> None:
        for seconds in range(1, 100):
            stats.count_limit_wait(start + seconds, at_most=50.0)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(wait_ever_longer, [n / 8 for n in range(8)]))
    assert 45.0 < stats.wait_seconds <= 50.0


def test_a_wait_given_up_counts_only_as_long_as_it_was() -> None:
    stats = RequestStats()
    stats.count_limit_wait(1000.0)
    stats.cut_short()
    assert stats.wait_seconds < 500.0
