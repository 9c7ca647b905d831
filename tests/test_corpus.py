"""Objects that GitHub really sent, served and synced: every one arrives, with the right values."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sync.sandbox import Sandbox
from tests.support.database import HandClock, execute
from tests.support.inside.database import ROWS, Ledger, Store, compare, metadata
from tests.support.inside.database import snapshot as opened
from tests.support.inside.github import GitHubClient
from tests.support.inside.run import RunOutcome
from tests.support.ledger import contents, rows
from tests.support.runs import sync

_BESIDE = Path(__file__).parents[2] / "shared" / "corpus"
FILE = Path(os.environ.get("REPOLEDGER_TEST_CORPUS", _BESIDE)) / "repositories.jsonl"

SEES_ALL = "a-token-that-sees-private-ones"  # a few of the objects are private

pytestmark = [
    pytest.mark.skipif(
        not FILE.exists(),
        reason="no corpus of real objects; $REPOLEDGER_TEST_CORPUS names its folder",
    ),
    pytest.mark.slow_on_servers,
]


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def corpus(github: Sandbox, objects: list[dict[str, Any]]) -> Sandbox:
    github.add_token("octo", SEES_ALL, scopes=("repo",))
    for item in objects:
        github.add_object(item, listed_by="octo")
    return github


def sync_all(github: Sandbox, store: Store) -> RunOutcome:
    github.clear_requests()
    with GitHubClient(token=SEES_ALL, api_url=github.url) as client:
        return sync(client, store, visibility="all")


def test_every_object_becomes_a_row_with_its_values(
    corpus: Sandbox, store: Store, objects: list[dict[str, Any]]
) -> None:
    outcome = sync_all(corpus, store)
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
    sync_all(corpus, store)
    payloads = dict(rows(store.url, "SELECT id, payload FROM repositories"))
    for item in objects:
        item.pop("temp_clone_token", None)
        assert json.loads(payloads[item["id"]]) == item


@pytest.mark.matrix("always.unchanged")
def test_the_second_run_is_answered_304_throughout_and_writes_nothing(
    corpus: Sandbox, store: Store
) -> None:
    sync_all(corpus, store)
    before = contents(store.url)
    outcome = sync_all(corpus, store)
    assert {request.status for request in corpus.requests} == {304}
    assert (outcome.counts.inserted, outcome.counts.updated) == (0, 0)
    assert contents(store.url) == before


def test_one_changed_description_is_one_updated_row_and_one_line(
    corpus: Sandbox, store: Store, objects: list[dict[str, Any]]
) -> None:
    sync_all(corpus, store)
    chosen = objects[321]
    corpus.edit(chosen["id"], description="Changed at the server")
    outcome = sync_all(corpus, store)
    assert (outcome.counts.updated, outcome.counts.unchanged) == (1, len(objects) - 1)
    assert rows(
        store.url,
        "SELECT repository_id, field, old_value, new_value FROM repository_changes "
        "WHERE field <> 'created'",
    ) == [(chosen["id"], "description", chosen["description"], "Changed at the server")]


# One of each oddity that GitHub, or somebody who answers in its place, may send.
ODD: list[dict[str, Any]] = [
    {"description": "a\0b\ud83dc", "homepage": "\0" * 9},
    {"description": "\N{GRINNING FACE}\u0301\\ ' \" \x01 %s :x", "language": "C++ "},
    {"description": "x" * 10_000_000},
    {"description": "é" * 200_000, "default_branch": "b" * 70_000},
    {"id": 2**63 - 1, "stargazers_count": 2**53 + 1, "size": 2**63 - 1},
    {"id": 2**63},
    {"id": True},
    {"id": "5"},
    {"id": None},
    {"name": None},
    {"full_name": 7},
    {"name": "x" * 256},
    {"owner": None, "license": None, "topics": None, "fork": None, "pushed_at": None},
    {"topics": ["\N{GRINNING FACE}", "", "a b", '"']},
    {"unknown": {"deep": [1, None]}},
    {"created_at": "2026-01-01T00:00:00.123456+02:00", "updated_at": "soon", "pushed_at": 5},
    {"created_at": "0001-01-01T00:00:00Z", "updated_at": "9999-12-31T23:59:59.999999Z"},
    {"name": "SAME", "full_name": "octo/SAME"},
    {"name": "same", "full_name": "octo/same"},
    {"name": "same", "full_name": "octo/same"},
    {"html_url": "", "language": "", "visibility": ""},
    {"archived": 1},
    {"stargazers_count": -1},
]


@pytest.mark.matrix(
    "data.nul",
    "data.surrogate",
    "data.large-id",
    "data.bad-id",
    "data.missing-optional",
    "data.long-text",
    "data.time-offset",
    "data.emoji",
    "data.reused-name",
    "data.case",
)
def test_real_objects_and_odd_ones_become_the_same_rows_in_every_database(
    corpus: Sandbox, objects: list[dict[str, Any]], new_sqlite_ledger: Path, ledger_url: str
) -> None:
    """Three runs: all is new, some has changed, nothing has."""
    for position, oddity in enumerate(ODD):
        odd = {"id": 900_000_000 + position, "node_id": f"R_odd{position}", **oddity}
        corpus.add_object({**objects[position], **odd}, listed_by="octo")
    clock = HandClock()
    first = f"sqlite:///{new_sqlite_ledger.with_name(f'{uuid4().hex}.db')}"
    shutil.copyfile(new_sqlite_ledger, first.removeprefix("sqlite:///"))
    with Store(first, clock=clock) as reference, Store(ledger_url, clock=clock) as other:
        for step in range(3):
            if step == 1:
                for item in objects[::7]:
                    corpus.edit(item["id"], description="new", stargazers_count=10**9)
            outcomes = [sync_all(corpus, each).counts.as_dict() for each in (reference, other)]
            assert outcomes[0] == outcomes[1]
            clock.advance(days=1, microseconds=1)
    assert outcomes[0]["rejected"] == 7
    for url in (first, ledger_url):  # less was left of the quota when the second one was filled
        execute(url, "UPDATE sync_runs SET rate_limit_remaining = 1")
    stop = threading.Event()
    with opened(first, stop) as here, opened(ledger_url, stop) as there:
        compared = list(compare(here, there))
    assert [each for each in compared if not each.identical] == []
    filled = {each.table for each in compared if each.rows_there}
    unused = {"departures", "resource_changes", "resource_states"}  # nothing left, no resources
    unused |= {"repository_languages", "releases", "release_assets", "asset_downloads"}
    unused |= {"forks", *(table.name for table in ROWS.values())}
    assert filled == set(metadata.tables) - unused


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
    from tests.support.inside.database import FIELDS

    values: dict[str, Any] = {"id": item["id"]}
    for name in FIELDS:
        outer, inner = _NESTED.get(name, (name, None))
        value = item.get(outer)
        values[name] = value[inner] if inner and value is not None else value
    return values
