"""Migrations that compete for long, and migrations that die at every statement there is.

On servers, where each try takes a database of its own, at every fourth.
"""

from __future__ import annotations

from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.support.database_processes import migrates_on_demand, spawned
from tests.support.inside.database import migrate
from tests.support.migrating import (
    assert_old_rows_kept,
    assert_usable,
    migrate_to,
    mortal,
    old_ledger,
    schema_of,
)
from tests.support.servers import KINDS, databases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PROCESSES = 4
ROUNDS = 20
NEWEST = migrate.revisions()[-1]
STEPS = {"sqlite": 1, "postgresql": 4, "mysql": 4}


@pytest.fixture
def step(request: pytest.FixtureRequest) -> int:
    """Return from how many statements one is chosen to die at."""
    return STEPS[request.node.callspec.params["new_database"]]


@pytest.fixture(params=KINDS)
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    with databases(request.param, tmp_path) as make:
        yield make


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_new_ledgers_migration_killed_at_any_statement_works_when_it_is_tried_again(
    new_database: Callable[[], str], step: int, moment: str
) -> None:
    undisturbed = new_database()
    migrate.upgrade(undisturbed)
    expected = schema_of(undisturbed)
    with mortal() as process:
        for number in count(1, step):
            url = new_database()
            if not process.killed(url, moment, number):
                break
            assert migrate.upgrade(url)[1:] == (NEWEST, None)
            assert schema_of(url) == expected, number
            assert_usable(url)
    assert number > len(expected["tables"])
    print(f"killed {moment} one of {step} of {number - 1} statements")


@pytest.mark.matrix("database.migration-dies")
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_old_ledgers_migration_killed_at_any_statement_works_when_it_is_tried_again(
    new_database: Callable[[], str], step: int, moment: str
) -> None:
    undisturbed = new_database()
    old_ledger(undisturbed)
    migrate.upgrade(undisturbed)
    expected = schema_of(undisturbed)
    with mortal() as process:
        for number in count(1, step):
            url = new_database()
            old_ledger(url)
            if not process.killed(url, moment, number):
                break
            migrate.upgrade(url)
            assert schema_of(url) == expected, number
            assert_old_rows_kept(url)
            assert_usable(url)
    assert number > 3
    print(f"killed {moment} one of {step} of {number - 1} statements")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("start", ["nothing", "0001"])
def test_four_processes_migrate_at_once_round_after_round(
    new_database: Callable[[], str], start: str
) -> None:
    with ExitStack() as stack:
        children = [stack.enter_context(spawned(migrates_on_demand)) for _ in range(PROCESSES)]
        for _ in range(ROUNDS):
            url = new_database()
            if start != "nothing":
                migrate_to(url, start)
            for child in children:
                child.send(url)
            results = sorted((child.receive() for child in children), key=str)
            before = None if start == "nothing" else start
            assert sorted((result[:2] for result in results), key=str) == sorted(
                [(before, NEWEST), *[(NEWEST, NEWEST)] * (PROCESSES - 1)], key=str
            )
            copies = [result.copy for result in results if result.copy]
            assert len(copies) == (url.startswith("sqlite") and before is not None)
            assert_usable(url)
    print(f"{ROUNDS} rounds of {PROCESSES} processes, from {start}")
