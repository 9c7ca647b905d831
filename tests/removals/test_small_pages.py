"""A server that gives pages of 30 where 100 are asked for, without a word."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync.sandbox import Sandbox
from tests.conftest import QUICK, TOKEN
from tests.removals.braking import delete, gone
from tests.support.inside.core import RemovalsWithheld
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient
from tests.support.inside.run import RunOutcome
from tests.support.runs import fill, sync


@pytest.fixture
def github() -> Iterator[Sandbox]:
    with Sandbox(largest_page=30) as sandbox:
        sandbox.add_user("octo", token=TOKEN)
        yield sandbox
    assert sandbox.errors == []


def run(github: Sandbox, store: Store, concurrency: int = 4) -> RunOutcome:
    with GitHubClient(
        token=TOKEN, api_url=github.url, retry=QUICK, concurrency=concurrency
    ) as client:
        return sync(client, store)


@pytest.mark.matrix("http.ends")
@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("count", [29, 30, 31, 60, 95, 120])
def test_all_repositories_are_stored_and_one_that_is_deleted_is_removed(
    github: Sandbox, store: Store, count: int, concurrency: int
) -> None:
    ids = fill(github, count)
    first = run(github, store, concurrency)
    assert (first.status, first.counts.inserted) == ("succeeded", count)
    again = run(github, store, concurrency)
    assert (again.status, again.counts.unchanged) == ("succeeded", count)
    missing = delete(github, ids[3:4] + ids[-1:])
    outcome = run(github, store, concurrency)
    assert (outcome.status, outcome.counts.removed) == ("succeeded", 2)
    assert gone(store) == set(missing)
    new = github.add_repository("octo", "new")
    later = run(github, store, concurrency)
    assert (later.status, later.counts.inserted, later.counts.removed) == ("succeeded", 1, 0)
    assert new not in gone(store)


def test_a_list_that_ends_before_what_its_first_page_announced_removes_nothing(
    github: Sandbox, store: Store
) -> None:
    fill(github, 120)
    run(github, store)
    for number in (2, 3, 4):
        page = {"page": str(number)}
        github.fail(times=9, status=200, body=b"[]", path="/user/repos", query=page)
    outcome = run(github, store)
    assert (outcome.status, outcome.counts.removed) == ("partial", 0)
    assert isinstance(outcome.error, RemovalsWithheld)
    assert "announced at least 91 repositories, and listed 30" in str(outcome.error)
    assert gone(store) == set()
