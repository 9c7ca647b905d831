"""A filter lets the same rows through in a database of any kind and in Python."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert

from tests.support.database import HOST, START, execute, repository, store_page, users_engine
from tests.support.inside.core import QueryRefused
from tests.support.inside.database import Kind, RepositoryFilter, kind_of, repository_changes

pytestmark = pytest.mark.slow_on_servers

if TYPE_CHECKING:
    from tests.support.inside.database import Ledger, Run, Store

# Texts that are nearly the same to one database or another.
ODD = [
    *("octo", "Octo", "OCTO", "octo ", " octo", "octocat", "octo-x", "o_to", "o%o", "%", "_"),
    *("É", "é", "e\u0301", "e", "İ", "I", "i", "ı", "\N{KELVIN SIGN}", "K", "k", "ß", "SS", "ẞ"),
    *("Σ", "σ", "ς", "Ｋ", "ｋ", "ﬀ", "ff", "🚀", "C++", "C#", "c"),
    *("\\", "a\\b", "a\\", "/", "//", "/_", "'", '"', 'a"b', "[", "]", ",", "\t", "\n", "\x7f"),
    *("null", "NULL", "true", "x" * 200, "X" * 200),
]


@pytest.fixture
def odd(store: Store, ledger: Ledger, run: Run) -> Ledger:
    """Return a ledger with a repository for each odd text, which is all that is said of it."""
    store_page(
        store,
        run,
        *(
            {
                **repository(id_),
                "full_name": f"{text}/{text}",
                "owner": {"id": 7, "login": text, "type": "User"},
                "language": text,
                "topics": [text, "last"],
                "archived": (True, False, None)[id_ % 3],
                "fork": (None, True, False)[id_ % 3],
            }
            for id_, text in enumerate(ODD, start=1)
        ),
        repository(1001, owner=None, language=None, topics=None, archived=None),
        repository(1002, topics=[], language=""),
        repository(1003, language="octo", topics=["SQL", "sql-lite"]),
    )
    execute(store.url, "UPDATE repositories SET removed_at = '2026-03-02 00:00:00' WHERE id < 10")
    return ledger


def assert_agreed(ledger: Ledger, **wanted: Any) -> list[int]:
    """Check that a filter means one thing, and return the ids that it lets through."""
    everything = [*ledger.repos(), *ledger.repos(removed=True)]
    by_database = {row["id"] for row in ledger.repos(**wanted)}
    by_python = {row["id"] for row in everything if RepositoryFilter(**wanted).matches(row)}
    assert by_database == by_python, wanted
    return sorted(by_database)


@pytest.mark.parametrize("field", ["owner", "language", "topic", "name"])
@pytest.mark.parametrize("removed", [False, True])
def test_a_text_is_found_in_the_same_rows_by_the_database_and_by_python(
    odd: Ledger, field: str, removed: bool
) -> None:
    for text in [*ODD, "", "oct", "last", "sql", "LAST", "x/x", 'a","b', ", ", '", "']:
        found = assert_agreed(odd, **{field: text, "removed": removed})
        if (
            text in ODD
            and not (field == "topic" and text == ",")
            and (ODD.index(text) < 9) == removed
        ):
            assert ODD.index(text) + 1 in found


def test_flags_and_texts_together_are_found_in_the_same_rows(odd: Ledger) -> None:
    for archived in (True, False, None):
        for fork in (True, False, None):
            for removed in (True, False):
                flags = {"archived": archived, "fork": fork, "removed": removed}
                assert_agreed(odd, **flags)
                assert_agreed(odd, **flags, name="O", owner="OCTO")


def test_case_is_that_of_ascii_letters(odd: Ledger) -> None:
    def owners(text: str) -> set[str]:
        rows = [*odd.repos(owner=text), *odd.repos(owner=text, removed=True)]
        return {row["owner_login"] for row in rows}

    assert owners("oCtO") == {"octo", "Octo", "OCTO"}
    assert owners("é") == {"é"}
    assert owners("K") == {"K", "k"}
    assert owners("i") == {"I", "i"}


@pytest.mark.parametrize("field", ["owner", "language", "topic", "name"])
def test_invalid_text_is_refused(field: str) -> None:
    wanted: Any = {field: "\udcff"}
    with pytest.raises(QueryRefused, match="not valid text"):
        RepositoryFilter(**wanted)


def test_a_name_that_is_no_valid_text_is_refused_by_every_database(ledger: Ledger) -> None:
    with pytest.raises(QueryRefused, match="not valid text"):
        ledger.full_name("octo/\udcff")


def test_kinds_of_changes_are_told_apart_alike(store: Store, ledger: Ledger, run: Run) -> None:
    store_page(store, run, repository(1))
    values = (None, "1", "2026-03-01T12:00:00Z")
    document = json.dumps({"name": "one"})
    fields = ("name", "full_name", "owner_id", "removed_at", "removal_reason", "description")
    changes = [
        *((field, old, new) for field in fields for old in values for new in values),
        *(("created", None, document), ("redacted", None, document)),
        *(("account", None, "me"), ("account", "me", None)),
    ]
    columns = ("field", "old_value", "new_value")
    common = {"host": HOST, "repository_id": 1, "run_id": run.id, "observed_at": START}
    execute(store.url, "DELETE FROM repository_changes")
    with users_engine(store.url) as engine, engine.begin() as connection:
        rows = [common | dict(zip(columns, change, strict=True)) for change in changes]
        connection.execute(insert(repository_changes), rows)
    seen = 0
    for kind in Kind:
        found = [tuple(row[c] for c in columns) for row in ledger.changes(kinds=[kind])]
        assert sorted(map(repr, found)) == sorted(
            repr(change) for change in changes if kind_of(*change) is kind
        )
        assert {row["change"] for row in ledger.changes(kinds=[kind])} == {kind}
        seen += len(found)
    assert seen == len(changes)
