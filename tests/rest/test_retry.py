"""Whether and when a request is sent again: a decision without I/O."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sync.rest import RetryPolicy
from tests.support.inside.core import errors

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
STEADY = RetryPolicy(random=lambda: 1.0)  # no jitter


@pytest.mark.parametrize(
    ("kind", "again"),
    [
        (errors.ConnectFailed, True),
        (errors.TimedOut, True),
        (errors.ServerError, True),
        (errors.NotJson, True),
        (errors.Conflict, True),
        (errors.BadCredentials, False),
        (errors.Forbidden, False),
        (errors.NotFound, False),
        (errors.InvalidRequest, False),
        (errors.UnexpectedAnswer, False),
        (errors.ForeignOrigin, False),
        (errors.TooLarge, False),
        (errors.RestError, False),
    ],
)
def test_only_transient_errors_are_tried_again(kind: type[errors.RestError], again: bool) -> None:
    delay = STEADY.delay(kind("failed", method="GET"), 1, NOW)
    assert (delay is not None) is again


@pytest.mark.parametrize(
    ("method", "again"),
    [
        ("GET", True),
        ("HEAD", True),
        ("OPTIONS", True),
        ("PUT", True),
        ("DELETE", True),
        ("POST", False),
        ("PATCH", False),
        ("", False),
    ],
)
def test_only_requests_without_a_second_effect_are_tried_again(method: str, again: bool) -> None:
    delay = STEADY.delay(errors.ServerError("failed", method=method), 1, NOW)
    assert (delay is not None) is again


def test_a_post_that_a_rate_limit_held_off_is_tried_again() -> None:
    assert STEADY.delay(errors.RateLimited("slow down", method="POST"), 1, NOW) == 60


def test_an_untrusted_certificate_is_not_tried_again() -> None:
    error = errors.ConnectFailed("bad certificate", method="GET")
    error.permanent = True
    assert STEADY.delay(error, 1, NOW) is None


def test_pauses_double_up_to_the_cap_until_the_attempts_are_used_up() -> None:
    policy = RetryPolicy(attempts=8, base=1, cap=30, random=lambda: 1.0)
    error = errors.ServerError("failed", method="GET")
    delays = [policy.delay(error, attempt, NOW) for attempt in range(1, 9)]
    assert delays == [1, 2, 4, 8, 16, 30, 30, None]


@pytest.mark.parametrize(("random", "delay"), [(0.0, 2.0), (0.5, 3.0), (1.0, 4.0)])
def test_jitter_takes_away_up_to_half_of_a_pause(random: float, delay: float) -> None:
    policy = RetryPolicy(random=lambda: random)
    assert policy.delay(errors.ServerError("failed", method="GET"), 3, NOW) == delay


@pytest.mark.parametrize(
    ("seconds", "delay"),
    [(0, 1), (59, 60), (-3600, 1), (899, 900), (900, None), (86400, None)],
)
def test_a_rate_limit_is_waited_for_a_second_longer_than_asked_but_not_beyond_max_wait(
    seconds: int, delay: float | None
) -> None:
    error = errors.RateLimited("wait", retry_at=NOW + timedelta(seconds=seconds), method="GET")
    assert STEADY.delay(error, 1, NOW) == delay


def test_a_rate_limit_that_does_not_say_how_long_is_waited_for_ever_longer() -> None:
    policy = RetryPolicy(attempts=9)
    error = errors.RateLimited("wait", method="GET", secondary=True)
    delays = [policy.delay(error, attempt, NOW) for attempt in range(1, 6)]
    assert delays == [60, 120, 240, 480, None]


def test_no_patience_means_no_wait_for_a_rate_limit() -> None:
    error = errors.RateLimited("wait", retry_at=NOW, method="GET")
    assert RetryPolicy(max_wait=0).delay(error, 1, NOW) is None


@pytest.mark.parametrize(
    "error", [errors.ServerError("failed", method="GET"), errors.RateLimited("wait", method="GET")]
)
def test_one_attempt_means_no_second(error: errors.RestError) -> None:
    assert RetryPolicy(attempts=1).delay(error, 1, NOW) is None
