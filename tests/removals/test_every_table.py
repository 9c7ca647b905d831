"""No table that tells of a repository is left out when the repository turns private."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, Date, Integer, Table, insert

from sync.sandbox import Sandbox
from tests.conftest import QUICK, TOKEN
from tests.support.database import execute, rows, snapshot
from tests.support.inside.config import Removals
from tests.support.inside.database import Store, UtcDateTime, metadata
from tests.support.inside.github import GitHubClient
from tests.support.runs import sync

# Tables without a word about any one repository. Whoever adds a table here says so.
OF_NO_REPOSITORY = {"accounts", "sync_runs", "resource_runs"}
# Filled by a run, and looked at in test_privacy.py.
OF_THE_LIST = {"repositories", "account_repositories", "repository_changes", "repository_metrics"}
# Texts that tell nothing but what GitHub calls things, or who asked.
KEPT = {"host", "account", "resource", "kind", "status", "node_id", "state", "content_type"}
# What a row needs to be one that the program has written.
TRUE: dict[str, Any] = {
    "account": "me",
    "resource_changes.resource": "releases",
    "resource_changes.field": "body",
}
WORD = "veiled"


def tells_of_a_repository(table: Table) -> bool:
    """Return whether rows of a table belong to a repository, by its id or by that of a part."""
    parents = {key.column.table for key in table.foreign_keys} - {table}
    own = table.name == "repositories" or "repository_id" in table.columns
    return own or any(map(tells_of_a_repository, parents))


TOLD = [table for table in metadata.sorted_tables if tells_of_a_repository(table)]


def row_of(table: Table, host: str, id_: int) -> dict[str, Any]:
    """Return a row about a repository, with a word of its own in every text."""

    def value(name: str, kind: Any) -> Any:
        known = TRUE.get(f"{table.name}.{name}", TRUE.get(name))
        if known is not None or name in ("host", "repository_id"):
            return known or {"host": host, "repository_id": id_}[name]
        if name == "ids":
            return [7]
        now = datetime.now(UTC)
        samples = {
            BigInteger: 7,
            Integer: 7,
            Boolean: True,
            Date: now.date(),
            UtcDateTime: now,
        }
        return samples.get(type(kind), WORD)

    return {each.name: value(each.name, each.type) for each in table.columns}


@pytest.fixture
def told(github: Sandbox, store: Store) -> int:
    """A repository with a row in every table, with the word in every text."""
    github.set_scopes(TOKEN, ("repo",))
    github.add_repository("octo", "plain")
    id_ = github.add_repository("octo", WORD, description=WORD)
    run(github, store)
    (mine,) = rows(store.url, f"SELECT host FROM repositories WHERE id = {id_}")
    for table in TOLD:
        if table.name not in OF_THE_LIST:
            execute(store.url, insert(table).values(row_of(table, mine["host"], id_)))
    return id_


def run(github: Sandbox, store: Store, **options: Any) -> None:
    with GitHubClient(token=TOKEN, api_url=github.url, retry=QUICK) as client:
        outcome = sync(client, store, configured=("me",), **options)
    assert outcome.status == "succeeded", outcome


def still_telling(store: Store) -> set[str]:
    """Return the columns in which the word is still to be found."""
    return {
        f"{table}.{name}"
        for table, found in snapshot(store.url).items()
        for row in found
        for name, value in row.items()
        if WORD in str(value) and name not in KEPT
    }


def test_every_table_tells_of_a_repository_or_says_that_it_does_not() -> None:
    assert {table.name for table in TOLD} == metadata.tables.keys() - OF_NO_REPOSITORY


def test_nothing_is_told_of_a_repository_that_was_redacted(
    github: Sandbox, store: Store, told: int
) -> None:
    before = still_telling(store)
    assert {"rejected_items.payload", "resource_states.cursor", "resource_states.detail"} <= before
    assert {"releases.body", "traffic_paths.title", "traffic_referrers.referrer"} <= before
    github.make_private(told)
    run(github, store, removals=Removals(on_private="redact"))
    (rejected,) = snapshot(store.url)["rejected_items"]
    assert (rejected["payload"], rejected["reason"]) == (None, "(redacted)")
    assert still_telling(store) == set()


def test_nothing_is_left_of_a_repository_that_was_purged(
    github: Sandbox, store: Store, told: int
) -> None:
    unconcerned = {table.name: 0 for table in TOLD if table.name not in OF_THE_LIST}
    github.make_private(told)
    run(github, store, removals=Removals(on_private="purge"))
    found = snapshot(store.url)
    # A rejected item stays as a count of what could not be stored, without a word.
    (rejected,) = found.pop("rejected_items")
    del unconcerned["rejected_items"]
    assert (rejected["payload"], rejected["reason"]) == (None, "(redacted)")
    left = {
        name: len([r for r in found[name] if r.get("key", WORD) == WORD]) for name in unconcerned
    }
    assert left == unconcerned
    assert [row["name"] for row in found["repositories"]] == ["plain"]
    assert still_telling(store) == set()
