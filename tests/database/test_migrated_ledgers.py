"""Ledgers of older schemas: every row is there after the migration, and the next run gets 304s."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import MetaData, insert, select

from tests.conftest import QUICK, TOKEN
from tests.support.database import execute, snapshot, users_engine, values
from tests.support.inside.core import DatabaseError
from tests.support.inside.database import Store, dialect_of, metadata, migrate
from tests.support.migrating import migrate_to
from tests.support.runs import fill, sync

pytestmark = pytest.mark.slow_on_servers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stand_in import StandIn
    from tests.support.inside.github import GitHubClient

MADE = {"resource_runs"}  # by the run that fills the ledger, in a schema of today


def as_of_schema(url: str, revision: str, filled: str) -> None:
    """Make a ledger of an older schema at `url`, with the rows of the one at `filled`."""
    migrate_to(url, revision)
    older = MetaData()
    with users_engine(filled) as source, users_engine(url) as target:
        older.reflect(target)
        with source.connect() as reading, target.begin() as writing:
            for table in metadata.sorted_tables:
                if table.name not in older.tables:
                    continue
                columns = [c for c in table.columns if c.name in older.tables[table.name].c]
                found = [dict(row._mapping) for row in reading.execute(select(*columns))]
                if found:
                    writing.execute(insert(table), found)
                    dialect_of(url).continue_numbering(writing, table)


@pytest.mark.parametrize("revision", [r for r in migrate.revisions()[:-1] if r >= "0004"])
def test_a_ledger_of_an_older_schema_keeps_its_rows_and_goes_on_without_asking_for_a_page_anew(
    github: StandIn, client: GitHubClient, database_url: str, tmp_path: Path, revision: str
) -> None:
    fill(github, 120)
    filled = f"sqlite:///{tmp_path / 'filled.db'}"
    migrate.upgrade(filled)
    with Store(filled) as store:
        assert sync(client, store).counts.inserted == 120
    as_of_schema(database_url, revision, filled)
    migrate.upgrade(database_url)
    before, expected = snapshot(database_url), snapshot(filled)
    for name in metadata.tables.keys() - MADE:
        assert len(before[name]) == len(expected[name]), name
    with (
        Store(database_url) as store,
        type(client)(token=TOKEN, api_url=github.url, retry=QUICK) as again,
    ):
        counts = sync(again, store).counts
    assert counts.not_modified == counts.requests > 2
    assert (counts.inserted, counts.updated, counts.unchanged) == (0, 0, 120)
    assert snapshot(database_url)["repositories"] == before["repositories"]


def test_a_table_of_the_users_with_the_name_of_a_new_one_is_not_taken_over(
    database_url: str,
) -> None:
    migrate_to(database_url, "0008")
    execute(database_url, "CREATE TABLE releases (x INTEGER)", "INSERT INTO releases VALUES (5)")
    with pytest.raises(DatabaseError, match=r"releases is not repoledger's"):
        migrate.upgrade(database_url)
    assert values(database_url, "SELECT x FROM releases") == [(5,)]
