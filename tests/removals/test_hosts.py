"""Ids are those of one host: what another host gives the same id stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from sync.config.sections import Removals
from sync.database.store import Store
from sync.database.tables import metadata
from sync.github.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.removals.braking import run
from tests.support.database import Json, rows, values
from tests.support.runs import fill

ELSEWHERE = "ghp_" + "y5" * 18
_TABLES = ("repositories", "account_repositories", "repository_changes", "repository_metrics")


def of_host(store: Store, github: Sandbox) -> Json:
    """Return all that is stored of the repositories of a host."""
    host = github.url.removeprefix("http://")
    tables = (metadata.tables[name] for name in _TABLES)
    return {
        table.name: rows(
            store.url, select(table).where(table.c.host == host).order_by(*table.primary_key)
        )
        for table in tables
    }


GOES: dict[str, Callable[[Sandbox, int], object]] = {
    "deleted": lambda github, id_: github.delete(id_),
    "private": lambda github, id_: github.make_private(id_),
    "blocked": lambda github, id_: github.block(id_),
    "transferred": lambda github, id_: github.transfer(id_, "stranger"),
}


@pytest.mark.parametrize("what", GOES)
@pytest.mark.parametrize("on_private", ["redact", "purge", "keep"])
def test_what_goes_at_one_host_stays_at_the_other(
    github: Sandbox, store: Store, what: str, on_private: Any
) -> None:
    rules = Removals(on_private=on_private)
    github.set_scopes(TOKEN, ("repo",))
    github.add_user("stranger")
    ids = fill(github, 3)
    with Sandbox() as elsewhere:
        elsewhere.add_user("octo", token=ELSEWHERE)
        assert fill(elsewhere, 3) == ids
        run(elsewhere, store, token=ELSEWHERE, account="other")
        run(github, store)
        before = of_host(store, elsewhere)
        assert len(before["repositories"]) == 3
        GOES[what](github, ids[1])
        outcome = run(github, store, removals=rules)
        assert (outcome.status, outcome.counts.removed) == ("succeeded", 1)
        assert of_host(store, elsewhere) == before
        again = run(elsewhere, store, token=ELSEWHERE, account="other", removals=rules)
        assert (again.status, again.counts.removed) == ("succeeded", 0)
        assert of_host(store, elsewhere) == before


def test_payloads_of_rejected_items_of_the_other_host_stay(github: Sandbox, store: Store) -> None:
    github.set_scopes(TOKEN, ("repo",))
    ids = fill(github, 3)
    with Sandbox() as elsewhere:
        elsewhere.add_user("octo", token=ELSEWHERE)
        assert fill(elsewhere, 3) == ids
        for host in (elsewhere, github):
            host.edit(ids[1], fork="perhaps")
        run(elsewhere, store, token=ELSEWHERE, account="other")
        run(github, store)
        github.edit(ids[1], fork=False)
        run(github, store)
        github.make_private(ids[1])
        assert run(github, store).counts.removed == 1
    kept = "SELECT account FROM rejected_items WHERE payload IS NOT NULL"
    assert values(store.url, kept) == [("other",)]
    forgotten = "SELECT account FROM rejected_items WHERE payload IS NULL"
    assert values(store.url, forgotten) == [("me",)]
