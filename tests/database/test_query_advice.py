"""A statement with a wrong name is answered with the names that there are, on each database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.inside.core import QueryRefused

if TYPE_CHECKING:
    from tests.support.inside.database import Ledger


def refused(ledger: Ledger, sql: str) -> list[str]:
    with pytest.raises(QueryRefused) as error, ledger.query(sql) as (_, rows):
        list(rows)
    return str(error.value).splitlines()


def test_wrong_names_are_answered_with_those_that_there_are(store: object, ledger: Ledger) -> None:
    first, tables = refused(ledger, "SELECT * FROM repositorys")
    assert first.endswith("; did you mean repositories?")
    assert tables.startswith("the tables and views are repositories, ")
    assert "current_repositories" in tables
    first, columns = refused(ledger, "SELECT full_nme FROM accounts a, current_repositories c")[:2]
    assert first.endswith("; did you mean full_name?")
    assert columns.startswith("accounts has ")
    first, columns = refused(ledger, "SELECT d.stars FROM\nrepository_daily d WHERE 1 = 1")
    assert first.endswith("did you mean stargazers_count?")
    assert columns.startswith("repository_daily has stargazers_count, ")


@pytest.mark.parametrize("sql", ["", " ;\n", "-- nothing", "/* a */ ; -- b"])
def test_an_empty_statement_is_told_to_be_empty(ledger: Ledger, sql: str) -> None:
    (told,) = refused(ledger, sql)
    assert told.startswith("the statement is empty; write one, such as ")
