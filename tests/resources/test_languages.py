"""Languages: a set that is kept whole for the days on which it changed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.resources.contract import Example, ResourceContract, Scene
from tests.support.inside.resources import LANGUAGES

pytestmark = pytest.mark.slow_on_servers


class TestLanguages(ResourceContract):
    example = Example(
        resource=LANGUAGES,
        first={"languages": {"Brainfuck": 1234, "Whitespace": 5}},
        changed={"languages": {"Brainfuck": 1300, "Malbolge": 7}},
        empty={"languages": {}},
        secrets=("Brainfuck", "Whitespace", "Malbolge"),
    )

    def test_a_language_that_is_gone_has_0_bytes_on_the_day_that_it_went(
        self, scene: Scene
    ) -> None:
        scene.load()
        scene.answer_with(self.example.changed)
        scene.push()
        scene.load()
        sizes = [(row["language"], row["bytes"]) for row in scene.rows()["repository_languages"]]
        first, then = sorted(sizes[:2]), sorted(sizes[2:])
        assert first == [("Brainfuck", 1234), ("Whitespace", 5)]
        assert then == [("Brainfuck", 1300), ("Malbolge", 7), ("Whitespace", 0)]

    def test_of_two_changes_in_a_day_the_last_one_is_kept(self, scene: Scene) -> None:
        scene.load()
        for size in (10, 20):
            scene.answer_with({"languages": {"C": size}})
            scene.github.push(scene.repository)
            scene.clock.advance(days=-1)
            scene.push()
            scene.load(every=timedelta(minutes=10))
            scene.clock.advance(minutes=20)
        days = [row["day"] for row in scene.rows()["repository_languages"]]
        assert len(set(days)) == 1
        sizes = {row["language"]: row["bytes"] for row in scene.rows()["repository_languages"]}
        assert sizes == {"C": 20}

    def test_a_repository_is_asked_again_after_a_push_alone(self, scene: Scene) -> None:
        scene.load()
        scene.clock.advance(days=400)
        scene.sync()
        assert scene.load().asked == 0
        scene.push()
        assert scene.load().asked == 1

    def test_an_answer_of_another_shape_fails_for_this_repository_alone(self, scene: Scene) -> None:
        scene.answer_with({"languages": {"C": "many"}})
        assert scene.load().failed == 1
        assert scene.state()["detail"].startswith("UnexpectedAnswer: ")

    def test_a_server_that_fails_again_and_again_is_left_alone_until_the_next_run(
        self, scene: Scene
    ) -> None:
        for number in range(9):
            scene.github.add_repository("octo", f"more-{number}")
        scene.sync()
        scene.github.fail(100, 502, scene.path)
        counts = scene.load()
        assert (counts.failed, counts.deferred) == (5, 5)
        scene.github.forgive()
        assert scene.load().asked == 5  # those that failed wait for an hour
