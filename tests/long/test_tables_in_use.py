"""A migration of tables that another program is using: how long it waits, and what it says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from tests.support.backfills import PATIENCE
from tests.support.database import users_engine
from tests.support.inside.core import DatabaseError
from tests.support.inside.database import migrate
from tests.support.migrating import old_ledger

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.parametrize("new_database", ["postgresql", "mysql"], indirect=True),
]


def test_a_migration_that_waits_for_a_table_gives_up_after_a_minute_and_says_what_to_do(
    database_url: str,
) -> None:
    old_ledger(database_url)
    with ThreadPoolExecutor() as pool:
        with users_engine(database_url) as engine, engine.connect() as other:
            other.execute(text("SELECT * FROM accounts")).all()  # its transaction stays open
            waiting = pool.submit(migrate.upgrade, database_url)
            with pytest.raises(DatabaseError, match="another program has locked the table"):
                waiting.result(PATIENCE)
        done = migrate.upgrade(database_url)
    assert (done.before, done.after) == ("0001", migrate.revisions()[-1])
