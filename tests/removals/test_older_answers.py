"""An answer that was asked for before another run stored a newer one is not written over it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync.sandbox import Sandbox
from tests.conftest import QUICK, TOKEN
from tests.removals.braking import run
from tests.support.backfills import wait_patiently
from tests.support.database import values
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient
from tests.support.inside.run import RunOutcome
from tests.support.runs import AfterPage, fill, sync

OTHERS = "ghp_" + "z6" * 18


@pytest.fixture
def shared(github: Sandbox, store: Store) -> int:
    """Return a repository on the second page of one account, which another lists too."""
    fill(github, 120)
    github.add_user("hubber", token=OTHERS)
    github.add_repository("hubber", "own")
    id_ = github.add_repository("octo", "shared", description="first", stargazers_count=1)
    github.add_collaborator("hubber", id_)
    run(github, store)
    run(github, store, token=OTHERS, account="other")
    return id_


def answered(github: Sandbox, path: str, page: str = "1") -> bool:
    return any(r.path == path and r.query.get("page", "1") == page for r in github.requests)


def overtaken(
    github: Sandbox, store: Store, change: Callable[[], object], **options: Any
) -> RunOutcome:
    """Sync; when all pages are answered and only the first is stored, `change` and sync the other.

    The other one's clock is two days behind.
    """
    github.clear_requests()
    done: list[RunOutcome] = []

    def meanwhile() -> None:
        if done:
            return
        wait_patiently(lambda: answered(github, "/user/repos", "2"))
        change()
        late = Store(store.url, clock=lambda: datetime.now(UTC) - timedelta(days=2))
        with late:
            done.append(run(github, late, token=OTHERS, account="other"))

    with GitHubClient(token=TOKEN, api_url=github.url, retry=QUICK) as client:
        return sync(client, store, progress=AfterPage(meanwhile), **options)


def stored(store: Store, id_: int) -> tuple[Any, ...]:
    columns = "description, stargazers_count"
    (row,) = values(store.url, f"SELECT {columns} FROM repositories WHERE id = {id_}")
    return row


def logged(store: Store, id_: int, field: str) -> list[tuple[Any, ...]]:
    told = "SELECT old_value, new_value FROM repository_changes"
    return values(
        store.url, f"{told} WHERE repository_id = {id_} AND field = '{field}' ORDER BY id"
    )


def test_an_older_answer_is_not_written_over_a_newer_one(
    github: Sandbox, store: Store, shared: int
) -> None:
    github.edit(shared, description="second", stargazers_count=2)
    outcome = overtaken(
        github, store, lambda: github.edit(shared, description="third", stargazers_count=3)
    )
    assert (outcome.status, outcome.counts.updated, outcome.counts.unchanged) == (
        *("succeeded", 0),
        121,
    )
    assert stored(store, shared) == ("third", 3)
    assert logged(store, shared, "description") == [("first", "third")]
    # What the page told is asked for once more, whatever its ETag.
    assert run(github, store).status == "succeeded"
    assert stored(store, shared) == ("third", 3)
    github.edit(shared, description="fourth")
    assert run(github, store).counts.updated == 1
    assert logged(store, shared, "description") == [("first", "third"), ("third", "fourth")]


def test_an_answer_that_is_newer_is_written_by_the_next_run_at_the_latest(
    github: Sandbox, store: Store, shared: int
) -> None:
    github.edit(shared, description="second")
    overtaken(github, store, lambda: github.edit(shared, description="third"))
    github.edit(shared, description="fourth")
    run(github, store, token=OTHERS, account="other")
    run(github, store)
    assert stored(store, shared)[0] == "fourth"


def test_the_writes_of_a_run_do_not_outdate_its_own_answers(github: Sandbox, store: Store) -> None:
    ids = fill(github, 120)
    run(github, store)
    again = {**github.get(ids[3]), "description": "told later"}
    github.edit(ids[3], description="told first")
    github.edit(ids[110], **again)
    run(github, store)
    assert stored(store, ids[3])[0] == "told later"
