"""Migrations: what they make, what they refuse, what they leave alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from tests.support.database import execute, repository, rows, store_page, users_engine, values
from tests.support.inside.core import DatabaseError, SchemaMissing, SchemaTooNew
from tests.support.inside.database import VERSION_TABLE, Ledger, metadata, migrate
from tests.support.migrating import migrate_to
from tests.support.servers import databases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.inside.database import Run, Store

ROOT = Path(__file__).parents[2]
NEWEST = migrate.revisions()[-1]
VIEWS = {
    *("current_repositories", "latest_runs", "repository_daily"),
    *("traffic_daily", "star_totals", "downloads_daily", "repository_growth"),
}
# By what a name is found: of each database's own kind, and used by no other statement.
OF_NAMES = {
    "ix_repositories_name",
    "ix_repository_changes_name",
    "name_key",
    "ix_repositories_texts",
}

# The ledger of a program one version on, which adds a column, an index and a table.
NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "9000"
down_revision = {newest!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("repositories", sa.Column("moved_at", sa.DateTime(timezone=True)))
    op.create_index("ix_repositories_moved_at", "repositories", ["moved_at"])
    op.create_table("stars", sa.Column("id", sa.BigInteger, primary_key=True))
"""


@pytest.fixture
def mysql_url(tmp_path: Path) -> Iterator[str]:
    with databases("mysql", tmp_path) as make:
        yield make()


def tables_of(url: str) -> set[str]:
    with users_engine(url) as engine:
        return set(inspect(engine).get_table_names())


def views_of(url: str) -> set[str]:
    with users_engine(url) as engine:
        return set(inspect(engine).get_view_names())


def test_migrating_makes_exactly_the_tables_the_program_works_with(ledger_url: str) -> None:
    with users_engine(ledger_url) as engine, engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "version_table": VERSION_TABLE,
                "include_object": lambda _object, name, *_: name not in OF_NAMES,
            },
        )
        assert compare_metadata(context, metadata) == []
    assert tables_of(ledger_url) == {*metadata.tables, VERSION_TABLE}


@pytest.mark.parametrize("table", metadata.tables.values(), ids=str)
def test_a_table_has_the_keys_the_program_expects(ledger_url: str, table: object) -> None:
    expected = metadata.tables[str(table)]
    with users_engine(ledger_url) as engine:
        found = inspect(engine)
        key = found.get_pk_constraint(expected.name)["constrained_columns"]
        foreign = {
            (tuple(f["constrained_columns"]), f["referred_table"], tuple(f["referred_columns"]))
            for f in found.get_foreign_keys(expected.name)
        }
    assert key == [column.name for column in expected.primary_key]
    assert foreign == {
        (
            tuple(c.column_keys),
            c.referred_table.name,
            tuple(element.column.name for element in c.elements),
        )
        for c in expected.foreign_key_constraints
    }


def test_migrating_makes_the_views_that_people_query(ledger_url: str) -> None:
    assert views_of(ledger_url) == VIEWS


def test_migrating_tells_the_revisions_before_and_after(database_url: str) -> None:
    assert migrate.check(database_url) is None
    assert migrate.upgrade(database_url) == (None, NEWEST, None)
    assert migrate.check(database_url) == NEWEST


def test_migrating_again_changes_nothing(
    store: Store, run: Run, tmp_path: Path, ledger_url: str
) -> None:
    store_page(store, run, repository())
    before = rows(ledger_url, "SELECT * FROM repositories"), tables_of(ledger_url)
    assert migrate.upgrade(ledger_url) == (NEWEST, NEWEST, None)
    assert (rows(ledger_url, "SELECT * FROM repositories"), tables_of(ledger_url)) == before


@pytest.mark.matrix("database.newer-schema")
@pytest.mark.parametrize(
    "use",
    [
        migrate.upgrade,
        Ledger,
        lambda url: migrate.prepare(url, "auto"),
        lambda url: migrate.prepare(url, "manual"),
    ],
    ids=["migrate", "read", "auto", "manual"],
)
def test_a_database_that_is_newer_than_the_program_is_refused_and_left_alone(
    ledger_url: str, use: Callable[[str], object]
) -> None:
    execute(ledger_url, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(SchemaTooNew, match=r"9999 is newer .* install a newer repoledger"):
        use(ledger_url)
    assert values(ledger_url, f"SELECT version_num FROM {VERSION_TABLE}") == [("9999",)]


def test_with_manual_migration_a_missing_ledger_is_refused_and_not_made(
    database_url: str, tmp_path: Path
) -> None:
    with pytest.raises(SchemaMissing, match="`repoledger migrate` makes one"):
        migrate.prepare(database_url, "manual")
    assert migrate.check(database_url) is None
    assert list(tmp_path.iterdir()) == []


def test_with_automatic_migration_a_missing_ledger_is_made(database_url: str) -> None:
    migrate.prepare(database_url, "auto")
    assert migrate.check(database_url) == NEWEST


def test_with_manual_migration_a_ledger_of_this_version_is_accepted(ledger_url: str) -> None:
    migrate.prepare(ledger_url, "manual")
    assert migrate.check(ledger_url) == NEWEST


def test_a_ledger_without_tables_cannot_be_read(database_url: str) -> None:
    execute(database_url, "CREATE TABLE mine (x INTEGER)")
    with pytest.raises(SchemaMissing, match="there is no ledger yet"):
        Ledger(database_url)


def test_a_table_of_another_program_is_not_taken_over(database_url: str) -> None:
    execute(database_url, "CREATE TABLE sync_runs (x INTEGER)", "INSERT INTO sync_runs VALUES (1)")
    with pytest.raises(DatabaseError, match=r"another program .*\(sync_runs\)"):
        migrate.upgrade(database_url)
    assert tables_of(database_url) == {"sync_runs"}
    assert values(database_url, "SELECT x FROM sync_runs") == [(1,)]


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_a_view_of_another_program_is_not_replaced(database_url: str, view: str) -> None:
    execute(database_url, f"CREATE VIEW {view} AS SELECT 5 AS x")
    with pytest.raises(DatabaseError, match=rf"another program .*\({view}\)"):
        migrate.upgrade(database_url)
    assert tables_of(database_url) == set()
    assert values(database_url, f"SELECT x FROM {view}") == [(5,)]


def test_a_users_column_with_the_name_of_a_new_one_is_not_taken_over(database_url: str) -> None:
    migrate_to(database_url, "0001")
    execute(database_url, "ALTER TABLE accounts ADD COLUMN next_run_at VARCHAR(9)")
    with pytest.raises(DatabaseError, match=r"accounts\.next_run_at is not repoledger's"):
        migrate.upgrade(database_url)
    assert migrate.check(database_url) == "0001"


def test_a_ledger_from_before_there_were_indexes_of_names_is_searched_by_name(
    database_url: str,
) -> None:
    migrate_to(database_url, "0003")
    execute(
        database_url,
        "INSERT INTO repositories (host, id, name, full_name, content_hash, first_seen_at, "
        "changed_at) VALUES ('github.com', 1, 'New', 'Octo/New', '', "
        "'2026-01-01 00:00:00', '2026-01-01 00:00:00')",
        "INSERT INTO repository_changes (host, repository_id, run_id, observed_at, field, "
        "old_value, new_value) VALUES ('github.com', 1, 1, '2026-01-01 00:00:00', 'full_name', "
        "'Octo/Old', 'Octo/New')",
    )
    assert migrate.upgrade(database_url)[:2] == ("0003", NEWEST)
    with Ledger(database_url) as ledger:
        assert [ledger.full_name(name) for name in ("octo/new", "octo/old")] == ["Octo/New"] * 2


def test_the_computed_column_of_names_is_not_shown(ledger_url: str) -> None:
    with users_engine(ledger_url) as engine, engine.connect() as connection:
        for table in (metadata.tables["repositories"], metadata.tables["repository_changes"]):
            shown = connection.execute(text(f"SELECT * FROM {table.name}")).keys()
            assert list(shown) == list(table.columns.keys())


@pytest.mark.parametrize("table", ["repositories", "repository_changes"])
def test_a_users_column_is_not_taken_for_the_one_that_names_are_found_by(
    mysql_url: str, table: str
) -> None:
    migrate_to(mysql_url, "0003")
    execute(mysql_url, f"ALTER TABLE {table} ADD COLUMN name_key VARCHAR(512)")
    with pytest.raises(DatabaseError, match=rf"{table}\.name_key is not repoledger's"):
        migrate.upgrade(mysql_url)
    assert migrate.check(mysql_url) == "0003"


def test_a_migration_table_of_another_program_is_not_taken_for_ours(database_url: str) -> None:
    execute(
        database_url,
        "CREATE TABLE alembic_version (version_num VARCHAR(32))",
        "INSERT INTO alembic_version VALUES ('theirs')",
    )
    assert migrate.upgrade(database_url) == (None, NEWEST, None)
    assert values(database_url, "SELECT * FROM alembic_version") == [("theirs",)]


def test_columns_views_and_tables_of_the_user_survive_writes(
    store: Store, run: Run, ledger_url: str
) -> None:
    store_page(store, run, repository(1, "octo/one"))
    add_own_things(ledger_url)
    done = store_page(store, run, repository(1, "octo/renamed"), repository(2, "octo/two"))
    assert done.counts == (1, 1, 0)
    assert values(ledger_url, "SELECT * FROM my_view ORDER BY id") == [
        (1, "octo/renamed", "keep me"),
        (2, "octo/two", None),
    ]
    assert values(ledger_url, "SELECT x FROM my_table") == [(5,)]


class Newer:
    """A copy of the program with one migration more, run as a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in ("sync", "migrations"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, folder / part, ignore=ignored)
        (folder / "migrations/versions/9000_next.py").write_text(NEXT.format(newest=NEWEST))

    def run(self, code: str, url: str) -> str:
        """Run `code`, which finds `migrate` and `url`; return what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", f"import sys; {IMPORTS}; url = sys.argv[1]\n{code}", url],
            env={**os.environ, "PYTHONPATH": str(self.folder)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout.strip()


IMPORTS = "from sync.database import migrate; from sync.core.errors import SchemaOutdated"


@pytest.fixture
def newer(tmp_path: Path) -> Newer:
    return Newer(tmp_path / "newer")


@pytest.mark.matrix("database.older-schema")
def test_with_manual_migration_an_older_ledger_is_refused_with_the_command_to_type(
    newer: Newer, ledger_url: str
) -> None:
    told = newer.run(
        "try: migrate.prepare(url, 'manual')\nexcept SchemaOutdated as error: print(error)",
        ledger_url,
    )
    assert f"schema {NEWEST} is older than this program's 9000" in told
    assert "run `repoledger migrate`" in told
    assert migrate.check(ledger_url) == NEWEST


@pytest.mark.matrix("database.older-schema")
def test_an_older_ledger_is_brought_forward_with_all_that_is_in_it(
    newer: Newer, store: Store, run: Run, ledger_url: str
) -> None:
    store_page(store, run, repository(1, "octo/one"))
    add_own_things(ledger_url)
    before = rows(ledger_url, "SELECT * FROM repositories")
    assert newer.run("print(migrate.upgrade(url)[:2])", ledger_url) == f"('{NEWEST}', '9000')"
    assert rows(ledger_url, "SELECT * FROM repositories") == [
        {**row, "moved_at": None} for row in before
    ]
    assert values(ledger_url, "SELECT * FROM my_view") == [(1, "octo/one", "keep me")]
    assert values(ledger_url, "SELECT x FROM my_table") == [(5,)]
    assert views_of(ledger_url) == {*VIEWS, "my_view"}
    with pytest.raises(SchemaTooNew):
        migrate.upgrade(ledger_url)


def add_own_things(url: str) -> None:
    """Add a column, a table and a view, as a user may."""
    execute(
        url,
        "ALTER TABLE repositories ADD COLUMN note VARCHAR(50)",
        "UPDATE repositories SET note = 'keep me'",
        "CREATE TABLE my_table (x INTEGER)",
        "INSERT INTO my_table VALUES (5)",
        "CREATE VIEW my_view AS SELECT id, full_name, note FROM repositories",
    )
