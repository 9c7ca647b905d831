"""A ledger moves from one database to another with every row, and two can be compared."""

from __future__ import annotations

import shutil
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.children import add_children
from tests.support.database import HOST, execute, repository, snapshot, store_page, values
from tests.support.inside.core import DatabaseError, DatabaseUnusable, Interrupted, SchemaOutdated
from tests.support.inside.database import (
    VERSION_TABLE,
    Comparison,
    Copied,
    PageEntry,
    Rejection,
    RunCounts,
    Store,
    compare,
    copy,
    migrate,
)
from tests.support.inside.database import snapshot as opened
from tests.support.servers import KINDS, databases

pytestmark = pytest.mark.slow_on_servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.database import HandClock

ROWS = 510  # more than are written at a time


@pytest.fixture(
    params=["sqlite", *(pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS[1:])]
)
def target_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of a database, of each kind, that holds nothing yet."""
    with databases(request.param, tmp_path) as make:
        yield make()


@pytest.fixture
def source_url(new_sqlite_ledger: Path, tmp_path: Path, clock: HandClock) -> str:
    """Return the URL of a SQLite ledger with rows in every table, and odd values in them."""
    file = tmp_path / "source.db"
    shutil.copyfile(new_sqlite_ledger, file)
    fill(f"sqlite:///{file}", clock)
    return f"sqlite:///{file}"


def fill(ledger_url: str, clock: HandClock) -> None:
    """Write rows into every table of a ledger, and odd values into them."""
    odd = {"description": 'a\\b "c" \N{GRINNING FACE}\n\u0301', "homepage": "", "language": None}
    with Store(ledger_url, clock=clock) as store:
        run = store.start_run("me", HOST, "backfill")
        store_page(store, run, repository(2**63 - 1, "octo/Last", **odd))
        store_page(store, run, repository(1, "octo/last", topics=[], stargazers_count=2**53 + 1))
        store_page(store, run, *(repository(n, f"octo/r{n}") for n in range(10, 10 + ROWS)))
        clock.now += timedelta(days=1, microseconds=1)
        store_page(store, run, repository(1, "octo/renamed", stargazers_count=5, archived=True))
        entry = PageEntry("1 abc http://x/?a=%25&b='", '"etag"', (1, 2**63 - 1), 2, None)
        store.transact(run, lambda page: page.remember_page(entry))
        store.transact(run, lambda page: page.reject([Rejection(3, "no id", '{"id": null}')]))
        store.transact(run, lambda page: page.note_departure(1))
        counts = RunCounts(pages=3, inserted=ROWS, wait_seconds=123456.789)
        store.finish_run(run, status="partial", counts=counts, complete=True)
        store.start_run("other-one", HOST, "schedule")
    add_children(ledger_url)


def copied(source: str, target: str, stop: threading.Event | None = None) -> dict[str, Copied]:
    stop = stop or threading.Event()
    with opened(source, stop) as ledger:
        return {each.table: each for each in copy(ledger, target, stop)}


def compared(here: str, there: str) -> dict[str, Comparison]:
    stop = threading.Event()
    with opened(here, stop) as mine, opened(there, stop) as other:
        return {each.table: each for each in compare(mine, other)}


def differing(here: str, there: str) -> set[str]:
    return {name for name, each in compared(here, there).items() if not each.identical}


def test_a_copy_has_every_row_of_every_table_and_counts_what_it_wrote(
    ledger_url: str, target_url: str, clock: HandClock
) -> None:
    source_url = ledger_url  # of each kind: from every database to every other
    fill(source_url, clock)
    done = copied(source_url, target_url)
    assert snapshot(target_url) == snapshot(source_url)
    rows = {name: len(found) for name, found in snapshot(source_url).items()}
    assert all(rows.values())
    assert {name: each.rows for name, each in done.items()} == rows
    assert {name: each.written for name, each in done.items()} == rows
    for name, each in compared(source_url, target_url).items():
        assert each.identical
        assert (each.rows_here, each.rows_there) == (rows[name], rows[name])


def test_a_second_copy_writes_only_what_has_changed_since(target_url: str, source_url: str) -> None:
    copied(source_url, target_url)
    execute(
        source_url,
        "UPDATE repositories SET description = 'newer' WHERE id = 12",
        "DELETE FROM account_repositories WHERE repository_id = 13",
        "DELETE FROM repository_changes WHERE repository_id = 13",
        "DELETE FROM repository_metrics WHERE repository_id = 13",
        "DELETE FROM repositories WHERE id = 13",
        "DELETE FROM page_cache",
    )
    done = copied(source_url, target_url).values()
    assert {each.table: each.written for each in done if each.written} == {"repositories": 1}
    assert {each.table: each.deleted for each in done if each.deleted} == {
        "repositories": 1,
        "account_repositories": 1,
        "repository_changes": 1,
        "repository_metrics": 1,
        "page_cache": 1,
    }
    assert snapshot(target_url) == snapshot(source_url)


@pytest.mark.parametrize("reads", range(5))
def test_a_copy_that_was_stopped_goes_on_where_it_was(
    target_url: str, source_url: str, reads: int
) -> None:
    stop = threading.Event()
    left = reads

    def count(_: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            stop.set()

    with opened(source_url, stop) as ledger:
        ledger.on_rows = count
        with pytest.raises(Interrupted):
            copy(ledger, target_url, stop)
    kept = sum(map(len, snapshot(target_url).values()))
    everything = sum(map(len, snapshot(source_url).values()))
    again = copied(source_url, target_url)
    assert sum(each.written for each in again.values()) == everything - kept
    assert differing(source_url, target_url) == set()


def test_a_copied_ledger_is_synced_into_like_the_first(
    source_url: str, target_url: str, clock: HandClock
) -> None:
    copied(source_url, target_url)
    with Store(target_url, clock=clock) as store:
        run = store.start_run("other-one", HOST, "schedule")
        store_page(store, run, repository(5, "octo/new"), repository(1, "octo/again"))
        store.transact(run, lambda page: page.reject([Rejection(0, "odd", "{}")]))
    runs = values(target_url, "SELECT id, status FROM sync_runs ORDER BY id")
    assert runs == [(1, "partial"), (2, "interrupted"), (3, "running")]
    assert values(target_url, "SELECT count(*) FROM rejected_items") == [(2,)]


def test_a_database_with_a_ledger_of_its_own_is_left_as_it_is(
    source_url: str, target_url: str, clock: HandClock
) -> None:
    migrate.upgrade(target_url)
    clock.advance(seconds=1)
    with Store(target_url, clock=clock) as store:
        store_page(store, store.start_run("me", HOST, "backfill"), repository(77, "octo/own"))
    before = snapshot(target_url)
    with pytest.raises(DatabaseUnusable, match="a ledger of its own"):
        copied(source_url, target_url)
    assert snapshot(target_url) == before


def test_rows_pruned_at_the_source_since_an_earlier_copy_are_deleted_in_the_copy(
    source_url: str, target_url: str, clock: HandClock
) -> None:
    with Store(source_url, clock=clock) as store:
        forgotten, last = (store.start_run("later", HOST, "schedule").id for _ in range(2))
    copied(source_url, target_url)
    execute(source_url, f"DELETE FROM sync_runs WHERE id = {forgotten}")
    copied(source_url, target_url)
    assert differing(source_url, target_url) == set()
    execute(source_url, f"DELETE FROM sync_runs WHERE id = {last}")
    with pytest.raises(DatabaseUnusable, match=f"its run {last} is not one of"):
        copied(source_url, target_url)


def test_a_ledger_whose_runs_were_deleted_is_somebodys_too(
    source_url: str, target_url: str, clock: HandClock
) -> None:
    migrate.upgrade(target_url)
    with Store(target_url, clock=clock) as store:
        store_page(store, store.start_run("me", HOST, "backfill"), repository(77, "octo/own"))
    execute(target_url, "DELETE FROM sync_runs")
    before = snapshot(target_url)
    with pytest.raises(DatabaseUnusable, match="a ledger of its own"):
        copied(source_url, target_url)
    assert snapshot(target_url) == before


def test_an_older_ledger_is_not_migrated_for_a_copy(source_url: str, target_url: str) -> None:
    migrate.upgrade(target_url)
    execute(target_url, f"UPDATE {VERSION_TABLE} SET version_num = '0001'")
    with pytest.raises(SchemaOutdated, match="repoledger migrate"):
        copied(source_url, target_url)
    assert migrate.check(target_url) == "0001"


def test_a_ledger_is_not_copied_onto_itself_however_its_url_is_written(
    ledger_url: str, tmp_path: Path, clock: HandClock
) -> None:
    fill(ledger_url, clock)
    if ledger_url.startswith("sqlite:"):
        link = tmp_path / "link.db"
        link.symlink_to(ledger_url.removeprefix("sqlite:///"))
        other = f"sqlite:///{link}"
    else:
        other = f"{ledger_url}&connect_timeout=7"
    with pytest.raises(DatabaseUnusable, match="is the database to copy from"):
        copied(ledger_url, other)


def begin_a_run(url: str, clock: HandClock) -> object:
    with Store(url, clock=clock) as store:
        return store.start_run("me", HOST, "schedule")


def test_a_copy_ends_when_somebody_begins_to_sync_into_it(
    source_url: str, target_url: str, clock: HandClock
) -> None:
    copied(source_url, target_url)
    execute(source_url, "UPDATE repositories SET description = 'newer'")
    with opened(source_url, threading.Event()) as ledger:
        # After the check for runs of others, which reads the runs and nothing else.
        reads = iter([False, True])
        ledger.on_rows = lambda _: next(reads, False) and begin_a_run(target_url, clock)
        with pytest.raises(DatabaseError, match="another process syncs into it"):
            copy(ledger, target_url, threading.Event())
    assert "newer" not in {row["description"] for row in snapshot(target_url)["repositories"]}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("postgresql", "language = hex(zeroblob(500))"),
        ("postgresql", "description = 'a' || char(0)"),
        ("mysql", "language = hex(zeroblob(500))"),
        ("mysql", "payload = hex(zeroblob(9000000))"),
    ],
)
def test_the_row_that_a_database_does_not_take_is_named(
    source_url: str, tmp_path: Path, kind: str, value: str
) -> None:
    execute(source_url, f"UPDATE repositories SET {value} WHERE id = 12")
    message = r"refuses the row github.com, 12 of repositories"
    with databases(kind, tmp_path) as make, pytest.raises(DatabaseError, match=message):
        copied(source_url, make())


@pytest.mark.parametrize(
    ("statement", "table", "found"),
    [
        (
            "UPDATE repositories SET archived = true WHERE id = 11",
            "repositories",
            (0, 0, 1, "differs in archived"),
        ),
        (
            "UPDATE sync_runs SET started_at = '2026-03-01 12:00:00.000001' WHERE id = 1",
            "sync_runs",
            (0, 0, 1, "differs in started_at"),
        ),
        (
            "UPDATE repositories SET description = 'A\\b' WHERE id = 11",
            "repositories",
            (0, 0, 1, "differs in description"),
        ),
        ("DELETE FROM repository_changes WHERE id = 1", "repository_changes", (1, 0, 0, "here")),
        (
            "INSERT INTO accounts (name, host, generation) VALUES ('extra', 'h', 1)",
            "accounts",
            (0, 1, 0, "only there"),
        ),
    ],
)
def test_every_kind_of_difference_is_found_and_named(
    source_url: str, target_url: str, statement: str, table: str, found: tuple[int, int, int, str]
) -> None:
    copied(source_url, target_url)
    execute(target_url, statement)
    all_compared = compared(source_url, target_url)
    assert [name for name, each in all_compared.items() if not each.identical] == [table]
    each = all_compared[table]
    assert (each.missing, each.extra, each.different) == found[:3]
    assert found[3] in each.examples[0].why
    assert each.checksum_here != each.checksum_there
