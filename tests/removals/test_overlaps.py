"""What one run remembers and another changes: neither is taken for something that is missing."""

from __future__ import annotations

from typing import Any

from sync.sandbox import Sandbox
from tests.conftest import QUICK, TOKEN
from tests.removals.braking import asked_for, gone, run
from tests.support.database import execute, values
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient
from tests.support.runs import fill, sync

OTHERS = "ghp_" + "z6" * 18


def test_another_accounts_run_during_the_paging_makes_nothing_look_missing(
    github: Sandbox, store: Store
) -> None:
    ids = fill(github, 150)
    github.add_user("hubber", token=OTHERS)
    github.add_collaborator("hubber", ids[5])
    run(github, store)
    run(github, store, token=OTHERS, account="other")
    others: list[int] = []

    def meanwhile(request: Any) -> None:
        if request.query.get("page") == "2" and not others:
            others.append(1)
            github.edit(ids[5], description="new")  # on page 1, which was as before a moment ago
            others.append(run(github, store, token=OTHERS, account="other").counts.updated)

    github.on_request = meanwhile
    github.clear_requests()
    with GitHubClient(token=TOKEN, api_url=github.url, retry=QUICK, concurrency=1) as client:
        outcome = sync(client, store)
    github.on_request = None
    assert others == [1, 1]
    assert (outcome.status, outcome.counts.withheld, outcome.error) == ("succeeded", 0, None)
    assert asked_for(github) == []
    assert run(github, store).status == "succeeded"
    described = f"SELECT description FROM repositories WHERE id = {ids[5]}"
    assert values(store.url, described) == [("new",)]


def test_a_run_with_a_wrong_token_that_was_cut_short_leaves_no_doubt_about_the_right_one(
    github: Sandbox, store: Store
) -> None:
    fill(github, 10)
    github.add_user("hubber")
    kit = github.add_repository("hubber", "kit")
    github.add_collaborator("octo", kit)
    run(github, store)
    github.add_user("somebody", token=OTHERS)
    github.add_user("guild", kind="Organization")
    github.add_member("guild", "somebody")
    github.restrict_sso(OTHERS, ("guild",))
    assert run(github, store, token=OTHERS).complete is False
    github.remove_collaborator("octo", kit)
    outcome = run(github, store)
    assert (outcome.status, outcome.error) == ("succeeded", None)
    assert gone(store) == {kit}


def test_changes_and_removals_go_on_after_an_account_was_deleted_by_hand(
    github: Sandbox, store: Store
) -> None:
    ids = fill(github, 10)
    github.add_user("hubber", token=OTHERS)
    github.add_collaborator("hubber", ids[0])
    run(github, store)
    for number in range(5):
        github.edit(ids[0], description=f"as {number}")
        run(github, store, token=OTHERS, account="other")
    of_account = ("page_cache", "account_repositories", "departures", "rejected_items")
    execute(
        store.url,
        *(f"DELETE FROM {table} WHERE account = 'other'" for table in of_account),
        "DELETE FROM accounts WHERE name = 'other'",
    )
    github.edit(ids[0], description="newer")
    assert run(github, store).counts.updated == 1
    github.delete(ids[0])
    assert (run(github, store).status, gone(store)) == ("succeeded", {ids[0]})
