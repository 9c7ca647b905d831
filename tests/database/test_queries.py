"""What the ledger answers: repositories, changes, history, status."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.database import HOST, START, HandClock, execute, repository, store_page
from tests.support.inside.core import NoSuchRepository
from tests.support.inside.database import (
    REPOSITORY_COLUMNS,
    RESOURCES_ONLY,
    Ledger,
    RunCounts,
    filled_forward,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.support.inside.database import Run, Store

DAY = START.date()


@pytest.fixture
def filled(store: Store, ledger: Ledger, run: Run) -> Ledger:
    """Return a ledger of four repositories that are there and one that is not."""
    store_page(
        store,
        run,
        repository(1, "octo/Alpha", topics=["sql"], stargazers_count=5, size=9),
        repository(2, "octo/beta", language="Rust", stargazers_count=50, topics=["sql-lite"]),
        repository(3, "Corp/gamma_x", archived=True, stargazers_count=None, topics=[]),
        repository(5, "octo/gone"),
    )
    work = store.start_run("work", HOST, "backfill")
    store_page(
        store,
        work,
        repository(3, "Corp/gamma_x", archived=True, stargazers_count=None, topics=[]),
        repository(4, "corp/delta", fork=True, language=None, topics=None),
    )
    execute(store.url, "UPDATE repositories SET removed_at = '2026-03-02 00:00:00' WHERE id = 5")
    execute(
        store.url,
        "UPDATE account_repositories SET gone_at = '2026-03-02 00:00:00' "
        "WHERE repository_id IN (1, 5)",
    )
    return ledger


def ids(ledger: Ledger, **filters: Any) -> list[int]:
    return [row["id"] for row in ledger.repos(**filters)]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, {1, 2, 3, 4}),
        ({"account": "me"}, {2, 3}),
        ({"account": "work"}, {3, 4}),
        ({"account": "nobody"}, set()),
        ({"owner": "CORP"}, {3, 4}),
        ({"language": "rust"}, {2}),
        ({"topic": "sql"}, {1}),
        ({"topic": "SQL-LITE"}, {2}),
        ({"name": "ALPHA"}, {1}),
        ({"name": "octo/"}, {1, 2}),
        ({"name": "a_x"}, {3}),
        ({"name": "_"}, {3}),
        ({"name": "%"}, set()),
        ({"archived": True}, {3}),
        ({"archived": False}, {1, 2, 4}),
        ({"fork": True}, {4}),
        ({"fork": False}, {1, 2, 3}),
        ({"removed": True}, {5}),
        ({"removed": True, "account": "me"}, {5}),
        ({"removed": True, "account": "work"}, set()),
        ({"owner": "octo", "language": "python"}, {1}),
    ],
)
def test_repositories_are_found_by(
    filled: Ledger, filters: dict[str, Any], found: set[int]
) -> None:
    assert set(ids(filled, **filters)) == found


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ({"sort": "full_name"}, [3, 4, 1, 2]),
        ({"sort": "stargazers_count"}, [1, 4, 2, 3]),
        ({"sort": "stargazers_count", "descending": True}, [2, 4, 1, 3]),
        ({"sort": "stargazers_count", "descending": True, "limit": 2}, [2, 4]),
        ({"sort": "size", "limit": 3}, [1, 2, 3]),
        ({"sort": "created_at", "descending": True}, [1, 2, 3, 4]),
    ],
)
def test_repositories_come_in_the_order_asked_for_with_unknown_values_last(
    filled: Ledger, order: dict[str, Any], found: list[int]
) -> None:
    assert ids(filled, **order) == found


def test_a_repository_is_shown_with_everything_but_its_payload(filled: Ledger) -> None:
    row = next(iter(filled.repos(name="alpha")))
    assert tuple(row) == REPOSITORY_COLUMNS
    assert (row["full_name"], row["topics"], row["first_seen_at"]) == ("octo/Alpha", ["sql"], START)


@pytest.fixture
def renamed(store: Store, ledger: Ledger, run: Run, clock: HandClock) -> Ledger:
    """Return a ledger of a repository that was renamed, and another that took its name."""
    store_page(store, run, repository(1, "octo/old", description="d", html_url="u"))
    clock.advance(days=1)
    store_page(store, run, repository(1, "octo/new", description="d", html_url="u"))
    clock.advance(days=1)
    store_page(store, run, repository(1, "octo/new", description="e", html_url="u"))
    store_page(store, run, repository(2, "octo/other"))
    clock.advance(days=1)
    store_page(store, run, repository(2, "octo/other", description="x"))
    return ledger


def told(ledger: Ledger, **filters: Any) -> list[tuple[Any, ...]]:
    return [
        # What a new repository was like is a test of its own.
        (
            row["repository_id"],
            row["field"],
            None if row["field"] == "created" else row["new_value"],
        )
        for row in ledger.changes(**filters)
    ]


ALL = [
    (2, "description", "x"),
    (2, "created", None),
    (1, "description", "e"),
    (1, "full_name", "octo/new"),
    (1, "name", "new"),
    (1, "created", None),
]
ONE = ALL[2:]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ALL),
        ({"limit": 3}, ALL[:3]),
        ({"since": START + timedelta(days=2)}, ALL[:3]),
        ({"since": START + timedelta(days=2, microseconds=1)}, ALL[:1]),
        ({"fields": ["description"]}, [ALL[0], ALL[2]]),
        ({"repository": "octo/new"}, ONE),
        ({"repository": "OCTO/New"}, ONE),
        ({"repository": "octo/old"}, ONE),
        ({"repository": "OCTO/Old"}, ONE),
        ({"repository": "octo/old", "fields": ["name"]}, [ONE[2]]),
    ],
)
def test_changes_are_told_newest_first_also_by_a_former_name(
    renamed: Ledger, filters: dict[str, Any], found: list[tuple[Any, ...]]
) -> None:
    assert told(renamed, **filters) == found


def test_a_change_is_told_with_its_repositorys_present_name(renamed: Ledger, run: Run) -> None:
    (row,) = renamed.changes(repository="octo/old", fields=["full_name"])
    assert row == {
        "observed_at": START + timedelta(days=1),
        "full_name": "octo/new",
        "change": "changed",
        "field": "full_name",
        "old_value": "octo/old",
        "new_value": "octo/new",
        "host": HOST,
        "repository_id": 1,
        "run_id": run.id,
        "html_url": "u",
    }


def test_a_name_of_any_letters_is_found_as_it_is_written(
    store: Store, ledger: Ledger, run: Run
) -> None:
    store_page(store, run, repository(1, "octo/É"))
    assert told(ledger, repository="octo/É") == [(1, "created", None)]


def test_a_reused_name_tells_of_both_repositories(renamed: Ledger, store: Store, run: Run) -> None:
    store_page(store, run, repository(3, "octo/old"))
    store_page(store, run, repository(3, "octo/old", description="y"))
    assert {id_ for id_, *_ in told(renamed, repository="octo/old")} == {1, 3}


def test_the_history_of_a_reused_name_is_that_of_who_bears_it_now(
    renamed: Ledger, store: Store, run: Run, clock: HandClock
) -> None:
    store_page(store, run, repository(3, "octo/old", stargazers_count=333))
    today = clock.now.date()
    (row,) = renamed.history("octo/old", since=today, until=today)
    assert row["stargazers_count"] == 333


@pytest.mark.parametrize(
    "ask",
    [
        lambda ledger: ledger.changes(repository="octo/nix"),
        lambda ledger: ledger.history("octo/nix", since=DAY, until=DAY),
    ],
    ids=["changes", "history"],
)
def test_an_unknown_name_is_an_error_that_says_where_to_look(
    renamed: Ledger, ask: Callable[[Ledger], Iterable[object]]
) -> None:
    with pytest.raises(NoSuchRepository, match="no repository called octo/nix"):
        list(ask(renamed))


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        (-5, 4, [(0, 10), (1, 10), (2, 10), (3, 13), (4, 13)]),
        (1, 2, [(1, 10), (2, 10)]),
        (3, 3, [(3, 13)]),
        (10, 11, [(10, 13), (11, 13)]),
        (-5, -1, []),
        (2, 1, []),
    ],
)
def test_history_has_each_day_and_a_day_without_a_change_is_like_the_one_before(
    store: Store,
    ledger: Ledger,
    run: Run,
    clock: HandClock,
    since: int,
    until: int,
    found: list[tuple[int, int]],
) -> None:
    store_page(store, run, repository(1, "octo/one", stargazers_count=10))
    clock.advance(days=3)
    store_page(store, run, repository(1, "octo/one", stargazers_count=13))
    history = ledger.history(
        "Octo/ONE", since=DAY + timedelta(days=since), until=DAY + timedelta(days=until)
    )
    assert [(row["day"], row["stargazers_count"]) for row in history] == [
        (DAY + timedelta(days=day), stars) for day, stars in found
    ]


def test_the_history_of_what_was_removed_ends_on_that_day(
    store: Store, ledger: Ledger, run: Run
) -> None:
    store_page(store, run, repository(1, "octo/one", stargazers_count=10))
    execute(store.url, "UPDATE repositories SET removed_at = '2026-03-03 12:00:00'")
    history = ledger.history("octo/one", since=DAY, until=DAY + timedelta(days=9))
    assert [row["day"] for row in history] == [DAY + timedelta(days=n) for n in range(3)]
    assert ledger.removed_on("octo/one") == DAY + timedelta(days=2)


def test_nothing_known_is_filled_forward_as_nothing() -> None:
    assert list(filled_forward([], date(2026, 1, 1), date(2026, 1, 9))) == []


def test_a_ledger_that_was_never_synced_has_no_status(ledger: Ledger) -> None:
    assert ledger.status() == []


def test_a_run_that_reads_resources_alone_is_no_sync_of_its_account(
    store: Store, filled: Ledger
) -> None:
    run = store.start_run("me", HOST, "schedule")
    store.finish_run(run, status="failed", counts=RunCounts(), complete=False)
    before = filled.status()
    reading = store.start_run("me", HOST, RESOURCES_ONLY)
    assert filled.status() == before
    store.finish_run(reading, status="succeeded", counts=RunCounts(), complete=False, lists=False)
    assert filled.status() == before
    assert before[0]["failures"] == 1


def test_status_tells_of_each_account_its_last_run_and_what_it_lists(
    store: Store, filled: Ledger, clock: HandClock
) -> None:
    clock.advance(hours=1)
    run = store.start_run("me", HOST, "schedule")
    store.note_identity(run, user_id=7, login="octo")
    store.finish_run(
        run,
        status="deferred",
        counts=RunCounts(pages=3, requests=4, not_modified=1, unchanged=2),
        complete=False,
        rate_limit_remaining=17,
        not_before=START + timedelta(hours=2),
    )
    me, work = filled.status()
    assert me == {
        "account": "me",
        "login": "octo",
        "user_id": 7,
        "host": HOST,
        "last_synced_at": None,
        "not_before": START + timedelta(hours=2),
        "next_run_at": None,
        "repositories": 2,
        "elsewhere": 0,
        "failures": 0,
        "deferrals": 1,
        "run_id": run.id,
        "status": "deferred",
        "trigger": "schedule",
        "started_at": START + timedelta(hours=1),
        "finished_at": START + timedelta(hours=1),
        "pages": 3,
        "pages_expected": None,
        "requests": 4,
        "not_modified": 1,
        "inserted": 0,
        "updated": 0,
        "unchanged": 2,
        "removed": 0,
        "restored": 0,
        "withheld": 0,
        "rejected": 0,
        "rate_limit_remaining": 17,
        "error_type": None,
        "error_message": None,
    }
    assert (work["account"], work["status"], work["repositories"]) == ("work", "running", 2)
