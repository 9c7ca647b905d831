"""A daemon's first day with many repositories, in virtual time."""

from __future__ import annotations

from collections import Counter

from benchmarks.first_day import NAMES, FirstDay, table


def test_the_first_day_keeps_to_quota_and_pace_and_reads_everything() -> None:
    hours = FirstDay(200, answer=0.12).pass_by()
    asked = sum((hour.asked for hour in hours), Counter[str]())
    assert {name: asked[name] > 0 for name in NAMES} == dict.fromkeys(NAMES, True)
    assert asked["traffic"] >= 2 * 200
    assert [hour.refused for hour in hours] == [0] * 24
    assert max(hour.busiest for hour in hours) <= 900
    assert min(hour.quota for hour in hours) >= 500
    assert not hours[-1].waiting
    assert len(list(table(hours))) == 2 + 24


def test_what_the_quota_of_an_hour_does_not_suffice_for_waits_for_the_next() -> None:
    hours = FirstDay(1500, answer=0.12).pass_by()
    assert hours[0].waiting.total() > 0
    assert hours[0].quota == 500 + 15  # the reserve, and the next listing
    assert hours[0].asked["traffic"] == 2 * 1500
    assert [hour.refused for hour in hours] == [0] * 24
    assert not hours[-1].waiting
