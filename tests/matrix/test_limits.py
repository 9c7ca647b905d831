"""Limits: short ones are waited for, longer ones put the run off to the time that was named.

The server's clock stands in the year 2025, so that whatever it says of time has to be
taken by that clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import NamedTuple

import pytest

from tests.matrix.stage import FAILED, RUN_FINISHED, WAIT, Ran, Stage, expect
from tests.support.fault_server import answer

pytestmark = pytest.mark.slow

NOW = datetime(2025, 1, 1, tzinfo=UTC)  # by the server's clock
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PACE = "You have exceeded a secondary rate limit."


def limited(status: int, message: str = PACE, **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(status, {"message": message}, {"Date": format_datetime(NOW, usegmt=True)} | named)


def spent(status: int, seconds: float) -> bytes:
    """Return what tells that nothing is left of the quota for so many seconds."""
    reset = str(int(NOW.timestamp() + seconds))
    quota = {"X_RateLimit_Limit": "5000", "X_RateLimit_Remaining": "0", "X_RateLimit_Reset": reset}
    return limited(status, "API rate limit exceeded", **quota)


def asked(after: str, status: int = 403) -> bytes:
    return limited(status, Retry_After=after)


class Long(NamedTuple):
    """An answer that asks for a long wait, and between what times it is asked again."""

    answer: bytes
    least: timedelta
    most: timedelta


def about(reply: bytes, wait: timedelta) -> Long:
    return Long(reply, wait - timedelta(minutes=1), wait + timedelta(minutes=1))


IN_AN_HOUR = format_datetime(NOW + HOUR, usegmt=True)
UNTOLD = (timedelta(seconds=50), HOUR)  # nothing can be read: a time of our own


@pytest.mark.matrix("always.converges", "always.alive", "always.secret", "always.counts")
@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(
            (about(spent(403, 3600), HOUR), about(spent(429, 3600), HOUR)),
            id="quota",
            marks=pytest.mark.matrix("http.quota"),
        ),
        pytest.param(
            (
                about(asked("3600"), HOUR),
                about(asked(IN_AN_HOUR, 429), HOUR),
                about(asked("9" * 30), DAY),
                Long(asked("soon", 429), *UNTOLD),
            ),
            id="retry-after",
            marks=pytest.mark.matrix("http.retry-after"),
        ),
    ],
)
def test_a_long_wait_puts_the_run_off_to_the_time_that_was_named(
    stage: Stage, limits: tuple[Long, ...]
) -> None:
    for limit in limits:
        stage.hub.heal()
        stage.hub.fault("page 2", [limit.answer])
        ran = stage.run(REPOLEDGER_GITHUB__MAX_WAIT="30s")
        expect(ran, "deferred", [FAILED, RUN_FINISHED], seen=3, error="RateLimited")
        assert limit.least < not_before(ran) - datetime.now(UTC) < limit.most
        assert len(stage.hub.requests) == 3
        stage.time_passes()
    stage.assert_converges()


@pytest.mark.matrix("http.quota", "http.retry-after", "always.alive", "always.counts")
def test_short_waits_are_waited_for(stage: Stage) -> None:
    faults = [asked("-5"), asked("0.5"), asked(format_datetime(NOW - DAY, usegmt=True), 429)]
    stage.hub.fault("page 2", faults)
    stage.hub.fault("page 3", [spent(429, 1)])
    ran = stage.run(REPOLEDGER_GITHUB__MAX_WAIT="30s")
    expect(ran, "succeeded", [FAILED, WAIT] * 4 + [RUN_FINISHED], seen=7)
    # A second more than asked: clocks are read in whole seconds.
    assert [line["seconds"] for line in ran.lines(WAIT)] == [1.0, 1.5, 1.0, 2.0]
    assert [line["secondary"] for line in ran.lines(WAIT)] == [True, True, True, False]
    assert len(stage.hub.requests) == 8
    stage.assert_equals_list()


@pytest.mark.matrix("http.quota")
def test_before_that_time_a_run_asks_nothing(stage: Stage) -> None:
    stage.hub.fault("page 2", [spent(403, 3600)])
    first = stage.run(REPOLEDGER_GITHUB__MAX_WAIT="1s")
    stage.hub.heal()
    second = stage.run_in_vain(REPOLEDGER_GITHUB__MAX_WAIT="1s")
    assert (second.code, second.outcome["status"]) == (4, "deferred")
    assert not_before(second) == not_before(first)
    assert stage.hub.requests == []


def not_before(ran: Ran) -> datetime:
    return datetime.fromisoformat(ran.outcome["not_before"])
