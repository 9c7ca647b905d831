"""Migrations that compete, and migrations that die."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from sync.database import migrate
from sync.database.dialects import VERSION_TABLE
from sync.database.queries import Ledger
from tests.support.database_processes import (
    hangs_in_migration,
    migrates_on_demand,
    spawned,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROCESSES = 4
ROUNDS = 10
NEWEST = migrate.revisions()[-1]


def test_of_several_processes_that_migrate_at_once_one_does_and_the_others_wait(
    new_database: Callable[[], str],
) -> None:
    with ExitStack() as stack:
        children = [stack.enter_context(spawned(migrates_on_demand)) for _ in range(PROCESSES)]
        for _ in range(ROUNDS):
            url = new_database()
            for child in children:
                child.send(url)
            results = [child.receive() for child in children]
            assert sorted(results, key=str) == [
                *[(NEWEST, NEWEST)] * (PROCESSES - 1),
                (None, NEWEST),
            ]


def test_a_migration_waits_for_another_program_that_writes_to_the_same_sqlite_file(
    tmp_path: Path,
) -> None:
    file = tmp_path / "shared.db"
    with (
        closing(sqlite3.connect(file, isolation_level=None)) as other,
        spawned(migrates_on_demand) as child,
    ):
        other.execute("CREATE TABLE theirs (x)")
        other.execute("BEGIN IMMEDIATE")
        child.send(f"sqlite:///{file}")
        # One that does not wait would have failed by now; a slow one says nothing either.
        assert not child.pipe.poll(1)
        other.execute("INSERT INTO theirs VALUES (1)")
        other.execute("COMMIT")
        assert child.receive() == (None, NEWEST)
        assert other.execute("SELECT x FROM theirs").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE (IF NOT EXISTS )?repositories",
        "CREATE TABLE (IF NOT EXISTS )?sync_runs",
        "VIEW repository_daily",
        "ALTER TABLE accounts ADD",
        f"INSERT INTO {VERSION_TABLE}",
    ],
)
def test_a_migration_that_was_killed_in_the_middle_can_be_tried_again(
    database_url: str, statement: str
) -> None:
    with spawned(hangs_in_migration, database_url, statement) as child:
        assert child.receive() == "hanging"
        child.kill()
    before = migrate.check(database_url)  # MySQL keeps each statement at once
    assert before is None or database_url.startswith("mysql")
    assert migrate.upgrade(database_url) == (before, NEWEST)
    with Ledger(database_url) as ledger:
        assert ledger.status() == []
