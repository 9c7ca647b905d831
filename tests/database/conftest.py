"""A ledger whose clock is set by hand, and a run of it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.database import HOST, HandClock
from tests.support.inside.database import Ledger, Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.inside.database import Run


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


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Yield a folder whose path leaves room for a socket's name."""
    with tempfile.TemporaryDirectory(prefix="repoledger-") as name:
        yield Path(name)
