"""How far a time that was noted, or is waited for, is believed when the clock is put right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.inside.core import Deadline, believed

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def test_a_time_that_is_waited_for_comes_when_the_clock_says_so() -> None:
    deadline = Deadline(NOW + MINUTE, NOW)
    assert deadline.left(NOW) == MINUTE
    assert deadline.left(NOW + MINUTE) == timedelta()
    assert deadline.left(NOW + 99 * DAY) == timedelta()


@pytest.mark.parametrize("back", [2 * MINUTE, DAY, 3_650 * DAY])
def test_a_time_that_is_waited_for_does_not_move_away_when_the_clock_is_set_back(
    back: timedelta,
) -> None:
    assert Deadline(NOW + MINUTE, NOW).left(NOW - back) < 2 * MINUTE


@pytest.mark.parametrize("until", [NOW + MINUTE, NOW + DAY])
def test_a_wait_that_was_noted_before_is_believed(until: datetime) -> None:
    assert believed(until, NOW, noted=(NOW - MINUTE, None)) == until


@pytest.mark.parametrize(
    ("until", "noted"),
    [
        (None, NOW - MINUTE),
        (NOW, NOW - MINUTE),
        (NOW + 2 * MINUTE, NOW + MINUTE),
        (NOW + DAY + MINUTE, NOW - MINUTE),
        (NOW + 3_650 * DAY, None),
    ],
)
def test_a_wait_that_is_over_or_cannot_be_true_is_not_believed(
    until: datetime | None, noted: datetime | None
) -> None:
    assert believed(until, NOW, noted=(None, noted)) is None
