"""What a server, a database or the environment has set otherwise makes no difference."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

from tests.support.database import HOST, execute, repository, store_page
from tests.support.database_processes import migrates_on_demand, spawned
from tests.support.inside.core import RunInProgress
from tests.support.inside.database import Ledger, Store, migrate
from tests.support.migrating import assert_usable
from tests.support.places import findings
from tests.support.servers import databases, own_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NEWEST = migrate.revisions()[-1]
ROUNDS = 4
ODD_POSTGRESQL = {
    "datestyle": "'German, DMY'",
    "intervalstyle": "iso_8601",
    "timezone": "'Asia/Tokyo'",
    "extra_float_digits": "0",
    "bytea_output": "escape",
    "standard_conforming_strings": "off",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
}
ODD_MYSQL = {
    "sql_mode": "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,IGNORE_SPACE",
    "default_time_zone": "+09:00",
    "character_set_server": "latin1",
    "default_storage_engine": "MyISAM",
    "transaction_isolation": "SERIALIZABLE",
    "autocommit": 0,
    "lower_case_table_names": 1,
}
TEXT = "a\\b \"c\" 'd' \N{GRINNING FACE}"  # what other modes and encodings write in another way


def of_postgresql(make: Callable[[], str]) -> str:
    """Return the URL of a new PostgreSQL database that has all set as nobody expects."""
    url = make()
    name = make_url(url).database
    execute(url, *(f"ALTER DATABASE {name} SET {s} = {v}" for s, v in ODD_POSTGRESQL.items()))
    return url


@pytest.fixture
def make_odd(tmp_path: Path) -> Iterator[Callable[[], str]]:
    with databases("postgresql", tmp_path) as make:
        yield lambda: of_postgresql(make)


@pytest.fixture(scope="module")
def odd_mysql() -> Iterator[str]:
    """Yield the URL of a database on a server that has all set as nobody expects."""
    server = own_server("mysql")
    server.stop(gently=True)
    server.start(**ODD_MYSQL)  # type: ignore[arg-type]  # none is the number of connections
    url = server.url.render_as_string(hide_password=False)
    execute(url, "CREATE DATABASE ledger")
    yield server.url.set(database="ledger").render_as_string(hide_password=False)
    server.stop(gently=False)


def assert_written_as_read(url: str) -> None:
    assert {finding.result for finding in findings(url)} == {"ok"}
    migrate.upgrade(url)
    moment = datetime(2026, 4, 5, 6, 7, 8, 123456, tzinfo=UTC)
    with Store(url, clock=lambda: moment) as store:
        run = store.start_run("other", HOST, "backfill")
        store_page(store, run, repository(9, description=TEXT))
    with Ledger(url) as ledger:
        (row,) = ledger.repos()
        assert (row["description"], row["first_seen_at"]) == (TEXT, moment)


@pytest.mark.matrix("data.emoji")
def test_a_mysql_server_whose_defaults_are_odd_is_used_as_any_other(odd_mysql: str) -> None:
    assert_written_as_read(odd_mysql)
    assert_usable(odd_mysql)


def test_a_mysql_database_is_locked_by_whatever_case_its_name_is_written_in(odd_mysql: str) -> None:
    shouted = make_url(odd_mysql).set(database="LEDGER").render_as_string(hide_password=False)
    with (
        Store(odd_mysql) as one,
        Store(shouted) as other,
        one.lock("me"),
        pytest.raises(RunInProgress),
        other.lock("me"),
    ):
        pass


def test_a_postgresql_database_whose_defaults_are_odd_is_used_as_any_other(
    make_odd: Callable[[], str],
) -> None:
    url = make_odd()
    assert_written_as_read(url)
    assert_usable(url)
    asked = "SELECT 0.1::float8 + 0.2::float8, interval '1 day 2 hours', bytea 'a', 'a\\b'"
    with Ledger(url) as ledger, ledger.query(asked) as (_, found):
        ((number, span, data, text),) = found
        assert (number, str(span), data, text) == (0.1 + 0.2, "1 day 02:00:00", b"a", "a\\b")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PGCLIENTENCODING", "SQL_ASCII"),
        ("PGCLIENTENCODING", "LATIN1"),
        ("PGDATESTYLE", "SQL, DMY"),
        ("PGTZ", "Asia/Tokyo"),
        ("PGGEQO", "off"),
        ("PGOPTIONS", "-c datestyle=German -c statement_timeout=1ms -c search_path=nowhere"),
        ("PGCONNECT_TIMEOUT", "no number"),
    ],
)
def test_postgresql_options_in_the_environment_make_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with databases("postgresql", tmp_path) as make:
        url = make()
        with monkeypatch.context() as changed:
            changed.setenv(name, value)
            assert_written_as_read(url)


def test_processes_that_migrate_at_once_wait_for_each_other_whatever_the_isolation(
    make_odd: Callable[[], str],
) -> None:
    with ExitStack() as stack:
        children = [stack.enter_context(spawned(migrates_on_demand)) for _ in range(2)]
        for _ in range(ROUNDS):
            url = make_odd()
            for child in children:
                child.send(url)
            results = sorted((child.receive() for child in children), key=str)
            assert results == [(NEWEST, NEWEST, None), (None, NEWEST, None)]
