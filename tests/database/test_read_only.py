"""SQLite: the user's own statements can do nothing but read, and our own use indexes."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.database import recorded_statements, repository, snapshot, store_page
from tests.support.inside.core import QueryRefused
from tests.support.inside.database import Ledger, Sqlite

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.inside.database import Run, Store

READING_ONLY = "only reading is possible here"


def ask(ledger: Ledger, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    with ledger.query(sql) as (columns, found):
        return columns, [tuple(row) for row in found]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite's: what is refused, and how that is said, is different for each database."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def file(store: Store, run: Run) -> Path:
    """Return the file of a ledger that holds something."""
    store_page(store, run, repository(1, "octo/one"), repository(2, "octo/two"))
    store.close()
    return Sqlite(store.url).file


def state(file: Path) -> tuple[str, list[str]]:
    """Return what is in the file, and which files there are; not those that readers share."""
    names = [p.name for p in file.parent.iterdir() if not p.name.endswith(("-wal", "-shm"))]
    return hashlib.sha256(file.read_bytes()).hexdigest(), sorted(names)


@pytest.mark.parametrize(
    ("sql", "columns", "found"),
    [
        ("SELECT id, full_name FROM repositories ORDER BY id", ["id", "full_name"], [
            (1, "octo/one"),
            (2, "octo/two"),
        ]),
        ("SELECT count(*) AS n FROM current_repositories;", ["n"], [(2,)]),
        ("SELECT 1 AS one; -- a remark", ["one"], [(1,)]),
        ("WITH x(n) AS (VALUES (1), (2)) SELECT sum(n) AS s FROM x", ["s"], [(3,)]),
        ("VALUES ('100 %', ':x', '?')", ["column1", "column2", "column3"], [("100 %", ":x", "?")]),
        ("SELECT name FROM repositories WHERE 0", ["name"], []),
    ],
)  # fmt: skip
def test_a_statement_that_reads_is_answered(
    file: Path, ledger: Ledger, sql: str, columns: list[str], found: list[tuple[Any, ...]]
) -> None:
    assert ask(ledger, sql) == (columns, found)


def test_the_columns_of_a_table_can_be_asked_for(ledger: Ledger) -> None:
    columns, found = ask(ledger, "PRAGMA table_info(accounts)")
    assert "name" in columns
    assert "generation" in {row[1] for row in found}


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO accounts (name, host, generation) VALUES ('x', 'y', 1)",
        "INSERT INTO accounts (name, host, generation) VALUES ('x', 'y', 1) RETURNING name",
        "REPLACE INTO accounts (name, host, generation) VALUES ('x', 'y', 1)",
        "UPDATE repositories SET name = 'x'",
        "UPDATE repositories SET name = 'x' RETURNING id",
        "DELETE FROM repository_metrics",
        "DELETE FROM accounts WHERE 0",
        "WITH x AS (SELECT 1) DELETE FROM accounts",
        "/* SELECT */ DROP TABLE repositories",
        "CREATE TABLE t (x)",
        "CREATE TEMP TABLE t (x)",
        "CREATE TEMP TABLE t AS SELECT * FROM repositories",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TEMP TRIGGER t AFTER INSERT ON accounts BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE t USING fts5(x)",
        "ALTER TABLE repositories ADD COLUMN x",
        "ATTACH '{folder}/other.db' AS other",
        "ATTACH ':memory:' AS other",
        "DETACH main",
        "VACUUM",
        "VACUUM INTO '{folder}/copy.db'",
        "PRAGMA user_version = 5",
        "PRAGMA query_only = OFF",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "PRAGMA writable_schema = ON",
        "PRAGMA foreign_keys = OFF",
        "PRAGMA optimize",
        "SELECT load_extension('{folder}/evil')",
        "SELECT writefile('{folder}/out', 'x')",
        "EXPLAIN DELETE FROM accounts",
        "ANALYZE",
        "REINDEX",
        "SAVEPOINT s",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "SELECT 1; SELECT 2",
        "SELECT 1; DELETE FROM accounts",
        "",
        "-- nothing",
    ],
)
def test_a_statement_that_does_more_than_read_is_refused_and_changes_nothing(
    file: Path, ledger: Ledger, sql: str
) -> None:
    before = state(file), snapshot(f"sqlite:///{file}")
    with pytest.raises(QueryRefused) as caught:
        ask(ledger, sql.format(folder=file.parent))
    assert str(caught.value)
    assert (state(file), snapshot(f"sqlite:///{file}")) == before
    assert ask(ledger, "SELECT count(*) FROM repositories")[1] == [(2,)]  # and still works


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM accounts",
        "CREATE TEMP TABLE t (x)",
        "ATTACH 'x.db' AS x",
        "PRAGMA query_only=0",
    ],
)
def test_a_refusal_says_what_is_possible_instead(ledger: Ledger, sql: str) -> None:
    with pytest.raises(QueryRefused, match=READING_ONLY):
        ask(ledger, sql)


@pytest.mark.parametrize(
    "sql", ["VACUUM INTO '{folder}/copy.db'", "VACUUM", "DELETE FROM accounts"]
)
def test_it_is_the_connection_that_refuses_also_outside_of_a_transaction(
    file: Path, sql: str
) -> None:
    before = state(file)
    engine = Sqlite(f"sqlite:///{file}").reading_engine()
    connection = engine.raw_connection()
    try:
        with pytest.raises(sqlite3.Error):
            connection.cursor().execute(sql.format(folder=file.parent))
    finally:
        connection.close()
        engine.dispose()
    assert state(file) == before


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT * FROM nope", "no such table: nope"),
        ("SELEKT 1", 'near "SELEKT": syntax error'),
        ("SELECT ?", "Incorrect number of bindings"),
        ("SELECT 'a\0b'", "null character"),
        ("SELECT '\udcff'", "not valid text"),
        ("SELECT load_extension('x')", "not authorized to use function: load_extension"),
        ("SELECT abs(-9223372036854775808)", "integer overflow"),
    ],
)
def test_a_statement_that_fails_is_refused_in_the_databases_own_words(
    ledger: Ledger, sql: str, words: str
) -> None:
    with pytest.raises(QueryRefused, match=words):
        ask(ledger, sql)


def test_a_statement_that_fails_at_a_later_row_is_refused_too(file: Path, ledger: Ledger) -> None:
    sql = "SELECT CASE id WHEN 2 THEN json('{') ELSE id END FROM repositories ORDER BY id"
    first: list[Any] = []
    with (
        pytest.raises(QueryRefused, match="malformed JSON"),
        ledger.query(sql) as (_, found),
    ):
        first.extend(found)


def test_a_reader_sees_what_is_committed_while_a_run_writes(
    store: Store, run: Run, ledger: Ledger
) -> None:
    store_page(store, run, repository(1, "octo/one"))

    def work(page: Any) -> None:
        page.connection.exec_driver_sql("UPDATE repositories SET name = 'half'")
        assert ask(ledger, "SELECT name FROM repositories")[1] == [("one",)]

    store.transact(run, work)
    assert ask(ledger, "SELECT name FROM repositories")[1] == [("half",)]


# Indexes


def query_plan(url: str, read: Callable[[Ledger], object], table: str) -> str:
    """Return how SQLite goes about the last statement on `table` that `read` sends."""
    with Ledger(url) as ledger, recorded_statements() as sent:
        read(ledger)
    statement, parameters = [s for s in sent if f"FROM {table}" in s[0]][-1]
    with closing(sqlite3.connect(Sqlite(url).file)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    return "\n".join(row[3] for row in plan)


def test_the_changes_of_a_repository_are_found_by_an_index(store: Store, run: Run) -> None:
    store_page(store, run, repository(1, "octo/one"))
    plan = query_plan(
        store.url, lambda ledger: list(ledger.changes(repository="octo/one")), "repository_changes"
    )
    assert (
        "SEARCH repository_changes USING INDEX ix_repository_changes_repository "
        "(host=? AND repository_id=?)" in plan
    )
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan.replace("TEMP B-TREE FOR RIGHT PART OF ORDER BY", "")


def test_the_newest_changes_are_found_without_sorting_them_all(store: Store, run: Run) -> None:
    store_page(store, run, repository(1, "octo/one"))
    plan = query_plan(store.url, lambda ledger: list(ledger.changes(limit=5)), "repository_changes")
    assert "USING INDEX ix_repository_changes_observed_at" in plan
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan


def test_the_history_of_a_repository_is_found_by_its_key(store: Store, run: Run) -> None:
    store_page(store, run, repository(1, "octo/one"))
    day = date(2026, 3, 1)
    plan = query_plan(
        store.url,
        lambda ledger: list(ledger.history("octo/one", since=day, until=day)),
        "repository_metrics",
    )
    assert plan == ("SEARCH repository_metrics USING PRIMARY KEY (host=? AND repository_id=?)")


def test_a_page_is_compared_with_the_ledger_by_key(store: Store, run: Run) -> None:
    with recorded_statements() as sent:
        assert store.read(run, lambda reader: reader.known([1, 2])) == {}
    (statement, parameters) = sent[-1]
    with closing(sqlite3.connect(Sqlite(store.url).file)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    assert not any("SCAN" in row[3] for row in plan)
