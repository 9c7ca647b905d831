"""One sync run, against a real server and a real database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient
from tests.support.ledger import contents, rows, value
from tests.support.runs import fill, sync

pytestmark = pytest.mark.slow_on_servers


def test_the_first_run_stores_every_repository_of_every_page(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    fill(github, 250)
    outcome = sync(client, store)
    assert (outcome.status, outcome.complete) == ("succeeded", True)
    assert (outcome.counts.pages, outcome.counts.inserted, outcome.counts.items) == (3, 250, 250)
    assert value(store.url, "SELECT count(*) FROM current_repositories") == 250


@pytest.mark.matrix("always.unchanged")
def test_a_run_in_which_nothing_changed_asks_conditionally_and_writes_no_row(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    fill(github, 250)
    sync(client, store)
    before = contents(store.url)
    github.clear_requests()
    with GitHubClient(token=TOKEN, api_url=github.url) as later:
        outcome = sync(later, store)
    assert [request.status for request in github.requests] == [304] * 4
    assert outcome.counts.unchanged == 250
    assert outcome.counts.not_modified == 4
    assert contents(store.url) == before


def test_one_changed_description_updates_one_row_and_logs_one_line(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    ids = fill(github, 120)
    sync(client, store)
    github.edit(ids[50], description="Something new")
    outcome = sync(client, store)
    assert (outcome.counts.updated, outcome.counts.unchanged) == (1, 119)
    log = "SELECT repository_id, field, new_value FROM repository_changes"
    assert rows(store.url, f"{log} WHERE run_id = {outcome.run_id}") == [
        (ids[50], "description", "Something new")
    ]


def test_a_star_becomes_a_metric_of_the_day_and_no_line_of_the_change_log(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    (repository,) = fill(github, 1)
    sync(client, store)
    github.edit(repository, stargazers_count=7, watchers_count=7)
    outcome = sync(client, store)
    assert outcome.counts.updated == 1
    assert rows(store.url, "SELECT stargazers_count FROM repository_metrics") == [(7,)]
    assert rows(store.url, "SELECT field FROM repository_changes") == [("created",)]


def test_a_rename_keeps_the_row_and_its_history(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    (repository,) = fill(github, 1)
    sync(client, store)
    github.rename(repository, "better")
    sync(client, store)
    assert rows(store.url, "SELECT id, full_name FROM repositories") == [
        (repository, "octo/better")
    ]
    assert (repository, "octo/repo-0000", "octo/better") in rows(
        store.url,
        "SELECT repository_id, old_value, new_value FROM repository_changes "
        "WHERE field = 'full_name'",
    )


@pytest.mark.parametrize("count", [100, 200])
def test_a_repository_behind_a_full_last_page_is_found_though_that_page_is_unchanged(
    github: Sandbox, client: GitHubClient, store: Store, count: int
) -> None:
    fill(github, count)
    sync(client, store)
    added = github.add_repository("octo", "one-more")
    outcome = sync(client, store)
    assert outcome.counts.inserted == 1
    assert value(store.url, f"SELECT count(*) FROM repositories WHERE id = {added}") == 1


def test_a_listing_that_shrank_is_still_read_to_its_end(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    ids = fill(github, 250)
    sync(client, store)
    for repository in ids[:160]:
        github.delete(repository)
    outcome = sync(client, store, accept_removals=True)
    counts = outcome.counts
    assert (outcome.status, counts.items, counts.removed) == ("succeeded", 90, 160)
    sync(client, store)
    github.clear_requests()
    assert sync(client, store).counts.unchanged == 90
    assert {request.status for request in github.requests} == {304}


def test_private_repositories_are_stored_when_they_are_asked_for(
    github: Sandbox, store: Store
) -> None:
    github.add_token("octo", "a-token-with-scopes", scopes=("repo",))
    github.add_repository("octo", "hidden", private=True)
    with GitHubClient(token="a-token-with-scopes", api_url=github.url) as client:
        assert sync(client, store).counts.inserted == 0
        assert sync(client, store, visibility="all").counts.inserted == 1


def test_a_repository_that_two_accounts_list_is_one_row_with_two_memberships(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    (shared,) = fill(github, 1)
    github.add_user("hubber", token="the-other-token")
    github.add_collaborator("hubber", shared)
    sync(client, store)
    with GitHubClient(token="the-other-token", api_url=github.url) as other:
        first = sync(other, store, account="other")
        # What each sees of it (`permissions`) differs; that must not make it change for ever.
        again = sync(other, store, account="other", full=True)
    mine = sync(client, store, full=True)
    assert (first.counts.inserted, first.counts.unchanged) == (0, 1)
    assert (again.counts.updated, mine.counts.updated) == (0, 0)
    assert rows(store.url, "SELECT id FROM repositories") == [(shared,)]
    assert rows(store.url, "SELECT account FROM account_repositories ORDER BY account") == [
        ("me",),
        ("other",),
    ]


def test_a_user_without_a_token_is_read_publicly(github: Sandbox, store: Store) -> None:
    fill(github, 150)
    with GitHubClient(username="octo", api_url=github.url) as client:
        outcome = sync(client, store)
    assert (outcome.status, outcome.counts.inserted) == ("succeeded", 150)
    assert all("authorization" not in request.headers for request in github.requests)


def test_full_asks_for_every_page_whole(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    fill(github, 5)
    sync(client, store)
    github.clear_requests()
    outcome = sync(client, store, full=True)
    assert not any(request.conditional for request in github.requests)
    assert (outcome.counts.unchanged, outcome.counts.updated) == (5, 0)


def test_every_event_of_a_run_carries_its_id_and_account(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    import structlog

    fill(github, 250)
    seen: list[dict[str, object]] = []

    def keep(_: object, __: str, event: dict[str, object]) -> dict[str, object]:
        seen.append(dict(event))
        raise structlog.DropEvent

    structlog.configure(processors=[structlog.contextvars.merge_contextvars, keep])  # type: ignore[list-item]  # a narrower dict
    outcome = sync(client, store)
    assert {event["event"] for event in seen} == {
        *("http.request", "sync.run_started", "sync.page_stored", "sync.run_finished")
    }
    assert {(event.get("run_id"), event.get("account")) for event in seen} == {
        (outcome.run_id, "me")
    }


def test_the_counts_of_the_row_and_of_the_log_line_are_the_same(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    fill(github, 30)
    with capture_logs() as events:
        outcome = sync(client, store)
    (line,) = [event for event in events if event["event"] == "sync.run_finished"]
    names = list(outcome.counts.as_dict())
    (row,) = rows(store.url, f"SELECT {', '.join(names)} FROM sync_runs")
    assert dict(zip(names, row, strict=True)) == {name: line[name] for name in names}


def test_the_same_repository_on_two_pages_is_stored_once(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    ids = fill(github, 150)
    moved = False

    def shift(request: object) -> None:
        nonlocal moved
        if not moved and getattr(request, "query", {}).get("page") == "2":
            moved = True
            # Older than all others: every item moves one place further.
            github.add_repository("octo", "old", created_at=datetime(2001, 1, 1, tzinfo=UTC))

    github.on_request = shift
    outcome = sync(client, store)
    assert outcome.status == "succeeded"
    assert value(store.url, "SELECT count(DISTINCT id) = count(*) FROM repositories") == 1
    assert value(store.url, "SELECT count(*) FROM repositories") >= len(ids)
    assert outcome.counts.items == outcome.counts.inserted + outcome.counts.unchanged
