"""PostgreSQL plans for as many rows as there are, although nobody has told it to look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.backfills import Backfill
from tests.support.database import users_engine, values
from tests.support.inside.database import migrate
from tests.support.process import repoledger, write_config
from tests.support.runs import fill
from tests.support.servers import databases

KNOWN = "SELECT reltuples::int FROM pg_class WHERE relname = 'repositories'"


@pytest.fixture
def postgresql_url(tmp_path: Path) -> Iterator[str]:
    with databases("postgresql", tmp_path) as make:
        yield make()


def test_statistics_are_updated_while_a_large_ledger_is_loaded(
    github: Sandbox, tmp_path: Path, postgresql_url: str
) -> None:
    fill(github, 1_300)
    assert Backfill(github, tmp_path, postgresql_url).end().code == 0
    assert values(postgresql_url, KNOWN) == [(1_000,)]


def test_statistics_are_updated_after_a_copy(
    github: Sandbox, tmp_path: Path, postgresql_url: str
) -> None:
    fill(github, 130)
    write_config(tmp_path, github.url)
    assert repoledger("backfill", cwd=tmp_path, TOKEN=TOKEN).returncode == 0
    done = repoledger("copy", "--to", postgresql_url, cwd=tmp_path, TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    assert values(postgresql_url, KNOWN) == [(130,)]


def test_where_a_table_is_held_the_sync_goes_on_without(
    github: Sandbox, tmp_path: Path, postgresql_url: str
) -> None:
    fill(github, 1_000)
    migrate.upgrade(postgresql_url)
    with users_engine(postgresql_url) as engine, engine.begin() as connection:
        # As VACUUM does: nobody is kept from writing.
        connection.exec_driver_sql("LOCK TABLE repositories IN SHARE UPDATE EXCLUSIVE MODE")
        assert Backfill(github, tmp_path, postgresql_url).end().code == 0
    assert values(postgresql_url, "SELECT count(*) FROM repositories") == [(1_000,)]
