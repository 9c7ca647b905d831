"""A server that says something wrong once: the next run of the account makes good for it."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from sync.sandbox import Sandbox
from tests.conftest import QUICK, TOKEN
from tests.support.database import execute, snapshot
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient
from tests.support.ledger import rows, value
from tests.support.runs import fill, sync

pytestmark = pytest.mark.slow_on_servers


def listing(github: Sandbox, ids: list[int]) -> bytes:
    return json.dumps([github.get(id_) for id_ in ids]).encode()


def answer_first_page(github: Sandbox, ids: list[int], headers: Mapping[str, str]) -> None:
    github.fail(path="/user/repos", status=200, headers=headers, body=listing(github, ids))


@pytest.mark.parametrize(
    "next_url",
    [
        "/nowhere?page=2",
        "/user?page=2",
        "https://elsewhere.example/user/repos?page=2",
        "/user/repos?page=" + "2" * 9_000,
    ],
)
def test_a_wrong_link_to_the_next_page_fails_one_run_and_not_the_next(
    github: Sandbox, client: GitHubClient, store: Store, next_url: str
) -> None:
    ids = fill(github, 3)
    headers = {"Link": f'<{next_url}>; rel="next"', "ETag": '"page-one"'}
    answer_first_page(github, ids, headers)
    assert sync(client, store).status == "failed"
    assert value(store.url, "SELECT count(*) FROM page_cache WHERE next_url IS NOT NULL") == 0
    assert sync(client, store).status == "succeeded"
    assert value(store.url, "SELECT count(*) FROM repositories") == 3


@pytest.mark.parametrize(
    "etag", ['"a\x01b"', "no quotes", '"' + "x" * 300 + '"', '"caf\xe9"', f'"{TOKEN}"']
)
def test_an_etag_that_cannot_be_sent_back_is_not_remembered(
    github: Sandbox, client: GitHubClient, store: Store, etag: str
) -> None:
    ids = fill(github, 2)
    answer_first_page(github, ids, {"ETag": etag})
    github.fail(path="/user", status=200, headers={"ETag": etag}, body=b'{"id": 1, "login": "o"}')
    assert sync(client, store).status == "succeeded"
    assert (etag,) not in rows(store.url, "SELECT etag FROM page_cache WHERE item_count > 0")
    assert value(store.url, "SELECT count(*) FROM page_cache WHERE item_count > 0") == 0
    assert sync(client, store).status == "succeeded"


def test_an_etag_of_an_older_version_that_cannot_be_sent_back_is_passed_over(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    fill(github, 2)
    sync(client, store)
    execute(store.url, "UPDATE page_cache SET etag = 'a\nb'")
    assert sync(client, store).status == "succeeded"


def test_a_page_whose_link_repeats_the_token_is_not_remembered(
    github: Sandbox, client: GitHubClient, store: Store, ledger_url: str
) -> None:
    ids = fill(github, 2)
    link = f"<{github.url}/user/repos?page=2&seen={TOKEN}>; rel=next"
    answer_first_page(github, ids, {"ETag": '"one"', "Link": link})
    github.fail(path="/user/repos", query={"page": "2"}, status=200, body=b"[]")
    assert sync(client, store).status == "succeeded"
    assert TOKEN not in str(snapshot(ledger_url))


@pytest.mark.parametrize("status", [403, 429])
def test_an_error_whose_address_holds_the_token_is_stored_without_it(
    github: Sandbox, client: GitHubClient, store: Store, status: int
) -> None:
    ids = fill(github, 2)
    link = f"<{github.url}/user/repos/{TOKEN}?page=2>; rel=next"
    answer_first_page(github, ids, {"Link": link})
    headers = {"Retry-After": "100000"}
    github.fail(times=9, status=status, path="/user/repos/*", headers=headers, body=b"{}")
    outcome = sync(client, store)
    assert outcome.status == "deferred"
    assert TOKEN not in str(outcome.as_dict())
    assert TOKEN not in value(store.url, "SELECT error_message FROM sync_runs")


def test_a_change_that_only_the_other_account_saw_is_taken_back_with_the_page(
    github: Sandbox, store: Store
) -> None:
    (id_,) = fill(github, 1)
    github.edit(id_, description="first")
    with (
        GitHubClient(token=TOKEN, api_url=github.url, retry=QUICK) as mine,
        GitHubClient(username="octo", api_url=github.url, retry=QUICK) as others,
    ):
        sync(mine, store)
        github.edit(id_, description="second")
        sync(others, store, account="other")
        assert value(store.url, "SELECT description FROM repositories") == "second"
        github.edit(id_, description="first")
        sync(mine, store)
    assert value(store.url, "SELECT description FROM repositories") == "first"


def test_a_page_with_a_private_repository_is_asked_for_whole_again(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    public, secret = fill(github, 2)
    item = {**github.get(secret), "private": True}
    body = json.dumps([github.get(public), item]).encode()
    github.fail(path="/user/repos", status=200, headers={"ETag": '"x"'}, body=body)
    assert sync(client, store).counts.skipped == 1
    assert value(store.url, "SELECT count(*) FROM page_cache WHERE etag = '\"x\"'") == 0


@pytest.mark.parametrize("body", [b"[" + b"{}," * 1_500 + b"{}]", b"[" + b"0," * 1_500_000 + b"0]"])
def test_a_page_of_far_too_many_items_is_refused(
    github: Sandbox, client: GitHubClient, store: Store, body: bytes
) -> None:
    github.fail(path="/user/repos", status=200, body=body)
    outcome = sync(client, store)
    assert (outcome.status, outcome.counts.rejected) == ("failed", 0)
    assert "more than 1,000 items" in str(outcome.error)


def test_a_page_of_broken_items_fills_the_table_and_not_the_log(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    github.fail(path="/user/repos", status=200, body=b"[" + b"{}," * 99 + b"{}]")
    github.fail(path="/user/repos", query={"page": "2"}, status=200, body=b"[]")
    with capture_logs() as events:
        outcome = sync(client, store)
    assert outcome.counts.rejected == 100
    assert value(store.url, "SELECT count(*) FROM rejected_items") == 100
    told = [event for event in events if event["event"] == "item.rejected"]
    assert (len(told), told[-1]["more"]) == (11, 90)
