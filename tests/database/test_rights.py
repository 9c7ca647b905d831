"""`repoledger check` of a server: where all is well it says so, and it changes nothing."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from tests.support.database import values
from tests.support.inside.database import migrate
from tests.support.migrating import assert_old_rows_kept, assert_usable, old_ledger, schema_of
from tests.support.places import Place, findings
from tests.support.process import PROJECT
from tests.support.secured_servers import secured


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
    made = [b for b in blocks if "CREATE DATABASE" in b]
    (block,) = [b for b in made if ("GRANT" in b) == (place.server.kind == "mysql")]
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


def test_a_check_of_an_older_ledger_leaves_every_table_and_row_as_it_was(place: Place) -> None:
    url = place.url(place.owner)
    old_ledger(url)
    before = schema_of(url)
    assert {finding.result for finding in findings(url)} == {"ok"}
    assert schema_of(url) == before
    assert_old_rows_kept(url)
