"""What every resource that repositories have keeps to, whatever its shape: one suite for all.

A test file gives an `Example`, and what is its own beside it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.conftest import QUICK, TOKEN
from tests.stand_in import StandIn
from tests.support.database import HandClock, Json, snapshot
from tests.support.database_processes import spawned
from tests.support.inside.config import Removals
from tests.support.inside.core import RateLimited
from tests.support.inside.database import (
    CHILDREN,
    COUNTED,
    ROWS,
    ResourceCounts,
    RunCounts,
    Store,
)
from tests.support.inside.github import GitHubClient
from tests.support.inside.load import Choice, Loaded, RunWriter, load_resources
from tests.support.inside.resources import OF_REPOSITORIES, RESOURCES, Figures, Resource
from tests.support.runs import sync


@dataclass(frozen=True, kw_only=True)
class Example:
    """A resource, and answers about one repository: the first, a later one, one of nothing.

    Each is a mapping from routes below a repository, such as `languages`, to JSON values.
    `secrets` are words that the first and the later answer hold, and nothing else. `readings`
    are tables with a row for each reading, also of the same answer.
    """

    resource: Resource | Figures
    first: Mapping[str, Any]
    changed: Mapping[str, Any]
    empty: Mapping[str, Any]
    secrets: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()

    @property
    def tables(self) -> list[str]:
        """The tables of the resource and of what stands in its records."""
        if isinstance(self.resource, Figures):
            counted = ["repository_metrics"] if self.resource.counter else []
            return [ROWS[table].name for table in self.resource.tables] + counted
        family = [r for r in RESOURCES if self.resource in (r, *r.parents)]
        counted = [COUNTED[r.name].name for r in family if r.name in COUNTED]
        return [CHILDREN[r.name].name for r in family] + counted

    @property
    def cost(self) -> int:
        """The number of requests of one answer."""
        return len(self.resource.endpoints)


class Scene:
    """A ledger with one repository that has what `example` says, and runs that load it."""

    def __init__(self, example: Example, github: StandIn, url: str, clock: HandClock) -> None:
        self.example, self.github, self.url, self.clock = example, github, url, clock
        self.path = f"/repositories/*/{next(iter(example.first))}"
        github.now = clock
        if example.resource.due.needs_push:
            github.set_scopes(TOKEN, ("public_repo",))
        self.repository = github.add_repository("octo", "one")
        self.answer_with(example.first)
        self.sync()

    def answer_with(self, answers: Mapping[str, Any]) -> None:
        for route, value in answers.items():
            self.github.set_child(self.repository, route, value)

    def client(self, token: str = TOKEN) -> GitHubClient:
        return GitHubClient(
            token=token, api_url=self.github.url, retry=QUICK, clock=self.clock, reserve=0.1
        )

    def sync(self, **options: Any) -> None:
        """Load the list of repositories, a day and a push later."""
        self.clock.advance(days=1)
        with Store(self.url, clock=self.clock) as store, self.client() as client:
            sync(client, store, **options)

    def push(self) -> None:
        self.github.push(self.repository)
        self.sync()

    def load(self, token: str = TOKEN, account: str = "me", **options: Any) -> ResourceCounts:
        """Load the resource in a run of its own."""
        resources = [self.example.resource]
        return load(self.url, self.client(token), self.clock, account, resources, **options)

    def rows(self) -> dict[str, list[Json]]:
        """Return the rows of the resource's tables, but those of each reading."""
        found, left_out = snapshot(self.url), self.example.readings
        return {name: found[name] for name in self.example.tables if name not in left_out}

    def everything(self) -> dict[str, list[Json]]:
        """Return the rows of all of the resource's tables."""
        found = snapshot(self.url)
        return {name: found[name] for name in self.example.tables}

    def state(self) -> Json:
        (row,) = snapshot(self.url)["resource_states"]
        return row

    def told(self) -> set[str]:
        """Return which of the secrets a row of any table holds."""
        everything = str(snapshot(self.url))
        return {word for word in self.example.secrets if word in everything}


def load(
    url: str,
    client: GitHubClient,
    clock: HandClock,
    account: str,
    resources: list[Resource | Figures],
    every: timedelta | None = None,
    **options: Any,
) -> ResourceCounts:
    """Load resources in a run of its own; return the counts of the first one."""
    loaded = load_all(url, client, clock, account, resources, every, **options)
    return loaded.counts[resources[0].name]


def load_all(
    url: str,
    client: GitHubClient,
    clock: HandClock,
    account: str,
    resources: list[Resource | Figures],
    every: timedelta | None = None,
    **options: Any,
) -> Loaded:
    """Load resources in a run of its own."""
    with Store(url, clock=clock) as store, client:
        run = store.start_run(account, client.host, "test")
        writer = RunWriter(run, store, client.stats)
        try:
            choices = [Choice(resource=each, every=every) for each in resources]
            return load_resources(writer, client, choices, eager=True, **options)
        finally:
            store.finish_run(run, status="succeeded", counts=RunCounts(), complete=False)


class ResourceContract:
    """The tests; a subclass names its `example`."""

    example: Example

    @pytest.fixture
    def scene(self, github: StandIn, ledger_url: str) -> Scene:
        clock = HandClock(datetime.now().astimezone() - timedelta(days=30))
        return Scene(self.example, github, ledger_url, clock)

    def test_new_items_are_stored_and_counted_for_the_run(self, scene: Scene) -> None:
        counts = scene.load()
        assert (counts.asked, counts.deferred, counts.failed) == (scene.example.cost, 0, 0)
        assert counts.stored > 0
        assert all(scene.rows().values())
        assert scene.state()["status"] == "complete"
        told = snapshot(scene.url)["resource_runs"]
        (mine,) = [row for row in told if row["resource"] == scene.example.resource.name]
        assert (mine["asked"], mine["stored"]) == (counts.asked, counts.stored)

    def test_a_repository_that_is_not_due_is_not_requested(self, scene: Scene) -> None:
        scene.load()
        assert scene.load() == ResourceCounts()

    def test_the_same_answer_is_a_304_and_writes_no_row(self, scene: Scene) -> None:
        scene.load()
        before = scene.rows()
        scene.push()
        counts = scene.load()
        assert (counts.asked, counts.not_modified) == (scene.example.cost, scene.example.cost)
        assert scene.rows() == before

    def test_the_same_answer_without_its_etag_writes_no_row_either(self, scene: Scene) -> None:
        scene.load()
        before, log = scene.rows(), snapshot(scene.url)["resource_changes"]
        scene.push()
        done = scene.load(full=True)
        assert (done.asked, done.not_modified) == (scene.example.cost, 0)
        assert scene.rows() == before
        assert snapshot(scene.url)["resource_changes"] == log

    def test_changed_items_are_stored(self, scene: Scene) -> None:
        scene.load()
        before = scene.rows()
        scene.answer_with(scene.example.changed)
        scene.push()
        counts = scene.load()
        assert (counts.asked, counts.not_modified) == (scene.example.cost, 0)
        assert counts.stored > 0
        assert scene.rows() != before

    def test_what_is_gone_stays_and_that_it_is_gone_is_written(self, scene: Scene) -> None:
        scene.load()
        before = scene.everything()
        scene.answer_with(scene.example.empty)
        scene.push()
        assert scene.load().stored > 0
        after = scene.everything()
        assert all(len(after[name]) >= len(before[name]) for name in before)
        assert after != before

    def test_nothing_is_an_answer_too(self, scene: Scene) -> None:
        scene.answer_with(scene.example.empty)
        counts = scene.load()
        assert counts.asked == scene.example.cost
        assert not any(scene.rows().values())
        assert scene.state()["status"] == "complete"

    @pytest.mark.parametrize(
        ("status", "expected", "pause"),
        [
            (403, "refused", timedelta(days=1)),
            (404, "missing", timedelta(0)),
            (410, "off", timedelta(days=7)),
            (451, "blocked", timedelta(days=1)),
            (500, "failed", timedelta(hours=1)),
        ],
    )
    def test_a_refusal_is_noted_and_removes_nothing(
        self, scene: Scene, status: int, expected: str, pause: timedelta
    ) -> None:
        scene.load()
        before = scene.rows()
        scene.push()
        scene.github.fail(9, status, scene.path, body=b'{"message": "No"}')
        counts = scene.load()
        assert counts.stored == 0
        assert scene.rows() == before
        state = scene.state()
        assert (state["status"], state["next_at"]) == (expected, state["checked_at"] + pause)
        scene.github.forgive()
        scene.clock.advance(days=8)
        scene.load()
        assert scene.state()["status"] == "complete"

    def test_a_spent_quota_ends_the_loading_and_what_is_stored_stays(self, scene: Scene) -> None:
        scene.load()
        before = scene.rows()
        scene.push()
        scene.github.set_quota(TOKEN, remaining=0)
        with pytest.raises(RateLimited):
            scene.load()
        assert scene.rows() == before
        told = snapshot(scene.url)["resource_runs"]
        assert [row["deferred"] for row in told if row["resource"] != "repositories"] == [0, 1]

    @pytest.mark.parametrize("on_private", ["redact", "purge"])
    def test_private_columns_are_cleared_when_the_repository_turns_private(
        self, scene: Scene, on_private: Any
    ) -> None:
        scene.load()
        scene.answer_with(scene.example.changed)
        scene.push()
        scene.load()
        assert scene.told() == set(scene.example.secrets)
        scene.github.set_scopes(TOKEN, ("repo",))
        scene.github.make_private(scene.repository)
        scene.sync(removals=Removals(on_private=on_private), accept_removals=True)
        assert scene.told() == set()
        found = snapshot(scene.url)
        assert found["resource_states"] == []
        assert [row for row in found["page_cache"] if row["repository_id"]] == []
        if on_private == "purge":
            assert not any(scene.rows().values())
            assert found["resource_changes"] == []

    def test_items_of_a_repository_that_is_public_again_are_stored_again(
        self, scene: Scene
    ) -> None:
        scene.load()
        before = scene.told()
        scene.github.set_scopes(TOKEN, ("repo",))
        scene.github.make_private(scene.repository)
        scene.sync(removals=Removals(on_private="redact"), accept_removals=True)
        scene.github.make_public(scene.repository)
        scene.sync()
        assert scene.load().not_modified == 0
        assert scene.told() == before

    @pytest.mark.slow
    def test_a_run_that_is_killed_in_the_middle_is_made_up_for_by_the_next(
        self, scene: Scene
    ) -> None:
        arguments = (scene.url, scene.github.url, scene.clock.now, scene.example.resource.name)
        for table in (*scene.example.tables, "resource_states", "page_cache"):
            with spawned(_dies_while_loading) as child:
                child.send((*arguments, table))
                with pytest.raises(EOFError):
                    child.receive()
            assert not any(scene.rows().values()), table
        assert scene.load().stored > 0
        assert all(scene.rows().values())


def _dies_while_loading(pipe: Any) -> None:
    url, api_url, now, name, table = pipe.recv()
    (resource,) = [each for each in OF_REPOSITORIES if each.name == name]

    def die(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if table in statement and statement.lstrip().upper().startswith(("INSERT", "UPDATE")):
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", die)
    client = GitHubClient(token=TOKEN, api_url=api_url, retry=QUICK, clock=HandClock(now))
    load(url, client, HandClock(now), "me", [resource])
    pipe.send("it got to the end")
