"""When an account is due: decided from what is known of its runs, without a clock or a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.inside.config import Account, Cron, Schedule, Seconds, TimeZone
from tests.support.inside.core import (
    BadCredentials,
    RateLimited,
    RepoledgerError,
    ServerError,
    errors,
    kind_of,
)
from tests.support.inside.daemon import LONGEST_PAUSE, AccountSchedule, History, first_due, next_due
from tests.support.inside.database import RunStatus
from tests.support.inside.run import RunOutcome

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
HOURLY = AccountSchedule(
    cron="0 * * * *", every=None, timezone="UTC", jitter=30, max_age=None, slack=900
)
OFTEN = replace(HOURLY, cron=None, every=600.0, jitter=0)


def ran(status: str, at: datetime = NOON, **fields: object) -> History:
    """Return the history of an account whose last run began at `at` and took a minute."""
    good = at + MINUTE if status in ("succeeded", "partial") else None
    known = {"started_at": at, "finished_at": at + MINUTE, "last_synced_at": good, **fields}
    return History(status=status, **known)  # type: ignore[arg-type]  # a test's


def failed(times: int, error: str, at: datetime = NOON) -> History:
    return ran("failed", at, failures=times, error_type=error)


# Errors

KEPT = {
    *("RepoledgerError", "ConfigError", "AddressTaken", "Interrupted", "RemovalsWithheld"),
    *("RestError", "ConnectFailed", "TimedOut", "BadCredentials", "Forbidden", "Blocked"),
    *("NotFound", "InvalidRequest", "Conflict", "Computing", "RateLimited", "ServerError"),
    *("NotJson", "UnexpectedAnswer", "ForeignOrigin", "TooLarge"),
    *("DatabaseError", "DatabaseUnusable", "SchemaMissing", "SchemaOutdated", "SchemaTooNew"),
    *("QueryRefused", "NoSuchRepository", "NoSuchHost", "AmbiguousName", "RunInProgress", "Fenced"),
}


def test_the_name_of_an_error_in_ledgers_stays_whatever_its_class_is_called() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert {kind.code for kind in kinds if issubclass(kind, RepoledgerError)} == KEPT
    assert {kind_of(code).code for code in KEPT} == KEPT


def test_an_error_that_no_program_knows_is_like_any_other() -> None:
    assert kind_of("ServerErrorOfTomorrow") is kind_of(None) is RepoledgerError
    assert not RepoledgerError.is_transient


# Schedules


@pytest.mark.parametrize(
    ("cron", "zone", "moment", "expected"),
    [
        ("0 * * * *", "UTC", NOON, NOON + HOUR),
        ("*/15 * * * *", "UTC", NOON + MINUTE, NOON + 15 * MINUTE),
        ("30 6 * * mon-fri", "Europe/Berlin", NOON, datetime(2026, 3, 3, 5, 30, tzinfo=UTC)),
        ("30 6 * * mon", "Europe/Berlin", NOON, datetime(2026, 3, 9, 5, 30, tzinfo=UTC)),
        # Summer time begins on 29 March: half past six comes an hour earlier.
        (
            "30 6 * * *",
            "Europe/Berlin",
            datetime(2026, 3, 28, 12, tzinfo=UTC),
            datetime(2026, 3, 29, 4, 30, tzinfo=UTC),
        ),
        ("0 0 29 2 *", "UTC", NOON, datetime(2028, 2, 29, tzinfo=UTC)),
    ],
)
def test_cron_is_read_in_its_time_zone(
    cron: str, zone: str, moment: datetime, expected: datetime
) -> None:
    assert replace(HOURLY, cron=cron, timezone=zone).following(moment) == expected


@given(
    st.integers(0, 48 * 60).map(lambda m: datetime(2026, 10, 24, tzinfo=UTC) + m * MINUTE),
    st.sampled_from(["30 2 * * *", "59 2 * * *", "0 * * * *", "*/7 1-3 * * *", "0 3 * * sun"]),
    st.sampled_from(["Europe/Berlin", "Europe/London", "Australia/Lord_Howe", "UTC"]),
)
def test_the_next_time_is_always_later_also_in_the_hour_that_comes_twice(
    moment: datetime, cron: str, zone: str
) -> None:
    assert replace(HOURLY, cron=cron, timezone=zone).following(moment) > moment


def test_a_time_in_the_hour_that_comes_twice_is_not_followed_by_one_that_has_passed() -> None:
    # At 6 o'clock in UTC it is 1 o'clock in New York for the second time.
    nightly = replace(HOURLY, cron="15 1 * * *", timezone="America/New_York")
    moment = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
    passed = datetime(2026, 11, 1, 5, 15, tzinfo=UTC)
    times = [passed - 24 * HOUR, passed, moment, moment + 30 * MINUTE]
    following = [nightly.following(time) for time in times]
    assert following[0] == passed
    assert all(later > time for time, later in zip(times, following, strict=True))
    assert following[-1] == datetime(2026, 11, 2, 6, 15, tzinfo=UTC)


def test_an_interval_follows_what_was_before() -> None:
    assert OFTEN.following(NOON) == NOON + 10 * MINUTE


def test_an_account_may_have_a_schedule_of_its_own() -> None:
    schedule = Schedule(cron=Cron("0 * * * *"), jitter=Seconds(5), max_age=Seconds(60))
    plain = Account(name="me", username="octo")
    assert AccountSchedule.of(plain, schedule, slack=1) == AccountSchedule(
        cron="0 * * * *", every=None, timezone="UTC", jitter=5, max_age=60, slack=1
    )
    own = Account(name="me", username="octo", every=Seconds(9), timezone=TimeZone("Asia/Tokyo"))
    its = AccountSchedule.of(own, schedule, slack=1)
    assert (its.cron, its.every, its.timezone, its.jitter) == (None, 9, "Asia/Tokyo", 0)


# What is due


def test_an_account_that_was_never_synced_is_due_now() -> None:
    assert next_due(HOURLY, History(), NOON) == NOON


def test_after_a_good_run_the_schedule_decides() -> None:
    assert next_due(HOURLY, ran("succeeded"), NOON + 5 * MINUTE) == NOON + HOUR
    assert next_due(OFTEN, ran("partial"), NOON + 5 * MINUTE) == NOON + 10 * MINUTE


def test_after_downtime_what_was_missed_is_due_once() -> None:
    later = NOON + timedelta(days=3)
    assert next_due(HOURLY, ran("succeeded"), later) <= later
    assert next_due(HOURLY, ran("succeeded", later), later + MINUTE) == later + HOUR


def test_a_clock_that_was_set_back_makes_it_due_now_and_once() -> None:
    earlier = NOON - 2 * HOUR
    assert next_due(HOURLY, ran("succeeded"), earlier) == earlier
    assert next_due(HOURLY, ran("deferred", not_before=NOON + HOUR), earlier) == earlier
    assert next_due(HOURLY, ran("succeeded", earlier), earlier + MINUTE) == earlier + HOUR


def test_a_run_that_was_put_off_comes_back_at_the_time_that_was_named() -> None:
    back = NOON + 17 * MINUTE
    assert next_due(HOURLY, ran("deferred", not_before=back), NOON + 2 * MINUTE) == back


def test_a_server_that_puts_off_again_and_again_is_asked_less_and_less() -> None:
    now = NOON + MINUTE
    pauses = [
        next_due(HOURLY, ran("deferred", not_before=now, deferrals=times), now) - now
        for times in (1, 2, 3, 4, 99)
    ]
    assert pauses == [timedelta(0), MINUTE, 2 * MINUTE, 4 * MINUTE, 10 * MINUTE]


@pytest.mark.parametrize("status", ["interrupted", "running"])
def test_a_run_that_was_cut_off_is_due_now_unless_it_waited_for_quota(status: str) -> None:
    now = NOON + 2 * MINUTE
    assert next_due(HOURLY, ran(status), now) == now
    assert next_due(HOURLY, ran(status, not_before=NOON + HOUR), now) == NOON + HOUR


def test_a_transient_failure_is_tried_again_soon_then_later_and_later() -> None:
    pauses = [
        next_due(HOURLY, failed(times, "ServerError"), NOON + MINUTE) - NOON - MINUTE
        for times in (1, 2, 3, 6, 7, 500)
    ]
    assert pauses == [MINUTE, 2 * MINUTE, 4 * MINUTE, 32 * MINUTE, LONGEST_PAUSE, LONGEST_PAUSE]


def test_a_failed_account_is_tried_at_once_with_a_new_configuration() -> None:
    now = NOON + 2 * MINUTE
    history = failed(9, "BadCredentials")
    assert next_due(HOURLY, history, now, changed=True) == now
    assert next_due(HOURLY, history, now) > now
    assert next_due(HOURLY, ran("succeeded"), now, changed=True) == NOON + HOUR


def test_a_database_that_failed_is_tried_again_soon() -> None:
    due = next_due(HOURLY, failed(1, "DatabaseUnusable"), NOON + MINUTE)
    assert due == NOON + 2 * MINUTE


def test_a_permanent_failure_waits_for_the_schedule_too() -> None:
    assert next_due(HOURLY, failed(1, "BadCredentials"), NOON + MINUTE) == NOON + HOUR
    assert next_due(OFTEN, failed(1, "BadCredentials"), NOON + MINUTE) == NOON + 11 * MINUTE
    late = next_due(OFTEN, failed(9, "BadCredentials"), NOON + MINUTE)
    assert late == NOON + MINUTE + LONGEST_PAUSE


def test_a_quick_schedule_begins_with_quick_tries() -> None:
    quick = replace(OFTEN, every=2.0)
    ended = NOON + MINUTE
    assert next_due(quick, failed(1, "ServerError"), ended) == ended + timedelta(seconds=2)


@pytest.mark.parametrize(
    ("history", "at_start", "expected"),
    [
        (ran("succeeded"), True, NOON + 5 * MINUTE),
        (ran("succeeded"), False, NOON + HOUR),
        (ran("succeeded", NOON - HOUR), False, NOON + 5 * MINUTE),
        (failed(5, "BadCredentials"), True, NOON + 5 * MINUTE),
        (ran("deferred", not_before=NOON + HOUR), True, NOON + HOUR),
        (ran("deferred", not_before=NOON), True, NOON + 5 * MINUTE),
        (ran("succeeded", NOON + HOUR, not_before=NOON + 2 * HOUR), True, NOON + 5 * MINUTE),
    ],
)
def test_a_daemon_that_starts_syncs_each_account_at_once_or_when_it_is_due(
    history: History, at_start: bool, expected: datetime
) -> None:
    assert first_due(HOURLY, history, NOON + 5 * MINUTE, at_start=at_start) == expected


# How old the last success may become


def test_a_success_is_too_old_after_two_missed_times_of_the_schedule() -> None:
    assert HOURLY.stale_at(NOON) == NOON + 2 * HOUR + timedelta(seconds=30 + 900)
    assert replace(HOURLY, max_age=60).stale_at(NOON) == NOON + MINUTE


def test_a_weekend_without_runs_makes_no_success_too_old() -> None:
    weekdays = replace(HOURLY, cron="0 9 * * mon-fri", jitter=0, slack=0)
    friday = datetime(2026, 3, 6, 9, 1, tzinfo=UTC)
    assert weekdays.stale_at(friday) == datetime(2026, 3, 10, 9, tzinfo=UTC)


# Histories


@pytest.mark.parametrize(
    ("status", "error", "failures"),
    [
        ("succeeded", None, 0),
        ("partial", None, 0),
        ("failed", BadCredentials("401"), 3),
        ("failed", ServerError("500"), 3),
        ("deferred", RateLimited("429"), 2),
    ],
)
def test_a_history_counts_failures_until_a_good_run(
    status: RunStatus, error: RepoledgerError | None, failures: int
) -> None:
    before = failed(2, "ServerError")
    outcome = RunOutcome(run_id=1, account="me", status=status, error=error)
    after = before.after(outcome, NOON + HOUR, NOON + HOUR + MINUTE)
    assert (after.status, after.failures) == (status, failures)
    assert after.started_at == NOON + HOUR
    assert after.last_synced_at == (NOON + HOUR + MINUTE if failures == 0 else None)
    assert after.error_type == (error.code if error else None)
