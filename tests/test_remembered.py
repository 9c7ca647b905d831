"""What a run takes on trust from the one before, and what it looks at again."""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, update

from sync.sandbox import Sandbox
from tests.conftest import QUICK, TOKEN
from tests.support.database import execute
from tests.support.fault_server import FaultServer, Peer, answer
from tests.support.hub import NOT_FOUND, USER, Json, a_repository
from tests.support.inside.config import Removals
from tests.support.inside.database import Store, migrate, page_cache
from tests.support.inside.github import READING, GitHubClient
from tests.support.inside.run import RunOutcome
from tests.support.ledger import rows, value
from tests.support.runs import fill, sync

pytestmark = pytest.mark.slow_on_servers

ALL = Removals(max_share=1.0)


class Terse:
    """A GitHub whose 304 says nothing but that: no scopes, no links.

    `items` are on its list, but for those of `hidden` ids, which are there by id alone;
    where `reappearing`, until one of them is asked for.
    """

    def __init__(self, *items: Json) -> None:
        self.items = list(items)
        self.hidden: set[int] = set()
        self.reappearing = False
        self.scopes = "repo"
        self.statuses: list[tuple[str, int]] = []
        self.on_page: bytes | None = None  # in place of the list
        self._server = FaultServer(self._talk)

    def __enter__(self) -> Terse:
        self._server.__enter__()
        return self

    def __exit__(self, *ended: Any) -> None:
        self._server.__exit__(*ended)

    def run(self, store: Store, **options: Any) -> RunOutcome:
        self.statuses.clear()
        with GitHubClient(token=TOKEN, api_url=self._server.url, retry=QUICK) as client:
            return sync(client, store, removals=ALL, **options)

    def asked(self, path: str) -> list[int]:
        return [status for asked, status in self.statuses if asked == path]

    def _talk(self, peer: Peer) -> bool:
        assert peer.received is not None
        path, _, query = peer.received.target.partition("?")
        found: Any = None
        if path == "/user":
            found = USER
        elif path == "/user/repos":
            found = [] if "page=" in query.replace("per_page=", "") else self._listed()
        else:
            found = next((i for i in self.items if path == f"/repositories/{i['id']}"), None)
            if self.reappearing:
                self.hidden.clear()
        status, reply = self._reply(found, peer.received.headers.get("if-none-match"))
        if path == "/user/repos" and self.on_page is not None:
            status, reply = 0, self.on_page
        self.statuses.append((urlsplit(path).path, status))
        peer.send(reply)
        return True

    def _listed(self) -> list[Json]:
        return [item for item in self.items if item["id"] not in self.hidden]

    def _reply(self, found: Any, known: str | None) -> tuple[int, bytes]:
        if found is None:
            return 404, answer(404, NOT_FOUND)
        body = json.dumps(found).encode()
        etag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
        if known == etag:
            return 304, answer(304, b"", {"ETag": etag})
        return 200, answer(body=body, headers={"ETag": etag, "X-OAuth-Scopes": self.scopes})


# Rows that are gone, and what an older program could not read


ALL_OF_IT = ("repository_changes", "repository_metrics", "account_repositories", "repositories")


@pytest.mark.parametrize("tables", [("account_repositories",), ALL_OF_IT], ids=["one", "all"])
def test_rows_deleted_by_hand_come_back_with_the_next_run(
    github: Sandbox, client: GitHubClient, store: Store, tables: tuple[str, ...]
) -> None:
    check_rows_come_back(github, client, store, tables)


def test_a_row_that_a_shell_of_sqlite_deletes_alone_comes_back_with_the_next_run(
    github: Sandbox, client: GitHubClient, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    migrate.upgrade(url)
    with Store(url) as store:  # where nothing asks whether other rows need it
        check_rows_come_back(github, client, store, ("repositories",))


def check_rows_come_back(
    github: Sandbox, client: GitHubClient, store: Store, tables: tuple[str, ...]
) -> None:
    gone = fill(github, 120)[7]
    sync(client, store)
    for table in tables:
        key = "id" if table == "repositories" else "repository_id"
        execute(store.url, f"DELETE FROM {table} WHERE {key} = {gone}")
    assert sync(client, store).status == "succeeded"
    assert value(store.url, "SELECT count(*) FROM current_repositories") == 120
    listed = "SELECT count(*) FROM account_repositories WHERE gone_at IS NULL"
    assert value(store.url, listed) == 120
    assert_nothing_is_new(github, client, store)


def assert_nothing_is_new(github: Sandbox, client: GitHubClient, store: Store) -> None:
    github.clear_requests()
    assert sync(client, store).status == "succeeded"
    assert {request.status for request in github.requests} == {304}


def read_by_an_older_program(url: str, **unread: str) -> None:
    """Have the ledger be as a program leaves it that does not read these fields."""
    older = func.replace(page_cache.c.key, f" {READING} ", " ")
    execute(url, update(page_cache).values(key=older))
    cleared = "".join(f", {field} = NULL" for field in unread)
    execute(url, f"UPDATE repositories SET content_hash = 'of an older program'{cleared}")


def test_pages_that_an_older_program_remembers_are_asked_for_whole_and_logged_as_no_change(
    github: Sandbox, client: GitHubClient, ledger_url: str, store: Store
) -> None:
    (id_,) = fill(github, 1)
    github.edit(id_, has_wiki=True, stargazers_count=5)
    sync(client, store)
    read_by_an_older_program(ledger_url, has_wiki="", topics="", stargazers_count="")
    github.clear_requests()
    outcome = sync(client, store)
    statuses = {r.path: r.status for r in github.requests if r.query.get("page") is None}
    assert statuses == {"/user": 304, "/user/repos": 200}
    assert outcome.counts.updated == 1
    read = "SELECT has_wiki, stargazers_count FROM repositories WHERE topics IS NOT NULL"
    assert rows(store.url, read) == [(True, 5)]
    assert rows(store.url, "SELECT field FROM repository_changes") == [("created",)]
    assert_nothing_is_new(github, client, store)


def test_a_change_since_an_older_program_is_logged_with_the_value_of_then(
    github: Sandbox, client: GitHubClient, ledger_url: str, store: Store
) -> None:
    (id_,) = fill(github, 1)
    github.edit(id_, homepage="https://before.example", description=None)
    sync(client, store)
    read_by_an_older_program(ledger_url, homepage="")
    github.edit(id_, homepage="https://now.example", description="new")
    sync(client, store)
    log = "SELECT field, old_value, new_value FROM repository_changes WHERE field <> 'created'"
    assert sorted(row for row in rows(store.url, log) if row[0] != "updated_at") == [
        ("description", None, "new"),
        ("homepage", "https://before.example", "https://now.example"),
    ]


# Scopes that a 304 leaves out


def test_scopes_that_a_304_leaves_out_are_those_of_the_answer_before_it(store: Store) -> None:
    with Terse(a_repository(1), a_repository(2)) as github:
        github.on_page = answer(404, {"message": "away"})
        assert github.run(store).status == "failed"  # it knows who it is, and no more
        github.on_page = None
        assert github.run(store).status == "succeeded"
        basis = json.loads(value(store.url, "SELECT listing_basis FROM accounts"))
        assert basis["scopes"] == ["repo"]
        del github.items[1]
        assert github.run(store).counts.removed == 1


def test_scopes_that_have_changed_are_noticed_though_a_304_leaves_them_out(store: Store) -> None:
    with Terse(a_repository(1), a_repository(2)) as github:
        github.run(store)
        github.scopes = ""
        del github.items[1]
        for _ in range(2):
            outcome = github.run(store)
            assert (outcome.status, outcome.counts.removed) == ("partial", 0)
            assert "scopes have changed" in str(outcome.error)


# What no listing shows


def test_repositories_that_are_never_listed_cost_no_quota_from_the_second_run_on(
    store: Store,
) -> None:
    with Terse(a_repository(1), a_repository(2), a_repository(3)) as github:
        github.run(store)
        github.hidden = {2}
        first, *later = [(github.run(store), github.asked("/repositories/2")) for _ in range(3)]
        assert (first[0].status, first[1]) == ("succeeded", [200])
        for outcome, asked in later:
            assert (outcome.status, outcome.counts.unchanged, asked) == ("succeeded", 3, [304])
            assert github.asked("/user") == [304]
        github.run(store, full=True)
        assert github.asked("/repositories/2") == [200]
        github.items[1] = a_repository(2, description="new")
        github.run(store)
        assert value(store.url, "SELECT description FROM repositories WHERE id = 2") == "new"
        del github.items[1]
        assert github.run(store).counts.removed == 1


def test_unlisted_repositories_are_requested_without_a_condition_when_the_listing_changes(
    store: Store,
) -> None:
    with Terse(a_repository(1), a_repository(2)) as github:
        github.run(store)
        github.hidden = {2}
        github.run(store)
        github.run(store, affiliation=("owner",), accept_removals=True)
        assert github.asked("/repositories/2") == [200]


def test_a_repository_that_was_missed_once_and_is_shared_no_longer_is_removed_then(
    store: Store,
) -> None:
    shared = a_repository(2, owner={"id": 77, "login": "ada", "type": "User"})
    with Terse(a_repository(1), shared, a_repository(3)) as github:
        github.run(store)
        github.hidden, github.reappearing = {2}, True
        assert github.run(store).counts.removed == 0  # the second look at the list shows it
        github.hidden, github.reappearing = {2}, False
        assert github.run(store).counts.removed == 1
        assert github.asked("/repositories/2") == [200]


# What is not remembered at all


def test_a_page_that_lacks_an_organization_is_not_remembered(store: Store) -> None:
    body = [a_repository(1)]
    sso = {"X-GitHub-SSO": "partial-results; organizations=7", "ETag": '"lacking"'}
    with Terse(*body, a_repository(2)) as github:
        github.run(store)
        for _ in range(2):
            github.on_page = answer(200, body, sso)
            outcome = github.run(store)
            assert (outcome.status, outcome.complete) == ("partial", False)
            remembered = "SELECT count(*) FROM page_cache WHERE etag = '\"lacking\"'"
            assert value(store.url, remembered) == 0
        github.on_page = None
        assert github.run(store).counts.removed == 0
