"""`repoledger check` of MySQL: what is missing is named, with what to type, and that helps."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.support.database import execute, values
from tests.support.inside.core import DatabaseError
from tests.support.inside.database import VERSION_TABLE, metadata, migrate
from tests.support.migrating import assert_usable
from tests.support.places import Place, failures, statements, warnings
from tests.support.secured_servers import secured

TABLES = {*metadata.tables, VERSION_TABLE}
RIGHTS = (
    *("SELECT", "INSERT", "UPDATE", "DELETE"),
    *("CREATE", "ALTER", "INDEX", "CREATE VIEW"),
)


@pytest.fixture
def mysql() -> Place:
    return Place(secured("mysql"))


@pytest.mark.parametrize("missing", RIGHTS)
def test_mysql_without_one_of_the_rights_that_are_needed_is_told_what_to_grant(
    mysql: Place, missing: str
) -> None:
    given = ", ".join(right for right in RIGHTS if right != missing)
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
    rights = ", ".join(RIGHTS)
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
    assert message.startswith("INSERT command denied to user ")
    assert f"GRANT INSERT ON `{mysql.database}`.* TO" in message


def test_mysql_rights_of_single_columns_are_not_enough(mysql: Place) -> None:
    migrate.upgrade(mysql.url(mysql.owner))
    mysql.execute(
        f"GRANT SELECT, UPDATE, DELETE ON {mysql.database}.* TO {mysql.other}",
        f"GRANT INSERT (name) ON {mysql.database}.accounts TO {mysql.other}",
        *(f"GRANT INSERT ON {mysql.database}.{t} TO {mysql.other}" for t in TABLES - {"accounts"}),
    )
    (message,) = failures(mysql.url(mysql.other))
    assert message.startswith("INSERT command denied to user ")
    assert "for column" in message


def test_mysql_rights_of_a_role_count_where_a_session_has_it(mysql: Place) -> None:
    role = f"r{uuid4().hex[:12]}"
    mysql.execute(
        f"CREATE ROLE {role}",
        f"GRANT ALL ON {mysql.database}.* TO {role}",
        f"GRANT {role} TO {mysql.other}",
        f"GRANT CREATE TEMPORARY TABLES ON {mysql.database}.* TO {mysql.other}",  # to get in
    )
    url = mysql.url(mysql.other)
    (message,) = failures(url)
    assert message.startswith("SELECT command denied to user ")
    mysql.execute(f"SET DEFAULT ROLE {role} FOR {mysql.other}")
    assert failures(url) == []
    migrate.upgrade(url)
    assert_usable(url)


def test_mysql_that_can_only_be_read_is_named(mysql: Place) -> None:
    mysql.execute("SET GLOBAL read_only = 1")
    try:
        (message,) = failures(mysql.url(mysql.owner))
    finally:
        mysql.execute("SET GLOBAL read_only = 0")
    assert message.startswith("the server is read-only (read_only is on); name the primary")


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
    assert message.startswith("tables without transactions, since not InnoDB: rejected_items; for")
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
