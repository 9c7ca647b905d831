"""Forks: a list of repositories that belong to others, of which private ones are not stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.conftest import TOKEN
from tests.resources.contract import Example, ResourceContract, Scene
from tests.stand_in import StandIn
from tests.support.database import HandClock, Json, snapshot, values
from tests.support.inside.config import Removals
from tests.support.inside.resources import FORKS

pytestmark = pytest.mark.slow_on_servers


def fork(id_: int, **fields: Any) -> Json:
    return {
        "id": id_,
        "node_id": f"R_fork{id_}",
        "name": f"confidential-{id_}",
        "full_name": f"somebody/confidential-{id_}",
        "private": False,
        "owner": {"login": "somebody", "id": 77, "type": "User"},
        "html_url": "https://hidden.example",
        "created_at": "2026-01-02T03:04:05Z",
        "pushed_at": "2026-01-02T03:04:05Z",
        "updated_at": "2026-01-02T03:04:05Z",
        "stargazers_count": 2,
        **fields,
    }


class ForkedScene(Scene):
    """The listing has the number of forks, which moves where other resources see a push."""

    def answer_with(self, answers: Mapping[str, Any]) -> None:
        told = self.github.get(self.repository)["forks_count"]
        self.github.edit(self.repository, forks_count=max(told, 9))
        super().answer_with(answers)

    def push(self) -> None:
        told = self.github.get(self.repository)["forks_count"]
        self.github.edit(self.repository, forks_count=told + 1)
        self.sync()


class TestForks(ResourceContract):
    example = Example(
        resource=FORKS,
        first={"forks": [fork(91), fork(92)]},
        changed={"forks": [fork(91, name="confidential-one"), fork(93)]},
        empty={"forks": []},
        secrets=("confidential-", "hidden.example", "somebody"),
    )

    @pytest.fixture
    def scene(self, github: StandIn, ledger_url: str) -> Scene:
        clock = HandClock(datetime.now().astimezone() - timedelta(days=30))
        return ForkedScene(self.example, github, ledger_url, clock)

    def current(self, scene: Scene) -> list[int]:
        found = values(scene.url, "SELECT id FROM forks WHERE removed_at IS NULL ORDER BY id")
        return [id_ for (id_,) in found]

    def test_a_repository_without_forks_is_not_requested(self, scene: Scene) -> None:
        scene.github.edit(scene.repository, forks_count=0)
        scene.sync()
        assert scene.load().asked == 0

    def test_the_oldest_come_first_so_that_a_new_one_moves_no_page(self, scene: Scene) -> None:
        many = [fork(id_) for id_ in range(1001, 1251)]
        scene.answer_with({"forks": many})
        assert scene.load().asked == 3
        asked = [r.query for r in scene.github.requests if r.path.endswith("/forks")]
        assert {query["sort"] for query in asked} == {"oldest"}
        scene.answer_with({"forks": [*many, fork(1251)]})
        scene.push()
        counts = scene.load()
        assert (counts.asked, counts.not_modified, counts.stored) == (3, 2, 1)

    def test_a_private_fork_is_not_stored(self, scene: Scene) -> None:
        scene.answer_with({"forks": [fork(91, private=True), fork(92, name="other")]})
        assert scene.load().stored == 1
        assert self.current(scene) == [92]
        assert "confidential-91" not in str(snapshot(scene.url))

    @pytest.mark.parametrize("odd", [{"private": True, "id": "x"}, {"private": "no"}], ids=str)
    def test_of_a_fork_that_cannot_be_read_and_may_be_private_no_text_is_kept(
        self, scene: Scene, odd: Json
    ) -> None:
        scene.answer_with({"forks": [fork(91, **odd), fork(92)]})
        assert scene.load().skipped == 1
        assert "confidential-91" not in str(snapshot(scene.url))

    def test_a_fork_that_turns_private_is_removed_without_its_texts(self, scene: Scene) -> None:
        scene.load()
        scene.answer_with({"forks": [fork(91, private=True), fork(92)]})
        scene.push()
        scene.load()
        assert self.current(scene) == [92]
        assert "confidential-91" not in str(snapshot(scene.url))
        scene.answer_with(self.example.first)
        scene.push()
        scene.load()
        assert self.current(scene) == [91, 92]
        assert "confidential-91" in str(snapshot(scene.url))

    def test_a_push_to_a_fork_is_stored_and_not_logged(self, scene: Scene) -> None:
        scene.load()
        before = snapshot(scene.url)["resource_changes"]
        scene.answer_with({"forks": [fork(91, pushed_at="2026-02-02T03:04:05Z"), fork(92)]})
        scene.push()
        assert scene.load().stored == 1
        assert snapshot(scene.url)["resource_changes"] == before

    @pytest.mark.parametrize("on_private", ["redact", "purge"])
    def test_a_fork_that_the_account_lists_is_a_row_of_its_own_and_turns_private_in_both(
        self, scene: Scene, on_private: Any
    ) -> None:
        mine = scene.github.add_repository("octo", "unusual-name")
        scene.sync()
        before = [r for r in snapshot(scene.url)["repositories"] if r["id"] == mine]
        told = scene.github.get(mine)
        scene.answer_with({"forks": [told, fork(92)]})
        scene.push()
        scene.load()
        assert [r for r in snapshot(scene.url)["repositories"] if r["id"] == mine] == before
        assert self.current(scene) == sorted([92, mine])
        scene.github.set_scopes(TOKEN, ("repo",))
        scene.github.make_private(mine)
        scene.sync(removals=Removals(on_private=on_private), accept_removals=True)
        assert "unusual-name" not in str(snapshot(scene.url))
