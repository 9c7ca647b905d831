"""Whatever is accepted as a repository is stored, comes back as it was, and is then left alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from msgspec import UNSET
from sqlalchemy import select

from tests.fuzz.checks import check_page
from tests.fuzz.strategies import PAGES, TIMES
from tests.support.database import HOST, HandClock, repository
from tests.support.examples import examples
from tests.support.inside.answers import Page
from tests.support.inside.database import FIELDS, Run, Store, migrate, rejected_items, repositories
from tests.support.inside.github import Item
from tests.support.inside.load import (
    Stored,
    differing,
    hash_items,
    make_plan,
    store_page,
    stored_values,
)
from tests.support.servers import KINDS, databases

KEPT = 65_536  # characters of an item that could not be stored


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Store]]:
    """Yield what gives the ledger of this module in a database of that kind, open."""
    opened: dict[str, Store] = {}
    open_databases = []

    def store(kind: str) -> Store:
        if kind not in opened:
            context = databases(kind, Path(tmp_path_factory.mktemp(kind)))
            url = context.__enter__()()
            open_databases.append(context)
            migrate.upgrade(url)
            opened[kind] = Store(url, clock=HandClock())
        return opened[kind]

    yield store
    for each in opened.values():
        each.close()
    for context in open_databases:
        context.__exit__(None, None, None)


def write(store: Store, run: Run, page: Page) -> Stored:
    return store.transact(run, lambda transaction: store_page(transaction, page, position=0))


def told(item: Item, before: dict[str, Any] | None) -> dict[str, Any]:
    """Return what the ledger should hold of an item: what it tells, else what was there."""
    values = zip(FIELDS, stored_values(item.record), strict=True)
    return {
        field: (before or {}).get(field) if value is UNSET else value for field, value in values
    }


def held(store: Store, run: Run, ids: list[int]) -> dict[int, dict[str, Any]]:
    """Return the rows of these repositories, by their ids."""

    def read(transaction: Any) -> dict[int, dict[str, Any]]:
        query = select(repositories).where(repositories.c.id.in_(ids))
        return {row.id: dict(row._mapping) for row in transaction.connection.execute(query)}

    return store.transact(run, read)


def kept(store: Store, run: Run) -> list[tuple[Any, ...]]:
    """Return what the ledger keeps of the items that a run could not store."""
    row = rejected_items.c
    query = select(row.position, row.reason, row.payload).where(row.run_id == run.id)

    def read(transaction: Any) -> list[tuple[Any, ...]]:
        return [
            tuple(found) for found in transaction.connection.execute(query.order_by(row.position))
        ]

    return store.transact(run, read)


def stored_as_told(store: Store, body: bytes) -> None:
    """Check that all of a page is stored as it says, and that it then counts as stored."""
    page = check_page(body)
    if page is None:  # NaN is no JSON
        return
    run = store.start_run("me", HOST, "test")
    ids = [item.record.id for item in page.items]
    before = held(store, run, ids)
    done = write(store, run, page)
    rejected = [(r.position, r.reason, r.payload and r.payload[:KEPT]) for r in page.rejected]
    assert kept(store, run) == rejected
    assert done.counts.items == page.item_count
    after = held(store, run, ids)
    for item in {item.record.id: item for item in page.items}.values():
        row, id_ = after[item.record.id], item.record.id
        assert {field: row[field] for field in FIELDS} == told(item, before.get(id_))
        if done.writes and id_ in {each.id for each in done.writes}:
            assert row["payload"] == item.payload
    assert nothing_to_write(store, run, page)
    assert write(store, run, page).writes == ()


def nothing_to_write(store: Store, run: Run, page: Page) -> bool:
    """Tell whether planning a page that was just written gives nothing to write."""

    def plan(transaction: Any) -> bool:
        items = hash_items(page.items)
        known = transaction.known([hashed.id for hashed in items])
        stored = transaction.values(differing(items, known))
        again = make_plan(items, known, stored, seen=len(items))
        done = (again.writes, again.joins, again.grants, again.unchanged)
        return done == ((), (), (), len(items))

    return store.transact(run, plan)


EXTREMES = [
    repository(
        1,
        "o/" + "\U0010ffff" * 509,
        name="é" * 255,
        description="\x1b[0m %s :x ' \\ \"\r\n\x7f",
        topics=["", "\u202e", "\\", " "],
        size=2**63 - 1,
        created_at="0001-01-01T00:00:00Z",
        pushed_at="9999-12-31T23:59:59.999999Z",
        parent={"a": [[[[{"b": 2**64}]]]]},
    ),
    *({"id": 20 + n, "name": "n", "full_name": "o/n", "private": False, "pushed_at": time}
      for n, time in enumerate(TIMES)),
]  # fmt: skip


@pytest.mark.matrix("data.nul", "data.large-id", "data.missing-optional", "data.time-offset")
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_at_the_limits_of_a_field_is_stored_on_every_database(
    kind: str, stores: Callable[[str], Store]
) -> None:
    stored_as_told(stores(kind), json.dumps(EXTREMES).encode())


@examples(60)
@given(body=PAGES)
def test_what_is_an_item_is_stored_as_it_was_and_only_once(
    stores: Callable[[str], Store], body: bytes
) -> None:
    stored_as_told(stores("sqlite"), body)


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
@examples(15)
@given(body=PAGES)
def test_servers_store_what_is_an_item_as_it_was_and_only_once(
    stores: Callable[[str], Store], kind: str, body: bytes
) -> None:
    stored_as_told(stores(kind), body)
