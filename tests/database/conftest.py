"""Which database the tests run against, and a ledger in it.

`database_url` is the one place that knows: whoever adds a database adds it here.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from sync.database import migrate
from sync.database.queries import Ledger
from sync.database.store import Store
from tests.support.database import HOST, HandClock
from tests.support.servers import KINDS, databases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sync.database.rows import Run


@pytest.fixture(params=KINDS)
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Yield what makes databases of this test's own that hold nothing yet, by their URLs."""
    with databases(request.param, tmp_path) as make:
        yield make


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """Return the URL of a database of this test's own that holds nothing yet."""
    return new_database()


@pytest.fixture(scope="session")
def new_sqlite_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a ledger without rows, to be copied: quicker than to migrate."""
    file = tmp_path_factory.mktemp("new") / "ledger.db"
    migrate.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def ledger_url(database_url: str, new_sqlite_ledger: Path) -> str:
    """Return the URL of a ledger without rows."""
    if database_url.startswith("sqlite:"):
        shutil.copyfile(new_sqlite_ledger, database_url.removeprefix("sqlite:///"))
    else:
        migrate.upgrade(database_url)
    return database_url


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(ledger_url: str, clock: HandClock) -> Iterator[Store]:
    with Store(ledger_url, clock=clock) as opened:
        yield opened


@pytest.fixture
def run(store: Store) -> Run:
    """Return a run of the account "me" that has just begun."""
    return store.start_run("me", HOST, "backfill")


@pytest.fixture
def ledger(store: Store) -> Iterator[Ledger]:
    """Yield the reading side of what `store` writes."""
    with Ledger(store.url) as opened:
        yield opened
