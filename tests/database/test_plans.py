"""What is asked of a long ledger is answered by way of an index, not by reading all of it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, Engine, event

from tests.support.database import HOST, repository, store_page, users_engine
from tests.support.inside.database import (
    Ledger,
    Scope,
    Store,
    Summed,
    about,
    child_reader,
    filter_of,
    migrate,
    totals_in,
)
from tests.support.inside.events import Wish, events_in

if TYPE_CHECKING:
    from tests.support.inside.database import Run

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
# A scan that begins at the end of an index that has the right order, and stops at the limit.
IN_ORDER = re.compile(r"SCAN repository_changes USING INDEX \w+|SCAN repositories USING INDEX \w+")
# Days that a view counts: they are in no table.
COUNTED = re.compile(r"SCAN (CONSTANT ROW|[a-z])")
DAY = date(2026, 12, 31)
BY_NAME = [
    pytest.param(lambda it: list(it.history("octo/2", since=DAY, until=DAY)), id="history"),
    pytest.param(lambda it: list(it.history("Octo/1", since=DAY, until=DAY)), id="former history"),
    pytest.param(lambda it: list(it.changes(repository="octo/2")), id="changes of one"),
    pytest.param(lambda it: list(it.changes(repository="Octo/1")), id="former changes of one"),
    pytest.param(lambda it: list(it.changes(repository=f"{HOST}/octo/2")), id="at a host"),
]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    migrate.upgrade(url)
    with Store(url) as store:
        run = store.start_run("me", HOST, "test")
        fill(store, run)
    with Ledger(url) as opened:
        yield opened


def fill(store: Store, run: Run) -> None:
    """Store repositories, one of which has had another name."""
    store_page(store, run, *(repository(id_, f"octo/{id_}") for id_ in range(1, 50)))
    store_page(store, run, repository(1, "octo/renamed"))


@contextmanager
def asked(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """Yield the SELECTs that are sent while the block runs, with their parameters."""
    statements: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def plans(ledger: Ledger, ask: Callable[[Ledger], Any]) -> list[str]:
    """Return the steps by which SQLite answers a question."""
    with asked(ledger._engine) as statements:
        ask(ledger)
    assert statements
    return [step for statement, values in statements for step in _steps(ledger, statement, values)]


def _steps(ledger: Ledger, statement: str, values: Any) -> list[str]:
    # Our own connections may only read, and not explain.
    return _steps_in(ledger._where, statement, values)


def _steps_in(file: str, statement: str, values: Any) -> list[str]:
    connection = sqlite3.connect(file)
    try:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    finally:
        connection.close()
    return [row[3] for row in rows]


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda it: list(it.repos(limit=20)), id="repos"),
        pytest.param(lambda it: list(it.repos(names=["octo/7"])), id="repos by name"),
        pytest.param(lambda it: list(it.changes(limit=20)), id="changes"),
        pytest.param(lambda it: list(it.changes(since=SINCE)), id="changes since"),
        pytest.param(lambda it: it.hosts(), id="hosts"),
        pytest.param(lambda it: list(it.repos(host=HOST, limit=20)), id="repos at a host"),
        pytest.param(lambda it: list(it.changes(host=HOST, since=SINCE)), id="changes at a host"),
        pytest.param(lambda it: it.status(), id="status"),
        pytest.param(lambda it: about(it, "octo/2", DAY), id="page of one"),
        pytest.param(
            lambda it: list(events_in(it, Wish(scope=Scope(keys=[(HOST, 2)])))), id="events of one"
        ),
        *BY_NAME,
    ],
)
def test_a_question_reads_no_table_from_end_to_end(
    ledger: Ledger, ask: Callable[[Ledger], Any]
) -> None:
    scans = [step for step in plans(ledger, ask) if step.startswith("SCAN")]
    # Of accounts there are few, and all of them are shown.
    scans = [s for s in scans if not s.startswith("SCAN accounts") and not COUNTED.fullmatch(s)]
    assert [s for s in scans if not IN_ORDER.match(s)] == []


def test_words_are_looked_for_in_an_index_and_not_in_rows_with_payloads(ledger: Ledger) -> None:
    steps = plans(ledger, lambda it: list(it.repos(words=("octo",), limit=20)))
    assert "SCAN texts USING COVERING INDEX ix_repositories_texts" in steps
    assert not [step for step in steps if step.startswith("SCAN repositories")]


def test_a_gain_is_looked_up_by_the_key_of_the_counters(ledger: Ledger) -> None:
    def ask(it: Ledger) -> None:
        list(it.repos(sort="gained", descending=True, gained_since=DAY, limit=20))

    of_metrics = {step for step in plans(ledger, ask) if "repository_metrics" in step}
    by_key = "SEARCH repository_metrics USING PRIMARY KEY (host=? AND repository_id=?"
    assert of_metrics == {f"{by_key} AND day<?)", f"{by_key})"}


def test_words_are_found_by_an_index_on_postgresql_too(store: Store, run: Run) -> None:
    fill(store, run)
    with Ledger(store.url) as ledger, asked(ledger._engine) as statements:
        assert list(ledger.repos(words=("renam",)))
    with users_engine(store.url) as engine, engine.connect() as connection:
        if engine.dialect.name == "mysql":  # which reads the table
            return
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")
        (statement,) = statements
        assert "ix_repositories_texts" in _explained(connection, *statement)


@pytest.mark.parametrize("host", [None, HOST])
def test_the_newest_changes_are_found_without_sorting_all_of_them(
    ledger: Ledger, host: str | None
) -> None:
    steps = [
        step
        for step in plans(ledger, lambda it: list(it.changes(host=host, limit=20)))
        if step != "USE TEMP B-TREE FOR DISTINCT"  # of the few accounts
    ]
    assert not [step for step in steps if "TEMP B-TREE" in step]


def test_the_counters_of_a_repository_are_found_by_its_key(ledger: Ledger) -> None:
    steps = plans(ledger, lambda it: list(it.history("octo/1", since=DAY, until=DAY)))
    (metrics,) = (step for step in steps if "repository_metrics" in step)
    assert metrics.startswith("SEARCH repository_metrics USING PRIMARY KEY")


@pytest.mark.parametrize("days", [30, 89])
def test_a_sum_of_few_days_reads_the_counters_of_these_days_alone(
    ledger: Ledger, days: int
) -> None:
    span = DAY - timedelta(days=days), DAY
    summed = Summed(filter_of(ledger))
    steps = plans(
        ledger,
        lambda it: totals_in(it.rows, it.dialect, summed, "stargazers_count", span, DAY),
    )
    of_days = [step for step in steps if "repository_metrics" in step or "earlier" in step]
    assert [step.partition(" (")[0] for step in of_days] == [
        "SEARCH repository_metrics USING INDEX ix_repository_metrics_day",
        "SEARCH earlier USING PRIMARY KEY",
    ]


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda it: child_reader.remembered(it, "downloads", [1]), id="pages of one"),
        pytest.param(
            lambda it: child_reader.remembered(it, "downloads", range(500)), id="pages of some"
        ),
        pytest.param(lambda it: list(child_reader.state_rows(it, "stars", [1, 2])), id="states"),
    ],
)
def test_what_is_known_of_some_repositories_is_read_without_that_of_all_others(
    tmp_path: Path, ask: Callable[[Any], Any]
) -> None:
    file = tmp_path / "ledger.db"
    migrate.upgrade(f"sqlite:///{file}")
    with Store(f"sqlite:///{file}") as store:
        run = store.start_run("me", HOST, "test")
        with asked(store._transactions.engine) as statements:
            store.read(run, ask)
    ((statement, values),) = statements
    steps = _steps_in(str(file), statement, values)
    # By the account alone, each of many reads would read all that the account has.
    assert not [s for s in steps if s.startswith("SCAN") or s.endswith("(account=?)")], steps


@pytest.mark.parametrize("ask", BY_NAME)
def test_a_name_is_looked_up_by_an_index_in_every_database(
    store: Store, run: Run, ask: Callable[[Ledger], Any]
) -> None:
    fill(store, run)
    with Ledger(store.url) as ledger, asked(ledger._engine) as statements:
        ask(ledger)
    with users_engine(store.url) as engine, engine.connect() as connection:
        if engine.dialect.name == "postgresql":  # which reads a table as short as this one whole
            connection.exec_driver_sql("SET enable_seqscan = off")
        explained = [_explained(connection, *statement) for statement in statements]
    for index in ("ix_repositories_name", "ix_repository_changes_name"):
        assert any(index in plan for plan in explained), explained


def _explained(connection: Connection, statement: str, values: Any) -> str:
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    return str(connection.exec_driver_sql(f"{explain} {statement}", values).all())
