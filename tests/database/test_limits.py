"""Limits that a server or a user has: lifted in the session, or told of by `check`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.inside.core import DatabaseError, DatabaseUnusable
from tests.support.inside.database import Ledger, migrate
from tests.support.migrating import assert_usable
from tests.support.places import Place, failures, statements, warnings
from tests.support.secured_servers import secured

HURRIED = {
    "statement_timeout": "1ms",
    "lock_timeout": "1ms",
    "idle_in_transaction_session_timeout": "1ms",
    "idle_session_timeout": "1ms",
}
RELUCTANT = (
    "SET SESSION completion_type = 2, max_join_size = 1, sql_auto_is_null = 1, unique_checks = 0, "
    "foreign_key_checks = 0 /*M! , max_statement_time = 0.001 */ "
    "/*!80000 , max_execution_time = 1 */"
)


@pytest.fixture
def postgresql() -> Place:
    return Place(secured("postgresql"))


@pytest.fixture
def mysql() -> Place:
    return Place(secured("mysql"))


def assert_of_use(url: str) -> None:
    """The database is good for all: migrations, runs, reading."""
    assert failures(url) == []
    migrate.upgrade(url)
    assert_usable(url)
    with Ledger(url) as ledger:
        assert [row["id"] for row in ledger.repos(sort="full_name")]
        with ledger.query("SELECT count(*) FROM repository_changes") as (_, rows):
            assert len(list(rows)) == 1


def test_a_role_of_postgresqls_that_is_given_no_time_is_used_as_any_other(
    postgresql: Place,
) -> None:
    role = postgresql.owner
    postgresql.execute(*(f"ALTER ROLE {role} SET {s} = '{v}'" for s, v in HURRIED.items()))
    assert_of_use(postgresql.url(role))


def test_a_limit_that_the_url_asks_for_counts(postgresql: Place) -> None:
    url = postgresql.url(postgresql.owner)
    migrate.upgrade(url)
    hurried = postgresql.url(postgresql.owner, options="-c statement_timeout=50ms")
    with (
        Ledger(hurried) as ledger,
        pytest.raises(DatabaseError, match="statement timeout"),
        ledger.query("SELECT pg_sleep(9)") as (_, rows),
    ):
        list(rows)


@contextmanager
def beginning_with(mysql: Place, statement: str) -> Iterator[None]:
    """Have every session of a user's begin with a statement, as defaults and limits of a server."""
    mysql.execute(f"SET GLOBAL init_connect = '{statement}'")
    try:
        yield
    finally:
        mysql.execute("SET GLOBAL init_connect = ''")


def test_a_mysql_server_that_gives_no_time_and_has_odd_habits_is_used_as_any_other(
    mysql: Place,
) -> None:
    with beginning_with(mysql, RELUCTANT):
        assert_of_use(mysql.url(mysql.owner))


def test_mysql_whose_transactions_only_read_by_default_is_told_how_to_change_that(
    mysql: Place,
) -> None:
    url = mysql.url(mysql.owner)
    with beginning_with(mysql, "SET SESSION TRANSACTION READ ONLY"):
        (message,) = failures(url)
        with pytest.raises(DatabaseUnusable, match="allows only reading"):
            migrate.upgrade(url)
    assert message.startswith("transactions are read-only by default: SET GLOBAL t")


def test_a_role_of_postgresqls_with_too_few_connections_is_told_of(postgresql: Place) -> None:
    role, url = postgresql.owner, postgresql.url(postgresql.owner)
    postgresql.execute(f"ALTER ROLE {role} CONNECTION LIMIT 1")
    (message,) = failures(url)
    assert message.startswith(f"{role}'s limit of connections is 1, a run needs 2 at a time")
    postgresql.execute(*statements(message))
    assert_of_use(url)


def test_limits_of_a_mysql_user_that_no_session_can_lift_are_told_of(mysql: Place) -> None:
    url = mysql.url(mysql.owner)
    mysql.execute(f"ALTER USER {mysql.owner} WITH MAX_USER_CONNECTIONS 1 MAX_QUERIES_PER_HOUR 500")
    (message,) = failures(url)
    assert "max_user_connections) is 1, a run needs 2 at a time" in message
    (warning,) = warnings(url)
    assert warning.startswith("the user has a limit of MAX_QUERIES_PER_HOUR 500")
