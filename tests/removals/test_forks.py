"""A repository that turned private is not told of by those that were forked or made from it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sync.sandbox import Sandbox
from tests.conftest import QUICK, TOKEN
from tests.support.database import snapshot, values
from tests.support.inside.config import Removals
from tests.support.inside.database import Store, lineage
from tests.support.inside.github import GitHubClient
from tests.support.runs import sync

NAME = "veiled"


def run(github: Sandbox, store: Store, **options: Any) -> None:
    with GitHubClient(token=TOKEN, api_url=github.url, retry=QUICK) as client:
        outcome = sync(client, store, **options)
    assert outcome.status in ("succeeded", "partial"), outcome


def run_with(github: Sandbox, store: Store, *objects: dict[str, Any]) -> None:
    """Sync what is listed as these objects for once."""
    github.fail(path="/user/repos", status=200, body=json.dumps(objects).encode())
    run(github, store, full=True)


def payload_of(store: Store, id_: int) -> Any:
    ((payload,),) = values(store.url, f"SELECT payload FROM repositories WHERE id = {id_}")
    return json.loads(payload)


@pytest.fixture
def veiled(github: Sandbox) -> int:
    github.set_scopes(TOKEN, ("repo",))
    return github.add_repository("octo", NAME)


@pytest.fixture
def fork(github: Sandbox) -> int:
    return github.add_repository("octo", "fork", fork=True)


def fork_of(github: Sandbox, fork: int, veiled: int, **fields: Any) -> dict[str, Any]:
    """Return the fork as a request by id gives it: with what it was forked and made from."""
    inner = github.get(veiled, full=True)
    other = {"id": 77, "full_name": "octo/plain", "owner": {"id": veiled, "login": "octo"}}
    telling = {"parent": inner, "source": {**other, "parent": inner}, "template_repository": inner}
    return {**github.get(fork), **telling, **fields}


@pytest.mark.parametrize("on_private", ["redact", "purge"])
def test_a_payload_stored_before_keeps_only_the_id_of_a_redacted_repository(
    github: Sandbox, store: Store, veiled: int, fork: int, on_private: Any
) -> None:
    run_with(github, store, github.get(veiled), fork_of(github, fork, veiled))
    assert NAME in json.dumps(payload_of(store, fork))
    github.make_private(veiled)
    run(github, store, removals=Removals(on_private=on_private))
    assert NAME not in json.dumps(snapshot(store.url), default=str)
    told = payload_of(store, fork)
    assert told["parent"] == told["template_repository"] == {"id": veiled}
    # What is not of the repository stays, its namesake among the users too.
    assert told["source"] == {
        "id": 77,
        "full_name": "octo/plain",
        "owner": {"id": veiled, "login": "octo"},
        "parent": {"id": veiled},
    }
    assert told["full_name"] == "octo/fork"


def test_a_payload_stored_later_has_only_the_id_until_the_repository_is_public_again(
    github: Sandbox, store: Store, veiled: int, fork: int
) -> None:
    run(github, store)
    telling = fork_of(github, fork, veiled, description="forked")
    github.make_private(veiled)
    run(github, store)
    run_with(github, store, telling)
    assert payload_of(store, fork)["description"] == "forked"
    assert NAME not in json.dumps(snapshot(store.url), default=str)
    github.make_public(veiled)
    run(github, store, full=True)
    run_with(github, store, github.get(veiled), {**telling, "description": "forked again"})
    assert payload_of(store, fork)["parent"]["name"] == NAME


@pytest.mark.parametrize("earlier", [True, False], ids=["before", "after"])
def test_a_fork_that_could_not_be_stored_tells_its_id_alone(
    github: Sandbox, store: Store, veiled: int, fork: int, earlier: bool
) -> None:
    broken = fork_of(github, fork, veiled, name=7)
    if earlier:
        run_with(github, store, github.get(veiled), broken)
    else:
        run(github, store)
    github.make_private(veiled)
    run(github, store, full=True)
    if not earlier:
        run_with(github, store, broken)
    assert NAME not in json.dumps(snapshot(store.url), default=str)
    (kept,) = values(store.url, "SELECT payload FROM rejected_items")
    assert json.loads(kept[0])["parent"] == {"id": veiled}


def test_forks_are_found_among_many(
    github: Sandbox, store: Store, veiled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lineage, "_AT_ONCE", 2)
    forks = [github.add_repository("octo", f"fork-{n}", fork=True) for n in range(7)]
    telling = [fork_of(github, fork, veiled) for fork in forks]
    run_with(github, store, github.get(veiled), *telling)
    github.make_private(veiled)
    run(github, store)
    assert NAME not in json.dumps(snapshot(store.url), default=str)
    assert [payload_of(store, fork)["parent"] for fork in forks] == [{"id": veiled}] * 7


@pytest.mark.parametrize("earlier", [True, False], ids=["before", "after"])
def test_a_truncated_payload_does_not_contain_a_redacted_name_either(
    github: Sandbox, store: Store, veiled: int, fork: int, earlier: bool
) -> None:
    run(github, store)
    telling = fork_of(github, fork, veiled)
    first = {name: telling.pop(name) for name in ("id", "parent")}
    broken = {**first, **telling, "name": 7, "homepage": "x" * 70_000}
    if earlier:
        run_with(github, store, github.get(veiled), broken)
    github.make_private(veiled)
    run(github, store, full=True)
    if not earlier:
        run_with(github, store, broken)
    assert len(values(store.url, "SELECT id FROM rejected_items")) == 1
    assert NAME not in json.dumps(snapshot(store.url), default=str)
