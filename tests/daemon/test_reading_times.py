"""When a daemon reads resources between two listings: without any I/O."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.inside.core import (
    BadCredentials,
    Interrupted,
    RateLimited,
    RepoledgerError,
    ServerError,
)
from tests.support.inside.daemon import (
    BUNDLE,
    SLICE,
    WITH_LISTING,
    Reading,
    Standing,
    Wanted,
    has_read_enough,
    next_reading,
)
from tests.support.inside.database import ResourceStanding, RunStatus
from tests.support.inside.load import Loaded
from tests.support.inside.run import RunOutcome

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def due(reading: Reading, now: datetime = NOW, listing_in: timedelta = DAY) -> timedelta | None:
    """Return in how long the next reading is due; None if the listing comes first."""
    at = next_reading(reading, now, synced=True, listing_at=now + listing_in)
    return None if at is None else at - now


def ended(
    status: RunStatus = "succeeded", error: RepoledgerError | None = None, **told: Any
) -> RunOutcome:
    not_before = told.pop("not_before", None)
    return RunOutcome(
        run_id=1,
        account="me",
        status=status,
        error=error,
        not_before=not_before,
        loaded=Loaded(**told),
    )


def after(*outcomes: RunOutcome) -> Reading:
    reading = Reading()
    for outcome in outcomes:
        reading = reading.after(outcome, NOW)
    return reading


def test_resources_are_read_when_the_first_of_them_is_due() -> None:
    assert due(after(ended(next_at=NOW + HOUR))) == HOUR
    assert due(after(ended())) is None


def test_what_becomes_due_within_minutes_is_read_together() -> None:
    assert due(after(ended(next_at=NOW + MINUTE))) == BUNDLE
    assert due(after(ended(next_at=NOW - HOUR))) == BUNDLE


def test_what_is_due_when_the_listing_is_waits_for_it() -> None:
    reading = after(ended(next_at=NOW + HOUR))
    assert due(reading, listing_in=HOUR) is None
    assert due(reading, listing_in=HOUR + MINUTE) == HOUR


def test_an_account_that_was_never_listed_has_nothing_to_read() -> None:
    reading = Reading(next_at=NOW)
    assert next_reading(reading, NOW, synced=False, listing_at=None) is None
    assert next_reading(reading, NOW, synced=True, listing_at=None) == NOW


def test_a_reading_that_ended_early_goes_on_at_once_or_when_the_quota_is_reset() -> None:
    assert due(after(ended(next_at=NOW + HOUR, resume_at=NOW))) == timedelta(0)
    assert due(after(ended(next_at=NOW + HOUR, resume_at=NOW + 9 * MINUTE))) == 9 * MINUTE


def test_nothing_is_read_before_github_answers_again() -> None:
    limited = RateLimited("429", retry_at=NOW + HOUR)
    assert due(after(ended("deferred", limited, not_before=NOW + HOUR))) == HOUR
    assert due(after(ended("deferred", limited, not_before=NOW + MINUTE))) == BUNDLE


def test_a_failed_reading_is_tried_again_with_longer_and_longer_pauses() -> None:
    failure = ended("failed", ServerError("500"))
    pauses = [due(after(*[failure] * times)) for times in (1, 4, 5, 6, 7, 99)]
    minutes = (10, 10, 16, 32, 60, 60)
    assert pauses == [timedelta(minutes=each) for each in minutes]
    assert due(after(failure, failure, ended(next_at=NOW + HOUR))) == HOUR


def test_a_bad_token_is_tried_again_only_by_the_listing() -> None:
    refused = ended("failed", BadCredentials("401"))
    assert due(after(refused)) is None
    assert due(after(refused, ended(next_at=NOW + HOUR))) == HOUR


def test_a_reading_that_was_ended_goes_on_later() -> None:
    assert due(after(ended("interrupted", Interrupted("stopped")))) == BUNDLE


def test_a_clock_that_is_set_back_does_not_hold_up_a_reading_for_long() -> None:
    reading = after(ended(next_at=NOW))
    assert due(reading, NOW - 2 * HOUR, listing_in=DAY) == 2 * HOUR


@pytest.mark.parametrize(
    ("seconds", "wanted", "lists", "enough"),
    [
        (9 * SLICE, Wanted(own_listing=False, listings=0, readings=0), False, False),
        (0, Wanted(own_listing=True, listings=0, readings=0), False, True),
        (0, Wanted(own_listing=False, listings=1, readings=0), False, True),
        (SLICE - 1, Wanted(own_listing=False, listings=0, readings=1), False, False),
        (SLICE, Wanted(own_listing=False, listings=0, readings=1), False, True),
        (WITH_LISTING - 1, Wanted(own_listing=True, listings=0, readings=0), True, False),
        (WITH_LISTING, Wanted(own_listing=True, listings=0, readings=0), True, True),
        (0, Wanted(own_listing=True, listings=1, readings=0), True, True),
    ],
)
def test_listings_go_before_readings_and_readings_take_turns(
    seconds: float, wanted: Wanted, *, lists: bool, enough: bool
) -> None:
    assert has_read_enough(seconds, wanted, lists=lists) is enough


def test_figures_that_are_lost_soon_and_lost_days_are_told() -> None:
    traffic = ResourceStanding(0, NOW - 11 * DAY, NOW - 10 * DAY, NOW + 2 * DAY)
    assert Standing(resources={"traffic": traffic}).risk(NOW) == (
        "not read for long: traffic; the first of it is lost at 2026-03-03 12:00:00 UTC"
    )
    assert Standing(resources={"traffic": traffic}).risk(NOW - 2 * DAY) is None
    assert (
        Standing(lost_days=3).risk(NOW) == "lost: figures of 3 days, as the last day's runs found"
    )
    assert Standing().risk(NOW) is None
