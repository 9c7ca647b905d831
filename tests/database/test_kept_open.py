"""A ledger that a daemon keeps open: asked at every heartbeat, for years, on one connection."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Pool, event, insert

from tests.support.database import HOST, snapshot, users_engine
from tests.support.inside.core import DatabaseError, SchemaMissing
from tests.support.inside.database import (
    Ledger,
    RunCounts,
    RunStatus,
    Store,
    migrate,
    standing,
    sync_runs,
)
from tests.support.places import Place
from tests.support.secured_servers import secured

pytestmark = pytest.mark.slow_on_servers


@contextmanager
def connections() -> Iterator[list[Any]]:
    """Yield the connections that are made to any database while the block runs."""
    made: list[Any] = []

    def note(connection: Any, _record: Any) -> None:
        made.append(connection)

    event.listen(Pool, "connect", note)
    yield made
    event.remove(Pool, "connect", note)


def add_runs(store: Store, number: int, *endings: RunStatus) -> None:
    """Record so many runs of each of two accounts, ending as `endings` do, again and again."""
    accounts = ("me", "you")
    for account in accounts:
        store.start_run(account, HOST, "schedule")
        store.interrupt_stale_run(account)
    ended = {"trigger": "schedule", "complete": False, "started_at": store.clock()}
    with users_engine(store.url) as engine, engine.begin() as connection:
        connection.execute(
            insert(sync_runs),
            [
                {
                    "account": a,
                    "status": endings[n % len(endings)],
                    **ended,
                    **RunCounts().as_dict(),
                }
                for n in range(number)
                for a in accounts
            ],
        )


def test_an_open_ledger_needs_one_connection_however_often_it_is_asked(store: Store) -> None:
    with connections() as made, Ledger(store.url) as ledger:
        for _ in range(5):
            ledger.status(counted=False)
            ledger.require_current()
    assert len(made) == 1


def test_failures_are_counted_up_to_a_limit(store: Store, ledger: Ledger) -> None:
    add_runs(store, 250, "succeeded")
    assert [row["failures"] for row in ledger.status()] == [0, 0]
    add_runs(store, 60, "failed", "deferred", "interrupted")
    assert [(row["failures"], row["deferrals"]) for row in ledger.status()] == [(20, 20)] * 2
    add_runs(store, 250, "failed")
    assert [(row["failures"], row["deferrals"]) for row in ledger.status()] == [(100, 0)] * 2


def read_so_far(connection: Connection) -> Callable[[], int]:
    """Return what tells how many rows, or steps of SQLite's, `connection` has read so far."""
    if connection.dialect.name == "sqlite":
        steps: list[None] = []
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(lambda: steps.append(None), 10)
        return lambda: len(steps)
    if connection.dialect.name == "mysql":
        return lambda: sum(
            int(value)
            for name, value in connection.exec_driver_sql("SHOW SESSION STATUS").all()
            if name.startswith("Handler_read")
        )
    query = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
    return lambda: int(connection.exec_driver_sql(query).scalar_one())


@pytest.mark.parametrize("ending", ["failed", "succeeded"])
def test_the_queries_of_a_heartbeat_read_no_more_rows_each_year(
    store: Store, ledger: Ledger, ending: RunStatus
) -> None:
    add_runs(store, 4000, ending)
    with users_engine(store.url) as engine, engine.begin() as connection:
        if engine.dialect.name != "sqlite":
            connection.exec_driver_sql(
                "ANALYZE sync_runs"
                if engine.dialect.name == "postgresql"
                else "ANALYZE TABLE sync_runs"
            )
    with ledger.connect() as connection:
        read = read_so_far(connection)
        before = read()
        assert len(standing(connection, ledger.dialect, counted=False)) == 2
        assert read() - before < 1500


# Whether it can be written


def test_to_look_whether_it_can_be_written_changes_nothing(store: Store) -> None:
    add_runs(store, 1, "succeeded")
    before = snapshot(store.url)
    store.require_writable(1.0)
    assert snapshot(store.url) == before


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_user_who_may_only_read_cannot_write_it(kind: str) -> None:
    place = Place(secured(kind))
    migrate.upgrade(place.url(place.owner))
    what = "ALL TABLES IN SCHEMA public" if kind == "postgresql" else f"{place.database}.*"
    place.execute(f"GRANT SELECT ON {what} TO {place.other}")
    url = place.url(place.other)
    with Ledger(url) as ledger, Store(url) as store:
        ledger.status()
        with pytest.raises(DatabaseError, match="denied"):
            store.require_writable(1.0)


# A file that is not the same any more


def test_a_file_that_took_the_place_of_the_other_is_read(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path / name}" for name in ("ledger.db", "other.db")]
    for url in urls:
        migrate.upgrade(url)
    with Store(urls[1]) as store:
        add_runs(store, 1, "succeeded")
    with Ledger(urls[0]) as ledger:
        assert ledger.status() == []
        os.replace(tmp_path / "other.db", tmp_path / "ledger.db")  # noqa: PTH105  # atomic
        assert [row["account"] for row in ledger.status()] == ["me", "you"]
        (tmp_path / "ledger.db").unlink()
        with pytest.raises(SchemaMissing):
            ledger.require_current()
        with pytest.raises(DatabaseError, match="unable to open"):
            ledger.status()
        migrate.upgrade(urls[0])
        assert ledger.status() == []
