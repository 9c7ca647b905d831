"""Whether an account may push to a repository is kept for each account, as its pages say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.database import HOST, HandClock, Json, execute, repository, snapshot, store_page
from tests.support.ledger import rows

if TYPE_CHECKING:
    from tests.support.inside.database import Run, Store

WRITES = {"push": True, "pull": True}
READS = {"push": False, "pull": True}


def pushes(store: Store) -> list[tuple[Any, ...]]:
    query = "SELECT account, repository_id, push FROM account_repositories WHERE gone_at IS NULL"
    return rows(store.url, f"{query} ORDER BY account, repository_id")


def test_a_new_repository_is_stored_with_what_its_page_says(store: Store, run: Run) -> None:
    page = [
        repository(1, "octo/one", permissions=WRITES),
        repository(2, "octo/two", permissions=READS),
        repository(3, "octo/three"),
    ]
    store_page(store, run, *page)
    assert pushes(store) == [("me", 1, True), ("me", 2, False), ("me", 3, None)]


def test_a_right_that_is_granted_and_taken_away_changes_the_membership_alone(
    store: Store, run: Run, clock: HandClock
) -> None:
    store_page(store, run, repository(1, "octo/one"), repository(2, "octo/two"))
    before = snapshot(store.url)
    for permissions in (READS, WRITES, READS):
        clock.advance(hours=1)
        page = repository(1, "octo/one", permissions=permissions), repository(2, "octo/two")
        assert store_page(store, run, *page).counts == (0, 0, 2)
        assert pushes(store) == [("me", 1, permissions["push"]), ("me", 2, None)]
        member, *others = snapshot(store.url)["account_repositories"]
        stored = [{**member, "push": None}, *others]
        assert {**snapshot(store.url), "account_repositories": stored} == before


def test_a_page_that_says_the_same_again_writes_nothing(
    store: Store, run: Run, clock: HandClock
) -> None:
    page = [repository(id_, f"octo/r{id_}", permissions=WRITES) for id_ in (1, 2)]
    store_page(store, run, *page)
    before = snapshot(store.url)
    clock.advance(days=1)
    store_page(store, run, *page)
    assert snapshot(store.url) == before


@pytest.mark.parametrize("fields", [{}, {"description": "changed too"}], ids=["same", "changed"])
@pytest.mark.parametrize("silent", [{}, {"permissions": {"pull": True}}], ids=["none", "no push"])
def test_a_page_that_does_not_say_it_leaves_what_is_stored(
    store: Store, run: Run, fields: Json, silent: Json
) -> None:
    store_page(store, run, repository(1, permissions=WRITES))
    store_page(store, run, repository(1, **fields, **silent))
    assert pushes(store) == [("me", 1, True)]


def test_a_right_changes_along_with_the_repository(store: Store, run: Run) -> None:
    store_page(store, run, repository(1, permissions=WRITES))
    changed = repository(1, permissions=READS, description="changed too")
    assert store_page(store, run, changed).counts == (0, 1, 0)
    assert pushes(store) == [("me", 1, False)]


def test_accounts_that_list_one_repository_have_rights_of_their_own(store: Store, run: Run) -> None:
    store_page(store, run, repository(1, permissions=WRITES))
    work = store.start_run("work", HOST, "backfill")
    store_page(store, work, repository(1, permissions=READS))
    assert pushes(store) == [("me", 1, True), ("work", 1, False)]
    store_page(store, run, repository(1, permissions=READS, description="changed"))
    store_page(store, work, repository(1, permissions=WRITES, description="changed"))
    assert pushes(store) == [("me", 1, False), ("work", 1, True)]


@pytest.mark.parametrize("fields", [{}, {"description": "changed too"}], ids=["same", "changed"])
@pytest.mark.parametrize(
    ("said", "push"),
    [({}, True), ({"permissions": READS}, False)],
    ids=["nothing said", "taken away"],
)
def test_a_repository_that_is_listed_again_has_the_right_that_was_last_said(
    store: Store, run: Run, fields: Json, said: Json, push: bool
) -> None:
    store_page(store, run, repository(1, permissions=WRITES))
    execute(store.url, "UPDATE account_repositories SET gone_at = '2026-03-01 12:30:00'")
    store_page(store, run, repository(1, **fields, **said))
    assert pushes(store) == [("me", 1, push)]
