"""What the tests of the ledger share: objects as GitHub gives them, pages, a user's view of it.

Nothing here knows which database is behind a URL.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Engine, Executable, NullPool, create_engine, event, select, text

from sync.database.store import Store
from sync.database.tables import metadata
from sync.database.writes import Rejection, Run
from sync.forges.records import Item, decode_item
from sync.load.page import store_items

HOST = "github.com"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

Json = dict[str, Any]


class HandClock:
    """A clock that stands still until it is set."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> None:
        self.now += timedelta(**amount)


# Repositories and pages


def repository(id_: int = 1, full_name: str = "octo/one", **fields: Any) -> Json:
    """Return a repository as a listing gives it."""
    owner, name = full_name.split("/")
    return {
        "id": id_,
        "node_id": f"R_{id_}",
        "name": name,
        "full_name": full_name,
        "private": False,
        "owner": {"id": 7, "login": owner, "type": "User"},
        "html_url": f"https://github.com/{full_name}",
        "description": f"about {name}",
        "language": "Python",
        "license": {"spdx_id": "MIT"},
        "topics": ["sql"],
        "visibility": "public",
        "fork": False,
        "archived": False,
        "stargazers_count": 10,
        "watchers_count": 10,
        "forks_count": 2,
        "open_issues_count": 1,
        "size": 100,
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2026-02-01T00:00:00Z",
        "pushed_at": "2026-02-02T03:04:05Z",
        **fields,
    }


def decoded(*objects: Json) -> tuple[Item, ...]:
    """Return the items of valid repository objects."""
    items = []
    for position, fields in enumerate(objects):
        item = decode_item(json.dumps(fields).encode(), position)
        if not isinstance(item, Item):
            raise TypeError(f"not a valid repository: {item.reason}")
        items.append(item)
    return tuple(items)


class Done(NamedTuple):
    """What became of a page: how many were inserted, updated, unchanged; what was rejected."""

    counts: tuple[int, int, int]
    rejections: tuple[Rejection, ...]


def store_page(store: Store, run: Run, *objects: Json) -> Done:
    """Store a page of repositories in one transaction, the way a run does."""
    items = decoded(*objects)
    stored = store.transact(run, lambda opened: store_items(opened, items, position=0))
    counts = stored.counts
    return Done((counts.inserted, counts.updated, counts.unchanged), stored.rejections)


# The database as its user sees it


@contextmanager
def users_engine(url: str) -> Iterator[Engine]:
    """Yield an engine that knows nothing of the program."""
    engine = create_engine(url, poolclass=NullPool)
    try:
        yield engine
    finally:
        engine.dispose()


def execute(url: str, *statements: str | Executable) -> None:
    """Do what the user of a database does to it by hand."""
    with users_engine(url) as engine, engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement) if isinstance(statement, str) else statement)


def rows(url: str, query: str | Executable) -> list[Json]:
    """Return the rows of a query, each as a dict."""
    statement = text(query) if isinstance(query, str) else query
    with users_engine(url) as engine, engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(statement)]


def values(url: str, query: str | Executable) -> list[tuple[Any, ...]]:
    """Return the rows of a query, each as a tuple."""
    return [tuple(row.values()) for row in rows(url, query)]


def snapshot(url: str) -> dict[str, list[Json]]:
    """Return every row of every table of the ledger."""
    return {
        name: rows(url, select(table).order_by(*table.primary_key))
        for name, table in metadata.tables.items()
    }


@contextmanager
def recorded_statements() -> Iterator[list[tuple[str, Any]]]:
    """Yield a list that fills with the statements sent to any database, and their parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)
