"""Sums of counters over a time, the largest one by one, the others together."""

from __future__ import annotations

from datetime import date

from tests.support.inside.events import event_of, largest, rest_of, sentence, sums_of

FIRST, LAST = date(2026, 11, 22), date(2026, 11, 29)
COLUMNS = ("stargazers_count", "forks_count")
ROWS = [
    ("github.com", 1, FIRST, LAST, 47, 3, 447, 3),
    ("github.com", 2, FIRST, LAST, 9, 1, 7, 2),
    ("github.com", 3, FIRST, LAST, None, 1, 5, 1),
    ("github.com", 4, FIRST, LAST, 5, 1, 6, 1),
]


def test_a_sum_is_what_was_gained_or_lost_and_unknown_counts_are_no_gain() -> None:
    found = sums_of(ROWS, COLUMNS, COLUMNS, FIRST)
    stars, rest = largest(found["stargazers_count"], None)
    assert rest is None
    assert [sentence(event_of(each, "ada/x", None)) for each in stars] == [
        *("★ +400 (47 → 447)", "★ +1 (5 → 6)", "★ −2 (9 → 7)")
    ]
    (forks,) = found["forks_count"]
    assert sentence(event_of(forks, "ada/x", None)) == "forks +1 (1 → 2)"


def test_beyond_a_limit_the_largest_differences_stay_and_the_others_are_summed_up() -> None:
    stars, rest = largest(sums_of(ROWS, COLUMNS, COLUMNS, FIRST)["stargazers_count"], 1)
    assert [each.repository_id for each in stars] == [1]
    assert rest is not None
    assert (rest.repositories, rest_of(rest)) == (2, "★ +1 −2")


def test_only_wanted_counters_are_summed() -> None:
    assert set(sums_of(ROWS, COLUMNS, ("forks_count",), FIRST)) == {"forks_count"}
