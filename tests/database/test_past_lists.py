"""Lists of the past: in the same order, through the same filters, from ledgers of any size."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, event, insert

from tests.support.database import HOST, START, execute, values
from tests.support.inside.database import COUNTERS, repositories
from tests.support.logbook import Logbook, before, logbook

pytestmark = pytest.mark.slow_on_servers

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


def sort_hosts_like_english(url: str) -> None:
    """Have PostgreSQL sort hosts without regard to case and signs, where it can."""
    if url.startswith("postgresql") and values(
        url, "SELECT 1 FROM pg_collation WHERE collname = 'en-x-icu'"
    ):
        english = 'ALTER host TYPE varchar(255) COLLATE "en-x-icu"'
        execute(
            url,
            "DROP VIEW current_repositories, repository_daily, repository_growth",
            "DROP VIEW traffic_daily, star_totals, downloads_daily",
            f"ALTER TABLE repositories {english}",
            f"ALTER TABLE repository_changes {english}",
        )


def test_hosts_of_any_spelling_find_their_own_changes(
    store: Store, ledger: Ledger, book: Logbook
) -> None:
    sort_hosts_like_english(store.url)
    hosts = [
        *("a-b.org", "a.b.org", "ab.org", "AB.org", "Github.com", "github.com", "z.org"),
        *("éa.org", "eb.org", "e\u0301c.org", "\ue000.org", "ｚ.org", "🚀.org", "ß.org", "ss.org"),
    ]
    for host in hosts:
        for id_ in (2, 10):
            book.add(id_, host, description=f"{host} {id_} then")
    then = before(book.now)
    for host in hosts:
        for id_ in (2, 10):
            book.change(id_, host, description="now")
    found = seen(ledger, "description", then)
    assert sorted(found) == sorted(f"{host} {id_} then" for host in hosts for id_ in (2, 10))


@pytest.mark.parametrize("limit", [None, 1, 4, 99])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", ["full_name", "stargazers_count", "pushed_at"])
def test_the_past_is_sorted_and_limited_as_the_present_is(
    ledger: Ledger, book: Logbook, sort: str, descending: bool, limit: int | None
) -> None:
    names = ["a/b", "a/B", "a/é", "a/a", "a/ｚ", "a/🚀", "a/a-b", "a/aa"]
    for id_, name in enumerate(names, start=1):
        pushed = None if id_ % 4 == 0 else START - (id_ % 3) * DAY
        book.add(id_, full_name=name, stargazers_count=(5, None, 7)[id_ % 3], pushed_at=pushed)
    order: dict[str, Any] = {"sort": sort, "descending": descending, "limit": limit}
    assert list(ledger.repos(as_of=book.now, **order)) == list(ledger.repos(**order))


def test_filters_look_at_the_values_of_that_time(ledger: Ledger, book: Logbook) -> None:
    book.add(1, owner_login="octo", language="C", topics=["sql"], archived=False, fork=True)
    then = before(book.now)
    book.change(1, owner_login="corp", language="Go", topics=[], archived=True, fork=False)
    book.change(1, full_name="corp/two")
    then_only: list[dict[str, Any]] = [
        *({"owner": "OCTO"}, {"language": "c"}, {"topic": "sql"}, {"name": "one"}),
        *({"archived": False}, {"fork": True}),
    ]
    for wanted in then_only:
        assert seen(ledger, "id", then, **wanted) == [1]
        assert seen(ledger, "id", book.now, **wanted) == []


def test_a_past_state_is_shown_again_whatever_happened_since(ledger: Ledger, book: Logbook) -> None:
    chance = Random(11)
    shown: dict[datetime, Any] = {}

    def everything(as_of: datetime | None = None) -> list[list[dict[str, Any]]]:
        asked: list[dict[str, Any]] = [
            {},
            {"removed": True},
            {"account": "me"},
            {"account": "work"},
        ]
        lists = ([dict(row) for row in ledger.repos(as_of=as_of, **more)] for more in asked)
        return [[row | {"changed_at": None} for row in found] for found in lists]

    def happen(id_: int, listed: dict[int, set[str]]) -> None:
        account = chance.choice(("me", "work"))
        what = chance.randrange(4)
        if what == 0:
            if account in listed[id_]:
                book.lists_no_more(account, id_=id_)
            else:
                book.lists(account, id_=id_)
            listed[id_] ^= {account}
        elif what == 1:
            gone = book.stored(id_)["removed_at"] is None
            reason = "unlisted" if gone else None
            book.change(id_, removed_at=book.now if gone else None, removal_reason=reason)
        elif what == 2:
            counted: dict[str, Any] = {chance.choice(COUNTERS): chance.randrange(100)}
            book.change(id_, **counted)
        else:
            text = chance.choice((None, "", "a", "b"))
            book.change(id_, description=text, archived=chance.choice((None, True, False)))

    listed: dict[int, set[str]] = {}
    for step in range(60):
        if step % 12 == 0:
            id_ = len(listed) + 1
            book.add(id_, full_name=f"octo/{id_}", stargazers_count=id_)
            listed[id_] = {"me"}
        else:
            happen(chance.choice(list(listed)), listed)
        shown[book.now - MINUTE] = everything()
        book.now += DAY  # a day at most has one value of a counter

    for moment, lists in shown.items():
        assert everything(as_of=moment) == lists


def test_a_long_ledger_takes_no_memory_for_what_is_not_shown(ledger: Ledger, book: Logbook) -> None:
    text = "x" * 4000
    times = {"first_seen_at": START, "changed_at": START}
    row = {"host": HOST, "content_hash": "", "name": "n", "description": text, **times}
    rows = [{**row, "id": id_, "full_name": f"octo/{id_:05}"} for id_ in range(1, 4001)]
    book.connection.execute(insert(repositories), rows)
    for id_ in (1, 2000, 4000):
        book.change(id_, description="now")
    del rows
    tracemalloc.start()
    try:
        found = list(ledger.repos(as_of=START, limit=2, descending=True))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(row["id"], row["description"]) for row in found] == [(4000, text), (3999, text)]
    assert peak < 12_000_000  # the texts alone are 16 MB


def test_changes_made_while_the_past_is_read_are_undone(ledger: Ledger, book: Logbook) -> None:
    book.add(description="then")
    then = before(book.now)
    asked: list[str] = []

    def change_between(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT repositor"):
            asked.append(statement)
            if len(asked) == 2:
                book.change(description="now")

    event.listen(Engine, "before_cursor_execute", change_between)
    try:
        found = seen(ledger, "description", then)
    finally:
        event.remove(Engine, "before_cursor_execute", change_between)
    assert len(asked) >= 2
    assert found == ["then"]
    assert seen(ledger, "description", book.now) == ["now"]
