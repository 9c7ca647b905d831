"""The ledger tells for each account to which of its repositories it may push."""

from __future__ import annotations

from typing import Any

import pytest

from sync.sandbox import Sandbox
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient
from tests.support.ledger import contents, rows
from tests.support.runs import fill, sync

pytestmark = pytest.mark.slow_on_servers

OTHER = "the-other-token"


def pushes(store: Store) -> list[tuple[Any, ...]]:
    query = "SELECT account, repository_id, push FROM account_repositories"
    return rows(store.url, f"{query} ORDER BY account, repository_id")


def test_a_right_that_is_granted_to_one_account_and_taken_away_is_stored_for_that_account(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    first, second = fill(github, 2)
    github.add_user("hubber", token=OTHER)
    for repository in (first, second):
        github.add_collaborator("hubber", repository, permission="pull")
    sync(client, store)
    mine = [("me", first, True), ("me", second, True)]
    with GitHubClient(token=OTHER, api_url=github.url) as other:
        for permission in ("pull", "push", "triage"):
            github.add_collaborator("hubber", second, permission=permission)
            sync(other, store, account="other")
            theirs = [("other", first, False), ("other", second, permission == "push")]
            assert pushes(store) == mine + theirs
    log = rows(store.url, "SELECT DISTINCT field FROM repository_changes ORDER BY field")
    assert log == [("account",), ("created",)]


def test_a_run_in_which_no_right_changed_writes_no_row_whether_asked_for_whole_or_not(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    fill(github, 120)
    sync(client, store)
    before = contents(store.url)
    assert {push for *_, push in pushes(store)} == {True}
    sync(client, store)
    assert contents(store.url) == before
    sync(client, store, full=True)
    read_whole = contents(store.url)
    assert read_whole["account_repositories"] == before["account_repositories"]


def test_a_list_that_is_read_without_a_token_says_nothing_of_rights(
    github: Sandbox, store: Store
) -> None:
    (repository,) = fill(github, 1)
    with GitHubClient(username="octo", api_url=github.url) as client:
        sync(client, store)
    assert pushes(store) == [("me", repository, None)]
