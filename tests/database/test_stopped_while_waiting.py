"""Waiting for others on a server: as long as it takes, but not longer than one is asked to stop."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.support.backfills import PATIENCE, Backfill, wait_patiently, waiting_sessions
from tests.support.database import HOST, recorded_statements, repository, store_page, users_engine
from tests.support.database_processes import hangs_in_migration, spawned
from tests.support.inside.core import Interrupted
from tests.support.inside.database import VERSION_TABLE, Store, migrate
from tests.support.runs import fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sync.sandbox import Sandbox

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),  # a busy machine starts processes slowly
    pytest.mark.parametrize("new_database", ["postgresql", "mysql"], indirect=True),
]
SOON = 30  # seconds: others are waited for a minute and more, a busy machine needs less


@contextmanager
def pages_held_up(url: str) -> Iterator[None]:
    """Hold what every page has to lock first, as a page does that is being written."""
    with users_engine(url) as engine, engine.begin() as other:
        other.execute(text(f"SELECT * FROM {VERSION_TABLE} FOR UPDATE"))
        yield


def test_a_backfill_that_waits_for_anothers_page_ends_soon_after_a_signal(
    github: Sandbox, tmp_path: Path, ledger_url: str
) -> None:
    fill(github, 1)
    with pages_held_up(ledger_url):
        backfill = Backfill(github, tmp_path, ledger_url)
        wait_patiently(lambda: waiting_sessions(ledger_url))
        backfill.process.send_signal(signal.SIGINT)
        ended = backfill.end(SOON)
    assert ended.code == 130, ended.stderr
    assert ended.traceless


def test_a_page_waits_for_anothers_page_until_that_is_done(ledger_url: str) -> None:
    with Store(ledger_url) as store, ThreadPoolExecutor() as pool:
        run = store.start_run("me", HOST, "backfill")
        with recorded_statements() as seen, pages_held_up(ledger_url):
            stored = pool.submit(store_page, store, run, repository(1))
            asking = f"SELECT version_num FROM {VERSION_TABLE} FOR UPDATE"
            wait_patiently(lambda: sum(asking in sql for sql, _ in seen) > 2)
            assert not stored.done()
        assert stored.result(PATIENCE).counts == (1, 0, 0)


def test_a_migration_that_is_told_to_stop_no_longer_waits_for_anothers(database_url: str) -> None:
    stop = threading.Event()
    stop.set()
    with spawned(hangs_in_migration, database_url, "INSERT INTO repoledger_schema") as child:
        assert child.receive() == "hanging"
        with pytest.raises(Interrupted):
            migrate.upgrade(database_url, stop)
        child.send("go on")
        assert child.receive() == "migrated"
