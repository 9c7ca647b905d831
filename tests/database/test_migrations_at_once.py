"""Migrations that compete, and migrations that die. tests/long has many more of both."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.support.database import recorded_statements
from tests.support.database_processes import migrates_on_demand, spawned
from tests.support.inside.database import migrate
from tests.support.migrating import (
    assert_old_rows_kept,
    assert_usable,
    mortal,
    old_ledger,
    schema_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow

PROCESSES = 4
ROUNDS = 5
STEP = 23  # a sample of a migration's statements
NEWEST = migrate.revisions()[-1]


@pytest.mark.matrix("database.migrations-at-once")
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
                *[(NEWEST, NEWEST, None)] * (PROCESSES - 1),
                (None, NEWEST, None),
            ]


@pytest.mark.matrix("database.locked")
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
        assert child.receive() == (None, NEWEST, None)
        assert other.execute("SELECT x FROM theirs").fetchall() == [(1,)]


@pytest.mark.matrix("database.migration-dies")
def test_a_migration_that_was_killed_in_the_middle_works_when_it_is_tried_again(
    new_database: Callable[[], str],
) -> None:
    undisturbed = new_database()
    migrate.upgrade(undisturbed)
    expected = schema_of(undisturbed)
    with mortal() as process:
        for number in count(STEP, STEP):
            url = new_database()
            if not process.killed(url, "before", number):
                break
            assert migrate.upgrade(url)[1:] == (NEWEST, None)
            assert schema_of(url) == expected, number
            assert_usable(url)
    assert number > STEP


@pytest.mark.matrix("database.migration-dies")
def test_a_killed_migration_of_an_old_ledger_leaves_rows_and_the_users_own_things(
    new_database: Callable[[], str],
) -> None:
    undisturbed = new_database()
    old_ledger(undisturbed)
    with recorded_statements() as seen:
        migrate.upgrade(undisturbed)
    expected = schema_of(undisturbed)
    changes = [n for n, (sql, _) in enumerate(seen, 1) if sql.startswith(("ALTER", "UPDATE"))]
    assert len(changes) > 1
    with mortal() as process:
        for number in changes:
            url = new_database()
            old_ledger(url)
            assert process.killed(url, "after", number)
            migrate.upgrade(url)
            assert schema_of(url) == expected
            assert_old_rows_kept(url)
            assert_usable(url)
