"""Objects that GitHub really sent, served and synced: every one arrives, with the right values."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sync.database.queries import Ledger
from sync.database.store import Store
from sync.github.client import GitHubClient
from sync.github.sandbox import Sandbox
from sync.outcome import RunOutcome
from sync.runner import run_sync
from tests.support.ledger import contents, rows

_BESIDE = Path(__file__).parents[2] / "shared" / "corpus"
FILE = Path(os.environ.get("REPOLEDGER_TEST_CORPUS", _BESIDE)) / "repositories.jsonl"

SEES_ALL = "a-token-that-sees-private-ones"  # a few of the objects are private

pytestmark = pytest.mark.skipif(
    not FILE.exists(), reason="no corpus of real objects; $REPOLEDGER_TEST_CORPUS names its folder"
)


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def corpus(github: Sandbox, objects: list[dict[str, Any]]) -> Sandbox:
    github.add_token("octo", SEES_ALL, scopes=("repo",))
    for item in objects:
        github.add_object(item, listed_by="octo")
    return github


def sync(github: Sandbox, store: Store) -> RunOutcome:
    github.clear_requests()
    with GitHubClient(token=SEES_ALL, api_url=github.url) as client:
        return run_sync(account="me", client=client, store=store, trigger="test", visibility="all")


def test_every_object_becomes_a_row_with_its_values(
    corpus: Sandbox, store: Store, objects: list[dict[str, Any]]
) -> None:
    outcome = sync(corpus, store)
    assert (outcome.status, outcome.counts.inserted, outcome.counts.rejected) == (
        *("succeeded", len(objects)),
        0,
    )
    with Ledger(store.url) as ledger:
        stored = {row["id"]: row for row in ledger.repos()}
    for item in objects:
        assert _shown(stored[item["id"]]) == _expected(item)


def test_the_payload_is_the_object_as_received(
    corpus: Sandbox, store: Store, objects: list[dict[str, Any]]
) -> None:
    sync(corpus, store)
    payloads = dict(rows(store.url, "SELECT id, payload FROM repositories"))
    for item in objects:
        item.pop("temp_clone_token", None)
        assert json.loads(payloads[item["id"]]) == item


def test_the_second_run_is_answered_304_throughout_and_writes_nothing(
    corpus: Sandbox, store: Store
) -> None:
    sync(corpus, store)
    before = contents(store.url)
    outcome = sync(corpus, store)
    assert {request.status for request in corpus.requests} == {304}
    assert (outcome.counts.inserted, outcome.counts.updated) == (0, 0)
    assert contents(store.url) == before


def test_one_changed_description_is_one_updated_row_and_one_line(
    corpus: Sandbox, store: Store, objects: list[dict[str, Any]]
) -> None:
    sync(corpus, store)
    chosen = objects[321]
    corpus.edit(chosen["id"], description="Changed at the server")
    outcome = sync(corpus, store)
    assert (outcome.counts.updated, outcome.counts.unchanged) == (1, len(objects) - 1)
    assert rows(
        store.url, "SELECT repository_id, field, old_value, new_value FROM repository_changes"
    ) == [(chosen["id"], "description", chosen["description"], "Changed at the server")]


_NESTED = {
    "owner_id": ("owner", "id"),
    "owner_login": ("owner", "login"),
    "owner_type": ("owner", "type"),
    "license_spdx_id": ("license", "spdx_id"),
}
_TIMES = ("created_at", "updated_at", "pushed_at")
_OURS = {"host", "first_seen_at", "changed_at", "removed_at", "removal_reason"}


def _shown(row: Any) -> dict[str, Any]:
    values = {name: value for name, value in row.items() if name not in _OURS}
    for name in _TIMES:
        if values[name] is not None:
            values[name] = values[name].strftime("%Y-%m-%dT%H:%M:%SZ")
    return values


def _expected(item: dict[str, Any]) -> dict[str, Any]:
    from sync.database.tables import FIELDS

    values: dict[str, Any] = {"id": item["id"]}
    for name in FIELDS:
        outer, inner = _NESTED.get(name, (name, None))
        value = item.get(outer)
        values[name] = value[inner] if inner and value is not None else value
    return values
