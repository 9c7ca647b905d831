"""The ledger as it was: whatever was shown at a time is shown as of that time ever after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.database import HOST, START, HandClock, repository, store_page
from tests.support.inside.database import REPOSITORY_COLUMNS, as_text
from tests.support.logbook import Logbook, before, logbook

if TYPE_CHECKING:
    from tests.support.inside.database import Ledger, Run, Store

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def book(store: Store, run: Run) -> Iterator[Logbook]:
    """Yield the log of a ledger that two accounts share."""
    store.start_run("work", HOST, "test")
    with logbook(store.url) as opened:
        yield opened


def seen(ledger: Ledger, field: str, moment: datetime, **filters: Any) -> list[Any]:
    return [row[field] for row in ledger.repos(as_of=moment, **filters)]


def test_a_repository_has_the_values_of_that_time_however_often_they_changed_since(
    ledger: Ledger, book: Logbook
) -> None:
    texts = ["first", None, "third", "first", "last"]
    book.add(description=texts[0])
    for text in texts[1:]:
        book.change(description=text)
    for n, text in enumerate(texts):
        assert seen(ledger, "description", START + n * MINUTE) == [text]
        assert seen(ledger, "description", before(START + (n + 1) * MINUTE)) == [text]


def test_changes_of_several_fields_at_once_are_undone_for_every_type(
    ledger: Ledger, book: Logbook
) -> None:
    old: dict[str, Any] = {
        "full_name": "octo/One",
        "owner_id": 2**53 + 1,
        "topics": ["sql", "ü"],
        "archived": False,
        "fork": None,
        "homepage": "",
        "pushed_at": datetime(2025, 1, 2, 3, 4, 5, 678, UTC),
    }
    new: dict[str, Any] = {
        "full_name": "corp/one",
        "owner_id": 8,
        "topics": None,
        "archived": True,
        "fork": True,
        "homepage": "null",
        "pushed_at": None,
    }
    book.add(**old)
    changed = book.now
    book.change(**new)
    (was,) = ledger.repos(as_of=before(changed))
    assert {field: was[field] for field in old} == old
    assert (tuple(was), was["archived"]) == (REPOSITORY_COLUMNS, False)
    (now,) = ledger.repos(as_of=changed)
    assert {field: now[field] for field in new} == new


def test_a_repository_is_there_from_the_moment_that_it_was_first_seen(
    ledger: Ledger, book: Logbook
) -> None:
    book.add(1, description="x")
    book.add(2)
    book.change(1, description="y")
    book.change(2, description="z")
    assert seen(ledger, "id", before(START)) == []
    assert seen(ledger, "id", before(START + MINUTE)) == [1]
    assert seen(ledger, "id", START + MINUTE) == [1, 2]
    assert seen(ledger, "id", datetime(1, 1, 1, tzinfo=UTC)) == []


def test_a_repository_was_removed_for_as_long_as_it_was(ledger: Ledger, book: Logbook) -> None:
    book.add()
    removed = book.now
    book.change(removed_at=removed, removal_reason="not_found")
    restored = book.now
    book.change(removed_at=None, removal_reason=None)
    book.change(removed_at=book.now, removal_reason="private")
    for moment, there in [(START, True), (removed, False), (restored, True), (book.now, False)]:
        assert seen(ledger, "id", moment) == [1] * there
        assert seen(ledger, "id", moment, removed=True) == [1] * (not there)
    (row,) = ledger.repos(as_of=removed, removed=True)
    assert (row["removed_at"], row["removal_reason"]) == (removed, "not_found")
    (row,) = ledger.repos(as_of=restored)
    assert (row["removed_at"], row["removal_reason"]) == (None, None)


def test_redacted_fields_stay_redacted_in_the_past_and_the_others_are_shown(
    ledger: Ledger, book: Logbook
) -> None:
    book.add(name="one", description="secret", language="C", fork=False, topics=["a"])
    book.change(name="two", full_name="octo/two", description=None)
    book.change(fork=True)
    redacted = book.now
    book.redact()
    restored = book.now
    book.change(name="two", full_name="octo/two", description="public", language="C")

    for moment, fork in [(START, False), (before(redacted), True), (redacted, True)]:
        (row,) = ledger.repos(as_of=moment)
        assert (row["name"], row["full_name"]) == ("[redacted]", "octo/[redacted]")
        assert (row["description"], row["language"], row["topics"]) == (None, None, None)
        assert row["fork"] is fork
    (row,) = ledger.repos(as_of=restored)
    assert (row["name"], row["description"], row["topics"]) == ("two", "public", None)


def test_an_account_listed_what_it_listed_then(ledger: Ledger, book: Logbook) -> None:
    book.add(1)
    book.add(2, account="work", description="x")
    book.add(3, account=None)
    book.lists("me", id_=2)
    joined = book.now - MINUTE
    book.lists_no_more("me", id_=2)
    book.lists_no_more("work", id_=2)
    left = book.now - MINUTE
    book.lists("me", id_=2)
    book.change(2, description="y")
    book.lists_no_more("me", id_=1)
    expected = [
        (START, [1], []),
        (before(joined), [1], [2]),
        (joined, [1, 2], [2]),
        (joined + MINUTE, [1], [2]),
        (left, [1], []),
        (left + MINUTE, [1, 2], []),
        (before(book.now - MINUTE), [1, 2], []),
        (book.now, [2], []),
    ]
    for moment, mine, works in expected:
        assert seen(ledger, "id", moment, account="me") == mine
        assert seen(ledger, "id", moment, account="work") == works
        assert seen(ledger, "id", moment, account="ME") == []
    assert seen(ledger, "id", book.now, account="me") == [
        row["id"] for row in ledger.repos(account="me")
    ]


def test_an_account_listed_nothing_before_it_did_though_no_change_tells_of_it(
    ledger: Ledger, book: Logbook
) -> None:
    book.add()
    book.lists("work", logged=False)
    assert seen(ledger, "id", START, account="work") == []
    assert seen(ledger, "id", START + MINUTE, account="work") == [1]


def test_counters_are_those_of_the_last_day_on_which_one_changed(
    ledger: Ledger, book: Logbook
) -> None:
    book.add(stargazers_count=1, size=5)
    book.change(stargazers_count=2)
    book.now += 3 * DAY
    book.change(stargazers_count=9)
    midnight = (book.now + DAY).replace(hour=0, minute=0)
    book.now = midnight
    book.change(size=None)
    expected = [
        (START, 2, 5),
        (START + 2 * DAY, 2, 5),
        (before(midnight), 9, 5),
        (midnight, 9, None),
        (midnight + 99 * DAY, 9, None),
    ]
    for moment, stars, size in expected:
        (row,) = ledger.repos(as_of=moment)
        assert (row["stargazers_count"], row["size"]) == (stars, size)
    assert seen(ledger, "forks_count", midnight) == [None]


def test_the_time_of_the_last_change_is_unknown_if_that_came_later(
    ledger: Ledger, book: Logbook
) -> None:
    book.add()
    book.change(description="x")
    changed = book.now - MINUTE
    assert seen(ledger, "changed_at", START) == [None]
    assert seen(ledger, "changed_at", changed) == [changed]


def test_changes_are_undone_in_their_order_though_the_clock_was_set_back(
    ledger: Ledger, book: Logbook
) -> None:
    book.add(description="a")
    for text, hours in [("b", 3), ("c", 1), ("d", 2)]:
        book.now = START + timedelta(hours=hours)
        book.change(description=text)
    assert seen(ledger, "description", START) == ["a"]


def test_when_github_updated_a_repository_is_told_by_the_day_and_logged_no_more(
    store: Store, clock: HandClock, run: Run, ledger: Ledger
) -> None:
    updates = ["2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", "2026-02-03T00:00:00Z"]
    for stars, moment in enumerate(updates):
        store_page(store, run, repository(1, stargazers_count=stars, updated_at=moment))
        clock.advance(days=1)
    told = [seen(ledger, "updated_at", START + number * DAY) for number in range(3)]
    assert [as_text(moment) for (moment,) in told] == updates
    assert [row["field"] for row in ledger.changes()] == ["created"]
