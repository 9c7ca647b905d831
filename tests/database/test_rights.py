"""`repoledger check` of a server: what is missing is named, with what to type, and that helps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from sync.database import migrate
from sync.database.dialects import dialect_of
from sync.errors import DatabaseError
from tests.support.database import execute, values
from tests.support.migrating import assert_usable, migrate_to
from tests.support.pooler import pooler
from tests.support.process import PROJECT
from tests.support.secured_servers import Secured, secured
from tests.support.servers import own_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sync.database.dialects import Finding

NEWEST = migrate.revisions()[-1]
PASSWORD = "a long password"
MYSQL_RIGHTS = (
    *("SELECT", "INSERT", "UPDATE", "DELETE"),
    *("CREATE", "ALTER", "INDEX", "CREATE VIEW"),
)


def findings(url: str) -> list[Finding]:
    return list(dialect_of(url).findings(NEWEST))


def failures(url: str) -> list[str]:
    return [finding.message for finding in findings(url) if finding.result == "fail"]


def warnings(url: str) -> list[str]:
    return [finding.message for finding in findings(url) if finding.result == "warn"]


def statements(message: str) -> list[str]:
    """Return what a message says to type."""
    return re.findall(r"(?:GRANT|ALTER) [^:;]+?(?=, and |$)", message)


class Place:
    """A database of a server's, and the user who made it, and another."""

    def __init__(self, server: Secured) -> None:
        self.server = server
        self.database, self.owner, self.other = (f"{c}{uuid4().hex[:12]}" for c in "dou")
        server.add_user(self.owner, PASSWORD, self.database)
        create = "CREATE ROLE {} LOGIN PASSWORD '{}'"
        if server.kind == "mysql":
            create = "CREATE USER {} IDENTIFIED BY '{}'"
        server.execute(create.format(self.other, PASSWORD))

    def url(self, user: str, **options: object) -> str:
        return self.server.url(user, self.database, PASSWORD, **options)

    def execute(self, *statements: str) -> None:
        """Do what the server's administrator does in this database."""
        self.server.execute(*statements, database=self.database)


@pytest.fixture
def postgresql() -> Place:
    return Place(secured("postgresql"))


@pytest.fixture
def mysql() -> Place:
    return Place(secured("mysql"))


@pytest.fixture(params=["postgresql", "mysql"])
def place(request: pytest.FixtureRequest) -> Place:
    return Place(secured(request.param))


def test_of_a_server_where_all_is_well_every_line_says_so(place: Place) -> None:
    url = place.url(place.owner)
    assert {finding.result for finding in findings(url)} == {"ok"}
    migrate.upgrade(url)
    assert {finding.result for finding in findings(url)} == {"ok"}
    assert_usable(url)


def test_the_user_that_the_documentation_makes_can_do_all_that_is_needed(place: Place) -> None:
    page = (PROJECT / "docs/databases.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    (block,) = [b for b in blocks if ("GRANT" in b) == (place.server.kind == "mysql")]
    name = f"l{uuid4().hex[:12]}"
    for statement in block.replace("repoledger", name).split(";"):
        if statement.strip():
            place.server.execute(statement)
    url = place.server.url(name, name, "a long password")
    assert {finding.result for finding in findings(url)} == {"ok"}
    migrate.upgrade(url)
    assert_usable(url)


def test_a_check_writes_nothing(place: Place) -> None:
    url = place.url(place.owner)
    findings(url)
    assert migrate.check(url) is None
    count = "SELECT count(*) FROM information_schema.tables WHERE table_schema = "
    schema = "'public'" if place.server.kind == "postgresql" else f"'{place.database}'"
    assert values(url, count + schema) == [(0,)]


# PostgreSQL


def test_postgresql_who_may_make_no_tables_is_told_what_to_grant(postgresql: Place) -> None:
    postgresql.execute("REVOKE CREATE ON SCHEMA public FROM public")
    url = postgresql.url(postgresql.other)
    (message,) = failures(url)
    assert f"{postgresql.other} may not make tables in the schema public" in message
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


def test_postgresql_in_another_encoding_is_refused(postgresql: Place) -> None:
    name = f"l{uuid4().hex[:12]}"
    postgresql.execute(
        f"CREATE DATABASE {name} OWNER {postgresql.owner} ENCODING 'LATIN1' TEMPLATE template0 "
        "LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    (message,) = failures(postgresql.server.url(postgresql.owner, name, PASSWORD))
    assert "encoding is LATIN1, UTF8 is needed; make another with CREATE DATABASE" in message


def test_postgresql_keeps_a_ledger_in_the_schema_that_the_url_names(postgresql: Place) -> None:
    postgresql.execute(f"CREATE SCHEMA mine AUTHORIZATION {postgresql.owner}")
    url = postgresql.url(postgresql.owner, options="-c search_path=mine")
    assert findings(url)[-1].message.endswith("may make tables in the schema mine")
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
        "the server is a standby, which can only be read; name the primary in the URL"
    ]


def test_postgresql_behind_a_pooler_is_warned_of(postgresql: Place) -> None:
    with pooler(postgresql.server.port, drops_settings=False) as port:
        url = postgresql.url(postgresql.owner, sslmode="disable", port=port)
        assert failures(url) == []
        (message,) = warnings(url)
    assert message.startswith("a pooler stands in between; in transaction mode the locks")


def test_postgresql_behind_a_pooler_that_drops_settings_is_refused(postgresql: Place) -> None:
    with pooler(postgresql.server.port, drops_settings=True) as port:
        (message,) = failures(postgresql.url(postgresql.owner, sslmode="disable", port=port))
    assert message.startswith("the session's settings have no effect: something in between")


# MySQL and MariaDB


@pytest.mark.parametrize("missing", MYSQL_RIGHTS)
def test_mysql_without_one_of_the_rights_that_are_needed_is_told_what_to_grant(
    mysql: Place, missing: str
) -> None:
    given = ", ".join(right for right in MYSQL_RIGHTS if right != missing)
    mysql.execute(f"GRANT {given} ON {mysql.database}.* TO {mysql.other}")
    url = mysql.url(mysql.other)
    (message,) = failures(url)
    assert message.endswith(f"GRANT {missing} ON `{mysql.database}`.* TO '{mysql.other}'@'%'")

    def use() -> None:
        migrate.upgrade(url)
        assert_usable(url)

    with pytest.raises(DatabaseError, match="denied"):
        use()
    mysql.execute(*statements(message))
    assert failures(url) == []
    migrate.upgrade(url)


def test_mysql_needs_no_more_than_those_rights(mysql: Place) -> None:
    rights = ", ".join(MYSQL_RIGHTS)
    pattern = mysql.database[:-1] + r"\_%"
    mysql.execute(f"GRANT {rights} ON `{mysql.database}`.* TO {mysql.other}")
    mysql.execute(f"GRANT ALL ON `{pattern}`.* TO {mysql.other}")  # another database's
    url = mysql.url(mysql.other)
    assert failures(url) == []
    migrate.upgrade(url)
    assert_usable(url)


@pytest.mark.parametrize("where", ["`{pattern}`.*", "*.*"])
def test_mysql_rights_count_wherever_they_were_given(mysql: Place, where: str) -> None:
    place = where.format(pattern=mysql.database[:-2] + "%")
    mysql.execute(f"GRANT ALL ON {place} TO {mysql.other}")
    assert failures(mysql.url(mysql.other)) == []


def test_mysql_rights_of_single_tables_are_enough_for_a_current_ledger(mysql: Place) -> None:
    owner = mysql.url(mysql.owner)
    migrate.upgrade(owner)
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = database()"
    for (name,) in values(owner, tables):
        mysql.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {mysql.database}.{name} TO {mysql.other}"
        )
    url = mysql.url(mysql.other)
    assert failures(url) == []
    assert_usable(url)
    mysql.execute(f"REVOKE INSERT ON {mysql.database}.sync_runs FROM {mysql.other}")
    (message,) = failures(url)
    assert "lacks rights: GRANT INSERT ON" in message


def test_mysql_rights_of_a_role_count_or_are_only_warned_of(mysql: Place) -> None:
    role = f"r{uuid4().hex[:12]}"
    mysql.execute(
        f"CREATE ROLE {role}",
        f"GRANT ALL ON {mysql.database}.* TO {role}",
        f"GRANT {role} TO {mysql.other}",
        f"SET DEFAULT ROLE {role} FOR {mysql.other}",
    )
    url = mysql.url(mysql.other)
    assert failures(url) == []
    migrate.upgrade(url)
    assert_usable(url)


def test_mysql_that_can_only_be_read_is_named(mysql: Place) -> None:
    mysql.execute("SET GLOBAL read_only = 1")
    try:
        (message,) = failures(mysql.url(mysql.owner))
    finally:
        mysql.execute("SET GLOBAL read_only = 0")
    assert message.startswith("the server can only be read (read_only is on); name the primary")


def test_mysql_makes_tables_with_transactions_whatever_the_servers_default(mysql: Place) -> None:
    url = mysql.url(mysql.owner)
    mysql.execute("SET GLOBAL default_storage_engine = 'Aria'")
    try:
        assert failures(url) == []
        migrate.upgrade(url)
    finally:
        mysql.execute("SET GLOBAL default_storage_engine = 'InnoDB'")
    engines = (
        "SELECT DISTINCT engine FROM information_schema.tables "
        "WHERE table_schema = database() AND table_type = 'BASE TABLE'"
    )
    assert values(url, engines) == [("InnoDB",)]


def test_mysql_tables_without_transactions_are_named(mysql: Place) -> None:
    url = mysql.url(mysql.owner)
    migrate.upgrade(url)
    execute(url, "ALTER TABLE rejected_items ENGINE = Aria")
    (message,) = failures(url)
    assert message.startswith("without transactions, since not InnoDB: rejected_items; ALTER TABLE")
    execute(url, "ALTER TABLE rejected_items ENGINE = InnoDB")
    assert failures(url) == []


def test_mysql_that_takes_only_short_statements_is_warned_of(mysql: Place) -> None:
    mysql.execute("SET GLOBAL max_allowed_packet = 1048576")
    try:
        (message,) = warnings(mysql.url(mysql.owner))
    finally:
        mysql.execute("SET GLOBAL max_allowed_packet = 67108864")
    assert message.startswith("max_allowed_packet is 1024 KiB")
    assert message.endswith("set it to 16M or more on the server")
