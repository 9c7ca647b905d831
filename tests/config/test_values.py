"""Lengths of time, cron expressions and time zones."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.inside.config import ApiUrl, Cron, DatabaseUrl, Seconds, TimeZone

ANYTHING = st.one_of(
    st.text(),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.integers()),
    st.dictionaries(st.text(), st.integers()),
    st.datetimes(),
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("15m", 900),
        ("1h", 3600),
        ("7d", 604800),
        ("1h 30m", 5400),
        ("1h30m", 5400),
        ("1 h", 3600),
        ("1.5h", 5400),
        ("0s", 0),
        ("366d", 366 * 86400),
        (45, 45),
        (0.5, 0.5),
    ],
)
def test_a_length_of_time_is_read(text: Any, seconds: float) -> None:
    assert Seconds.parse(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "s",
        "10",
        "10x",
        "10 minutes",
        "-5s",
        "1.2.3s",
        "1e3s",
        "5s!",
        "367d",
        "9" * 400 + "s",
        -1,
        math.nan,
        math.inf,
        10**400,
        True,
        None,
        [],
    ],
)
def test_what_is_no_length_of_time_is_refused_with_what_would_be_right(text: Any) -> None:
    with pytest.raises(ValueError, match="must be a length of time"):
        Seconds.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "0 * * * *",
        "*/15 * * * *",
        "0 6 * * mon-fri",
        "0 6 * * SAT,sun",
        "0 6 * * mon-wed,fri",
        "30 4 1 * *",
        "0 0 29 2 *",
        "0 0 1,15 jan-jun *",
        "  0   *  *  *  * ",
    ],
)
def test_a_cron_expression_that_means_one_thing_is_taken(text: str) -> None:
    assert Cron.parse(text) == text


@pytest.mark.matrix("process.bad-config")
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "five cron fields"),
        ("@hourly", "five cron fields"),
        ("0 * * * * *", "five cron fields"),
        (None, "five cron fields"),
        ("60 * * * *", "not a cron expression"),
        ("* 24 * * *", "not a cron expression"),
        ("* * 0 * *", "not a cron expression"),
        ("* * * 13 *", "not a cron expression"),
        ("*/0 * * * *", "not a cron expression"),
        ("5-1 * * * *", "not a cron expression"),
        ("a b c d *", "not a cron expression"),
        ("* * * * 0", "must name weekdays"),
        ("* * * * 1-5", "must name weekdays"),
        ("* * * * monday", "must name weekdays"),
        ("0 0 13 * fri", "must not restrict both"),
        ("0 0 */2 * fri", "must not restrict both"),
        ("0 0 31 2 *", "fires"),
        ("0 0 31 4,6,9,11 *", "fires"),
    ],
)
def test_a_cron_expression_that_is_wrong_or_ambiguous_is_refused(text: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Cron.parse(text)


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia"])
def test_a_time_zone_is_taken_by_its_name(name: str) -> None:
    assert TimeZone.parse(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "/etc/passwd", "../UTC", "Mars", "Europe", "U\0TC", "\ud800", None, 5, [], {}]
)
def test_what_is_no_time_zone_is_refused_with_what_would_be_right(name: Any) -> None:
    with pytest.raises(ValueError, match="IANA time zone"):
        TimeZone.parse(name)


@pytest.mark.parametrize("kind", [Seconds, Cron, TimeZone, ApiUrl, DatabaseUrl])
@settings(deadline=None, max_examples=60)
@given(value=ANYTHING)
def test_anything_at_all_is_either_taken_or_refused_in_words(kind: Any, value: Any) -> None:
    try:
        kind.parse(value)
    except ValueError as error:
        assert str(error)  # noqa: PT017  # whether it raises is not known


FIELD = st.text("0123456789*/,-LWabcdejmnoru#?", min_size=1, max_size=6)


@settings(deadline=None, max_examples=200)
@given(fields=st.lists(FIELD, min_size=4, max_size=4))
@example(fields=["0", "0", "L", "*"])
@example(fields=["0", "0", "LW", "*"])
@example(fields=["9" * 5000, "0", "*", "*"])
@example(fields=["٣", "0", "*", "*"])
def test_any_five_fields_are_either_a_schedule_or_refused_in_words(fields: list[str]) -> None:
    text = " ".join([*fields, "*"])
    try:
        assert Cron.parse(text) == text
    except ValueError as error:
        assert str(error)  # noqa: PT017  # whether it raises is not known


@settings(deadline=None)
@given(
    days=st.integers(0, 300), hours=st.integers(0, 99), minutes=st.integers(0, 99), s=st.integers(0)
)
def test_a_length_of_time_is_the_sum_of_its_parts(
    days: int, hours: int, minutes: int, s: int
) -> None:
    s %= 100_000
    expected = days * 86400 + hours * 3600 + minutes * 60 + s
    assert float(Seconds.parse(f"{days}d {hours}h {minutes}m {s}s")) == expected
