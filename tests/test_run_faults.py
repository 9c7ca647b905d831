"""Runs that something goes wrong with: what is stored then, and what is recorded."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from sync.sandbox import Sandbox
from tests.conftest import QUICK, TOKEN
from tests.support.inside.core import BadCredentials, Fenced, InvalidRequest, UnexpectedAnswer
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient
from tests.support.ledger import rows, value
from tests.support.runs import AfterPage, fill, sync

pytestmark = pytest.mark.slow_on_servers


def test_an_item_that_is_no_repository_is_rejected_alone_and_seen_again(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    ids = fill(github, 3)
    broken = {**github.get(ids[1]), "id": "abc"}
    github.delete(ids[1])
    github.add_object(broken, listed_by="octo")
    with capture_logs() as events:
        outcome = sync(client, store)
    assert (outcome.status, outcome.counts.inserted, outcome.counts.rejected) == ("partial", 2, 1)
    assert [event["event"] for event in events if event["log_level"] == "warning"] == [
        "item.rejected"
    ]
    ((reason, payload),) = rows(store.url, "SELECT reason, payload FROM rejected_items")
    assert "id" in reason
    assert json.loads(payload)["id"] == "abc"
    assert sync(client, store).status == "partial"


def test_private_repositories_in_a_public_listing_are_counted_and_not_stored(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    public, secret = fill(github, 2)
    item = {**github.get(secret), "private": True}
    github.fail(
        path="/user/repos", status=200, body=json.dumps([github.get(public), item]).encode()
    )
    with capture_logs() as events:
        outcome = sync(client, store)
    assert (outcome.counts.inserted, outcome.counts.skipped) == (1, 1)
    assert rows(store.url, "SELECT id FROM repositories") == [(public,)]
    assert "item.skipped" in {event["event"] for event in events}


def test_a_bad_token_ends_the_run_at_once_and_is_recorded(github: Sandbox, store: Store) -> None:
    with GitHubClient(token="not-a-token", api_url=github.url, retry=QUICK) as client:
        outcome = sync(client, store)
    assert outcome.status == "failed"
    assert isinstance(outcome.error, BadCredentials)
    assert [request.path for request in github.requests].count("/user/repos") == 1
    assert rows(store.url, "SELECT status, error_type, finished_at IS NULL FROM sync_runs") == [
        ("failed", "BadCredentials", 0)
    ]


def test_a_server_that_fails_twice_is_asked_a_third_time(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    fill(github, 2)
    github.fail(times=2, status=502, path="/user/repos")
    assert sync(client, store).status == "succeeded"


def test_pages_stored_before_a_failure_stay_and_the_next_run_completes(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    fill(github, 350)
    for size, page, times in (("100", "3", 3), ("50", "5", 2), ("25", "9", 3)):
        query = {"per_page": size, "page": page}
        github.fail(times=times, status=500, path="/user/repos", query=query)
    failed = sync(client, store)
    assert (failed.status, failed.complete, failed.counts.inserted) == ("failed", False, 200)
    github.clear_requests()
    completed = sync(client, store)
    assert (completed.status, completed.counts.inserted) == ("succeeded", 150)
    assert [request.status for request in github.requests].count(304) == 3  # user, pages 1 and 2


def test_a_spent_quota_defers_the_run_until_the_time_that_github_names(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    fill(github, 1)
    reset = datetime.now(UTC) + timedelta(hours=1)
    github.set_quota(TOKEN, limit=5000, remaining=0, reset=reset)
    outcome = sync(client, store)
    assert outcome.status == "deferred"
    assert outcome.not_before is not None
    assert abs(outcome.not_before - reset) < timedelta(seconds=5)
    assert store.account("me")["not_before"] == outcome.not_before
    github.set_quota(TOKEN, limit=5000, remaining=5000, reset=reset)
    with GitHubClient(token=TOKEN, api_url=github.url) as later:
        assert sync(later, store).status == "succeeded"
    assert store.account("me")["not_before"] is None


def test_the_reserved_share_of_the_quota_is_left_alone(github: Sandbox, store: Store) -> None:
    fill(github, 500)
    reset = datetime.now(UTC) + timedelta(hours=1)
    github.set_quota(TOKEN, limit=5000, remaining=503, reset=reset)
    with GitHubClient(token=TOKEN, api_url=github.url, reserve=0.1, concurrency=1) as client:
        outcome = sync(client, store)
    assert outcome.status == "deferred"
    assert outcome.rate_limit_remaining == 500


def test_a_stop_between_pages_keeps_what_was_stored(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    fill(github, 250)
    outcome = sync(client, store, progress=AfterPage(client.stop.set))
    assert (outcome.status, outcome.counts.pages, outcome.counts.inserted) == (
        "interrupted",
        1,
        100,
    )
    assert value(store.url, "SELECT count(*) FROM repositories") == 100
    assert rows(store.url, "SELECT status, inserted FROM sync_runs") == [("interrupted", 100)]


def test_json_of_another_shape_is_never_taken_for_an_empty_list(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    fill(github, 2)
    sync(client, store)
    for body in (b"{}", b"null", b'{"message": "hello"}'):
        github.fail(path="/user/repos", status=200, body=body)
        outcome = sync(client, store, full=True)
        assert (outcome.status, outcome.complete) == ("failed", False)
        assert isinstance(outcome.error, UnexpectedAnswer)


def test_a_listing_without_some_organizations_is_partial_and_not_complete(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    (repository,) = fill(github, 1)
    github.fail(
        path="/user/repos",
        status=200,
        headers={"X-GitHub-SSO": "partial-results; organizations=21955855"},
        body=json.dumps([github.get(repository)]).encode(),
    )
    outcome = sync(client, store)
    assert (outcome.status, outcome.complete, outcome.counts.inserted) == ("partial", False, 1)


def test_a_later_run_of_the_account_stops_an_earlier_one_that_is_still_alive(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    fill(github, 250)

    def take_over() -> None:
        store.start_run("me", client.host, "test")

    outcome = sync(client, store, progress=AfterPage(take_over))
    assert isinstance(outcome.error, Fenced)
    assert value(store.url, "SELECT count(*) FROM repositories") == 100
    assert rows(store.url, "SELECT status FROM sync_runs ORDER BY id") == [
        ("interrupted",),
        ("running",),
    ]


def test_a_token_that_belongs_to_somebody_else_now_is_reported(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    sync(client, store)
    github.add_user("somebody", token="somebody-elses-token")
    client.token = "somebody-elses-token"
    with capture_logs() as events:
        sync(client, store)
    assert {"before": "octo", "now": "somebody"}.items() <= next(
        event for event in events if event["event"] == "account.identity_changed"
    ).items()


def test_a_request_that_the_server_does_not_accept_is_not_repeated(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    github.fail(path="/user/repos", status=422, body=b'{"message": "Validation Failed"}')
    outcome = sync(client, store)
    assert isinstance(outcome.error, InvalidRequest)
    assert "Validation Failed" in str(outcome.error)
    assert [request.path for request in github.requests].count("/user/repos") == 1


def test_deprecation_is_told_once_in_a_run(github: Sandbox, store: Store) -> None:
    fill(github, 250)
    with capture_logs() as events, GitHubClient(token=TOKEN, api_url=github.url) as client:
        client.session.headers["X-GitHub-Api-Version"] = "2022-11-28"
        sync(client, store)
    assert [event["event"] for event in events].count("api.deprecated") == 1


def test_the_quota_of_nobody_is_not_taken_for_the_accounts(github: Sandbox, store: Store) -> None:
    with GitHubClient(token="not-a-token", api_url=github.url, retry=QUICK) as client:
        assert sync(client, store).rate_limit_remaining is None


def test_deprecation_is_told_even_if_the_first_answer_does_not_mention_it(
    github: Sandbox, store: Store
) -> None:
    github.fail(times=2, path="/user*", status=502)
    with (
        capture_logs() as events,
        GitHubClient(token=TOKEN, api_url=github.url, retry=QUICK) as client,
    ):
        client.session.headers["X-GitHub-Api-Version"] = "2022-11-28"
        sync(client, store)
    assert [event["event"] for event in events].count("api.deprecated") == 1
