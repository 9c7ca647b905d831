"""Names come in one order, whatever language the database sorts by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.database import HOST, execute, repository, store_page, values

if TYPE_CHECKING:
    from tests.support.inside.database import Ledger, Run, Store

# Languages have other orders: without regard to case, to signs, or to accents.
NAMES = ["a/B", "a/a", "a/a-b", "a/a.c", "a/a_a", "a/aa", "a/b", "a-b/a", "B/a", "ab/a", "é/a"]


def sort_like_english(url: str) -> None:
    """Have a server's columns sorted as those of a database that was made for a language."""
    if url.startswith("postgresql") and values(
        url, "SELECT 1 FROM pg_collation WHERE collname = 'en-x-icu'"
    ):
        execute(
            url,
            "DROP VIEW current_repositories, repository_daily, repository_growth",
            "DROP VIEW traffic_daily, star_totals, downloads_daily",
            'ALTER TABLE repositories ALTER full_name TYPE varchar(512) COLLATE "en-x-icu"',
            'ALTER TABLE accounts ALTER name TYPE varchar(64) COLLATE "en-x-icu"',
        )


def test_names_are_sorted_the_same_whatever_the_database_is(
    store: Store, ledger: Ledger, run: Run
) -> None:
    sort_like_english(store.url)
    found = [repository(id_, name) for id_, name in enumerate(NAMES, start=1)]
    store_page(store, run, *found)
    for account in ("ab", "a-b", "a_c", "B"):
        store.start_run(account, HOST, "backfill")
    assert [row["full_name"] for row in ledger.repos()] == sorted(NAMES)
    backwards = ledger.repos(sort="full_name", descending=True)
    assert [row["full_name"] for row in backwards] == sorted(NAMES, reverse=True)
    assert [row["account"] for row in ledger.status()] == ["B", "a-b", "a_c", "ab", "me"]
