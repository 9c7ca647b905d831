"""Rows that the database refuses, and what is remembered of pages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import make_url, select

from tests.support.database import (
    HOST,
    START,
    HandClock,
    execute,
    repository,
    rows,
    snapshot,
    store_page,
    values,
)
from tests.support.inside.database import (
    PageEntry,
    Rejection,
    RunCounts,
    page_cache,
    rejected_items,
)

if TYPE_CHECKING:
    from tests.support.inside.database import Run, Store

# A user's own rule, on each table that a repository is written to.
POISON = {
    "sqlite": (
        """CREATE TRIGGER my_rule BEFORE {event} ON {table} WHEN {condition}
        BEGIN SELECT RAISE(ABORT, 'thirteen is unlucky'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION my_rule() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'thirteen is unlucky'; END $$""",
        """CREATE TRIGGER my_rule BEFORE {event} ON {table} FOR EACH ROW WHEN ({condition})
        EXECUTE FUNCTION my_rule()""",
    ),
    "mysql": (
        """CREATE TRIGGER my_rule BEFORE {event} ON {table} FOR EACH ROW
        IF {condition} THEN SIGNAL SQLSTATE '45000'
        SET MESSAGE_TEXT = 'thirteen is unlucky'; END IF""",
    ),
}


def poison(url: str, table: str, event: str = "INSERT", condition: str = "") -> None:
    column = "id" if table == "repositories" else "repository_id"
    rule = {"event": event, "table": table, "condition": condition or f"NEW.{column} = 13"}
    execute(url, *(s.format(**rule) for s in POISON[make_url(url).get_backend_name()]))


@pytest.mark.matrix("data.poison")
@pytest.mark.parametrize("table", ["repositories", "repository_metrics", "account_repositories"])
def test_one_poisonous_row_is_refused_alone_and_leaves_nothing_behind(
    store: Store, run: Run, table: str
) -> None:
    poison(store.url, table)
    done = store_page(store, run, *[repository(id_, f"octo/r{id_}") for id_ in (14, 13, 12, 1)])
    assert [(one.position, one.reason) for one in done.rejections] == [
        (1, "id 13: thirteen is unlucky")
    ]
    assert done.counts == (3, 0, 0)
    assert values(store.url, "SELECT id FROM repositories ORDER BY id") == [(1,), (12,), (14,)]
    for name, column in (("account_repositories", "account"), ("repository_metrics", "host")):
        query = f"SELECT repository_id FROM {name} WHERE {column} <> '' ORDER BY repository_id"
        assert values(store.url, query) == [(1,), (12,), (14,)]


@pytest.mark.matrix("data.poison")
def test_a_refused_update_leaves_the_row_and_its_changes_as_they_were(
    store: Store, run: Run
) -> None:
    page = [repository(id_, f"octo/r{id_}") for id_ in (12, 13)]
    store_page(store, run, *page)
    poison(store.url, "repositories", "UPDATE")
    done = store_page(store, run, *[{**fields, "description": "new"} for fields in page])
    assert [one.position for one in done.rejections] == [1]
    assert values(store.url, "SELECT id, description FROM repositories ORDER BY id") == [
        (12, "new"),
        (13, "about r13"),
    ]
    changed = "SELECT repository_id FROM repository_changes WHERE field = 'description'"
    assert values(store.url, changed) == [(12,)]


def test_a_page_of_nothing_but_poison_is_refused_row_by_row(store: Store, run: Run) -> None:
    poison(store.url, "repositories", condition="1 = 1")
    done = store_page(store, run, *[repository(id_, f"octo/r{id_}") for id_ in (1, 2, 3)])
    assert [one.position for one in done.rejections] == [0, 1, 2]
    assert snapshot(store.url)["repositories"] == []


def test_a_refused_row_is_tried_again_with_the_next_run(store: Store, run: Run) -> None:
    poison(store.url, "repositories")
    assert store_page(store, run, repository(13)).rejections
    on = " ON repositories" if store.url.startswith("postgresql") else ""
    execute(store.url, f"DROP TRIGGER my_rule{on}")
    done = store_page(store, run, repository(13))
    assert (done.counts, done.rejections) == ((1, 0, 0), ())


def test_a_rejected_item_is_kept_with_the_reason(store: Store, run: Run) -> None:
    rejections = [
        Rejection(3, "no name", '{"id": 5, "full_name": "🚀"}', 5, "🚀"),
        Rejection(250, "not valid UTF-8", None),
    ]
    store.transact(run, lambda page: page.reject(rejections))
    store.transact(run, lambda page: page.reject([]))
    kept = rows(store.url, select(rejected_items).order_by(rejected_items.c.id))
    assert [(r["run_id"], r["account"]) for r in kept] == [(run.id, "me")] * 2
    told = ("position", "reason", "payload", "repository_id", "full_name", "resource")
    assert [tuple(row[name] for name in told) for row in kept] == [*map(tuple, rejections)]


def test_as_much_as_fits_is_kept_of_what_was_rejected(store: Store, run: Run) -> None:
    store.transact(run, lambda page: page.reject([Rejection(0, "odd", "🚀" * 100_000)]))
    (kept,) = rows(store.url, select(rejected_items.c.payload))
    assert kept["payload"] == "🚀" * 65_536


def met(store: Store, *rejections: Rejection) -> int:
    """Have a run of the account meet items that cannot be stored; return its number."""
    run = store.start_run("me", HOST, "backfill")
    store.transact(run, lambda page: page.reject(rejections))
    return run.id


def test_an_item_that_every_run_meets_is_one_row_with_a_count(
    store: Store, clock: HandClock
) -> None:
    met(store, Rejection(3, "no name", '{"id": 5}', 5), Rejection(4, "odd", "null"))
    clock.advance(hours=1)
    met(store, Rejection(2, "no name", '{"id": 5}', 5), Rejection(3, "odd", "null"))
    clock.advance(hours=1)
    last = met(
        store, Rejection(2, "a word more", '{"id": 5}', 5), Rejection(9, "odd", '{"id": 6}', 6)
    )
    kept = rows(store.url, select(rejected_items).order_by(rejected_items.c.id))
    assert [(row["payload"], row["position"], row["times"]) for row in kept] == [
        ('{"id": 5}', 2, 3),
        ("null", 3, 2),
        ('{"id": 6}', 9, 1),
    ]
    assert (kept[0]["run_id"], kept[0]["reason"]) == (last, "a word more")
    assert kept[0]["last_seen_at"] - kept[0]["first_seen_at"] == timedelta(hours=2)


def test_two_equal_rejected_items_of_a_listing_are_two_rows_in_every_run(store: Store) -> None:
    twice = (Rejection(3, "odd", "{}"), Rejection(4, "odd", "{}"))
    for _ in range(3):
        met(store, *twice)
    kept = rows(store.url, select(rejected_items).order_by(rejected_items.c.id))
    assert [(row["position"], row["times"]) for row in kept] == [(3, 3), (4, 3)]


def test_an_item_that_differs_or_is_of_another_account_is_another_row(store: Store) -> None:
    met(store, Rejection(3, "odd", '{"id": 5}', 5), Rejection(4, "odd", None, 6))
    met(store, Rejection(3, "odd", '{"id": 5, "x": 1}', 5), Rejection(4, "odd", None, 7))
    other = store.start_run("work", HOST, "backfill")
    store.transact(other, lambda page: page.reject([Rejection(3, "odd", '{"id": 5}', 5)]))
    assert [row["times"] for row in rows(store.url, select(rejected_items))] == [1] * 5


# What is remembered of pages

ENTRY = PageEntry(
    "https://api.github.com/user/repos?page=1 v1", '"abc"', (3, 1, 2**53 + 1), 3, None
)


def remember(store: Store, run: Run, *entries: PageEntry) -> None:
    def work(page: Any) -> None:
        for entry in entries:
            page.remember_page(entry)

    store.transact(run, work)


def test_a_page_is_remembered_with_its_etag_and_the_ids_on_it(store: Store, run: Run) -> None:
    remember(store, run, ENTRY)
    kept = {"key": ENTRY.key, "etag": '"abc"', "item_count": 3, "next_url": None}
    assert store.cached_pages("me") == {ENTRY.key: {**kept, "ids": [3, 1, 2**53 + 1]}}
    (row,) = rows(store.url, select(page_cache))
    assert (row["account"], row["ids"], row["stored_at"]) == ("me", [3, 1, 2**53 + 1], START)


def test_a_page_is_remembered_as_it_was_last(store: Store, run: Run, clock: HandClock) -> None:
    remember(store, run, ENTRY)
    clock.advance(hours=1)
    remember(store, run, ENTRY._replace(etag='W/"def"', ids=(4,), item_count=1, next_url="n"))
    (row,) = rows(store.url, select(page_cache))
    assert (row["etag"], row["ids"], row["item_count"], row["next_url"]) == ('W/"def"', [4], 1, "n")
    assert row["stored_at"] == clock.now


def test_two_accounts_remember_pages_of_their_own(store: Store, run: Run) -> None:
    work = store.start_run("work", HOST, "backfill")
    remember(store, run, ENTRY)
    remember(store, work, ENTRY._replace(etag='"theirs"'))
    store.transact(run, lambda page: page.forget_page(ENTRY.key))
    assert store.cached_pages("me") == {}
    assert store.cached_pages("work")[ENTRY.key]["etag"] == '"theirs"'


def test_a_page_that_is_forgotten_is_forgotten_alone(store: Store, run: Run) -> None:
    remember(store, run, ENTRY, ENTRY._replace(key="other"))
    store.transact(run, lambda page: page.forget_page(ENTRY.key))
    store.transact(run, lambda page: page.forget_page("never remembered"))
    assert list(store.cached_pages("me")) == ["other"]


def test_a_complete_run_forgets_the_pages_that_it_did_not_visit(store: Store, run: Run) -> None:
    work = store.start_run("work", HOST, "backfill")
    remember(store, work, ENTRY._replace(key="theirs"))
    remember(store, run, *(ENTRY._replace(key=key) for key in ("a", "b", "c")))
    store.finish_run(
        run, status="succeeded", counts=RunCounts(), complete=True, keep_pages=["b", "new"]
    )
    assert list(store.cached_pages("me")) == ["b"]
    assert list(store.cached_pages("work")) == ["theirs"]


def test_an_incomplete_run_keeps_every_page(store: Store, run: Run) -> None:
    remember(store, run, *(ENTRY._replace(key=key) for key in ("a", "b")))
    store.finish_run(run, status="failed", counts=RunCounts(), complete=False)
    assert sorted(store.cached_pages("me")) == ["a", "b"]
