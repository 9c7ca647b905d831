"""What a listing will cost, told before most of it is asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.inside.github import RateLimit
from tests.support.inside.run import Forecast, forecast_listing

RESET = datetime(2026, 11, 25, 10, 50, tzinfo=UTC)


def forecast(**given: Any) -> Forecast:
    usual = {
        "pages": 1_000,
        "remembered": 0,
        "conditional_is_free": True,
        "quota": RateLimit(limit=5_000, remaining=4_990, reset=RESET),
        "reserve": 0.1,
        "fetching": 0.2,
        "storing": 0.02,
        "concurrency": 4,
    }
    return forecast_listing(**{**usual, **given})


def test_pages_behind_the_first_cost_a_request_each_and_share_the_time() -> None:
    told = forecast()
    assert (told.pages, told.requests, told.available, told.hourly) == (1_000, 999, 4_490, 4_500)
    assert told.seconds == pytest.approx(250 * 0.2)
    assert (told.resets, told.quota_enough_at, told.is_large) == (0, None, True)


def test_where_storing_takes_longer_than_fetching_it_is_what_counts() -> None:
    assert forecast(fetching=0.01).seconds == pytest.approx(999 * 0.02)


def test_pages_that_are_remembered_cost_nothing_with_a_token() -> None:
    assert forecast(remembered=990).requests == 9
    assert not forecast(remembered=990).is_large
    assert forecast(remembered=990, conditional_is_free=False).requests == 999


@pytest.mark.parametrize(
    ("pages", "resets"), [(4_491, 0), (4_492, 1), (4_491 + 4_500, 1), (4_492 + 4_500, 2)]
)
def test_requests_beyond_the_quota_wait_for_the_next_hour(pages: int, resets: int) -> None:
    told = forecast(pages=pages)
    assert told.resets == resets
    enough_at = RESET + timedelta(hours=resets - 1) if resets else None
    assert told.quota_enough_at == enough_at


@pytest.mark.parametrize(("pages", "resets"), [(40, 0), (53, 1), (54, None)])
def test_without_a_token_what_exceeds_an_hour_is_never_done(pages: int, resets: int | None) -> None:
    quota = RateLimit(limit=60, remaining=50, reset=RESET)
    assert forecast(pages=pages, conditional_is_free=False, quota=quota).resets == resets


def test_a_server_without_a_limit_is_foretold_without_one() -> None:
    told = forecast(quota=None)
    assert (told.requests, told.available, told.resets) == (999, None, 0)


def test_a_short_listing_is_not_worth_a_word_unless_the_quota_is_too_small() -> None:
    assert not forecast(pages=11).is_large
    assert forecast(pages=12).is_large
    spent = RateLimit(limit=5_000, remaining=502, reset=RESET)
    assert not forecast(pages=3, quota=spent).is_large
    assert forecast(pages=4, quota=spent).is_large


def test_a_quota_that_is_reserved_as_a_whole_never_suffices() -> None:
    quota = RateLimit(limit=1, remaining=0, reset=RESET)
    assert forecast(quota=quota, reserve=0.5).resets is None
