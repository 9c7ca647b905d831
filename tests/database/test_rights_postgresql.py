"""`repoledger check` of PostgreSQL: what is missing is named, with what to type, and that helps."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.support.database import values
from tests.support.inside.core import DatabaseError, DatabaseUnusable
from tests.support.inside.database import migrate
from tests.support.migrating import assert_usable, migrate_to
from tests.support.places import PASSWORD, Place, failures, findings, statements, warnings
from tests.support.pooler import pooler
from tests.support.secured_servers import secured
from tests.support.servers import own_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def postgresql() -> Place:
    return Place(secured("postgresql"))


def test_postgresql_who_may_make_no_tables_is_told_what_to_grant(postgresql: Place) -> None:
    postgresql.execute("REVOKE CREATE ON SCHEMA public FROM public")
    url = postgresql.url(postgresql.other)
    (message,) = failures(url)
    assert f"{postgresql.other} may not create tables in the schema public" in message
    with pytest.raises(DatabaseError, match="permission denied for schema public"):
        migrate.upgrade(url)
    postgresql.execute(*statements(message))
    assert failures(url) == []
    migrate.upgrade(url)
    assert_usable(url)


def test_postgresql_who_may_use_no_schema_is_told_what_to_grant(postgresql: Place) -> None:
    postgresql.execute("REVOKE ALL ON SCHEMA public FROM public")
    url = postgresql.url(postgresql.other)
    (message,) = failures(url)
    assert "there is no schema that" in message
    postgresql.execute(f"GRANT USAGE, CREATE ON SCHEMA public TO {postgresql.other}")
    assert failures(url) == []


def test_postgresql_who_may_not_write_the_tables_is_told_what_to_grant(postgresql: Place) -> None:
    migrate.upgrade(postgresql.url(postgresql.owner))
    url = postgresql.url(postgresql.other)
    (message,) = failures(url)
    assert f"{postgresql.other} may not read and write account_repositories, accounts" in message
    assert "sync_runs_id_seq" in message
    with pytest.raises(DatabaseError, match="permission denied"):
        assert_usable(url)
    assert len(statements(message)) == 2
    postgresql.execute(*statements(message))
    # Nothing is to be migrated, so nothing has to be made.
    postgresql.execute("REVOKE CREATE ON SCHEMA public FROM public")
    assert failures(url) == []
    assert_usable(url)


def test_postgresql_who_does_not_own_an_older_ledger_is_told_who_can_migrate_it(
    postgresql: Place,
) -> None:
    migrate_to(postgresql.url(postgresql.owner), "0001")
    postgresql.execute(
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {postgresql.other}",
        f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {postgresql.other}",
        f"GRANT CREATE ON SCHEMA public TO {postgresql.other}",
    )
    url = postgresql.url(postgresql.other)
    (message,) = failures(url)
    assert f"{postgresql.other} does not own " in message
    assert "run `repoledger migrate` as their owner" in message
    with pytest.raises(DatabaseError, match="must be owner of table accounts"):
        migrate.upgrade(url)
    postgresql.execute(f"GRANT {postgresql.owner} TO {postgresql.other}")
    assert failures(url) == []
    migrate.upgrade(url)


def test_postgresql_whose_transactions_only_read_by_default_is_told_how_to_change_that(
    postgresql: Place,
) -> None:
    role = postgresql.owner
    postgresql.execute(f"ALTER ROLE {role} SET default_transaction_read_only = on")
    (message,) = failures(postgresql.url(role))
    assert message.startswith("transactions are read-only by default")
    postgresql.execute(*statements(message))
    assert failures(postgresql.url(role)) == []


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_postgresql_in_another_encoding_is_refused(postgresql: Place, encoding: str) -> None:
    name = f"l{uuid4().hex[:12]}"
    postgresql.execute(
        f"CREATE DATABASE {name} OWNER {postgresql.owner} ENCODING '{encoding}' TEMPLATE template0 "
        "LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    url = postgresql.server.url(postgresql.owner, name, PASSWORD)
    (message,) = failures(url)
    assert f"encoding is {encoding}, UTF8 is needed; make another with CREATE DATABASE" in message
    with pytest.raises(DatabaseUnusable, match=message):
        migrate.upgrade(url)
    assert migrate.check(url) is None


def test_postgresql_keeps_a_ledger_in_the_schema_that_the_url_names(postgresql: Place) -> None:
    postgresql.execute(f"CREATE SCHEMA mine AUTHORIZATION {postgresql.owner}")
    url = postgresql.url(postgresql.owner, options="-c search_path=mine")
    assert findings(url)[-1].message.endswith("may create tables in the schema mine")
    migrate.upgrade(url)
    assert_usable(url)
    held = "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename = 'sync_runs'"
    assert values(postgresql.url(postgresql.owner), held) == [("mine",)]
    assert migrate.check(postgresql.url(postgresql.owner)) is None


@pytest.fixture
def standby() -> Iterator[str]:
    """A server that only replays what another one writes."""
    server = own_server("postgresql")
    server.stop(gently=True)
    (server.home / "data/standby.signal").touch()
    server.start()
    yield server.url.render_as_string(hide_password=False)
    server.stop(gently=False)


def test_postgresql_that_is_a_standby_is_told_from_its_primary(standby: str) -> None:
    assert failures(standby) == [
        "the server is a standby, which is read-only; name the primary in the URL"
    ]


def test_postgresql_behind_a_pooler_is_warned_of(postgresql: Place) -> None:
    with pooler(postgresql.server.port, drops_settings=False) as port:
        url = postgresql.url(postgresql.owner, sslmode="disable", port=port)
        assert failures(url) == []
        (message,) = warnings(url)
    assert message.startswith("a pooler stands in between; in transaction mode, locks do")


def test_postgresql_behind_a_pooler_that_drops_settings_is_refused(postgresql: Place) -> None:
    with pooler(postgresql.server.port, drops_settings=True) as port:
        (message,) = failures(postgresql.url(postgresql.owner, sslmode="disable", port=port))
    assert message.startswith("the session's settings have no effect: a pooler in between")
