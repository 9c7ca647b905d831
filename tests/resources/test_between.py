"""What happens to a repository between the listing and a request for one of its resources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import TOKEN
from tests.stand_in import StandIn
from tests.support.answering import Answering
from tests.support.database import snapshot

pytestmark = pytest.mark.slow_on_servers


@pytest.fixture(params=["languages", "downloads"])
def scene(request: pytest.FixtureRequest, github: StandIn, ledger_url: str) -> Answering:
    return Answering(github, ledger_url, request.param)


def at_the_first_request(scene: Answering, change: Callable[[], object]) -> None:
    """Do this when the list has been read and a resource is asked for."""
    github = scene.github

    def look(request: Any) -> None:
        if request.path.startswith("/repositories/") and request.path.count("/") > 2:
            github.on_request = None
            change()

    github.on_request = look


def test_a_redirect_is_followed_to_the_same_repository(scene: Answering) -> None:
    one = scene.add("one")
    path = f"/repositories/{one}/{scene.route}"
    scene.github.fail(1, 301, path, {"Location": f"{scene.github.url}{path}?moved=1"}, b"{}")
    scene.run()
    assert (scene.status(one), scene.requests(one)) == ("complete", 2)


@pytest.mark.parametrize("elsewhere", ["another repository", "another server"])
def test_a_redirect_or_a_link_that_leads_elsewhere_fails_for_this_repository_alone(
    scene: Answering, elsewhere: str
) -> None:
    one, other = scene.add("one"), scene.add("other")
    with StandIn() as foreign:
        base = scene.github.url if elsewhere == "another repository" else foreign.url
        location = {"Location": f"{base}/repositories/{other}/{scene.route}"}
        scene.github.fail(9, 301, f"/repositories/{one}/{scene.route}", location, b"{}")
        assert scene.run().status == "succeeded"
        assert foreign.requests == []
    assert (scene.status(one), scene.stored(one)) == ("failed", [])
    assert scene.status(other) == "complete"


@pytest.mark.parametrize("change", ["renamed", "transferred"])
def test_a_repository_with_another_name_keeps_its_rows(scene: Answering, change: str) -> None:
    scene.github.add_user("hubber")
    one, other = scene.add("one"), scene.add("other")
    at_the_first_request(
        scene,
        (lambda: scene.github.rename(one, "new"))
        if change == "renamed"
        else (lambda: scene.github.transfer(one, "hubber", stay=True)),
    )
    scene.run()
    assert scene.status(one) == scene.status(other) == "complete"
    assert len(scene.stored(one)) == len(scene.stored(other)) == 1


def test_a_deleted_repository_has_no_rows_of_the_one_that_takes_its_name(scene: Answering) -> None:
    one, made = scene.add("one"), []

    def change() -> None:
        scene.github.delete(one)
        made.append(scene.add("one"))

    at_the_first_request(scene, change)
    scene.run()
    assert (scene.status(one), scene.stored(one)) == ("missing", [])
    scene.clock.advance(hours=1)
    scene.run(accept_removals=True)
    assert len(scene.stored(*made)) == 1
    assert scene.stored(one) == []


def test_a_repository_that_turns_private_leaves_no_word(scene: Answering) -> None:
    scene.github.set_scopes(TOKEN, ("repo",))
    one, other = scene.add("one"), scene.add("other")
    at_the_first_request(scene, lambda: scene.github.make_private(one))
    scene.run()
    scene.clock.advance(hours=1)
    scene.run(accept_removals=True)
    told = [row for row in scene.stored(one) if row.get("tag_name") or row.get("language")]
    assert told == []
    assert [
        row for row in snapshot(scene.url)["resource_states"] if row["repository_id"] == one
    ] == []
    assert scene.status(other) == "complete"


@pytest.mark.slow
def test_ten_thousand_refused_repositories_cost_a_few_requests(
    github: StandIn, ledger_url: str
) -> None:
    scene = Answering(github, ledger_url, "traffic")
    for n in range(10_000):
        scene.add(f"repo-{n:05}")
    github.answer_child("traffic/*", "no push")
    assert scene.run().status == "succeeded"
    assert 3 <= scene.requests() <= 3 + 5
    assert scene.told("resource.refused") == ["warning"]
    scene.clock.advance(hours=12)
    outcome = scene.run()
    assert (outcome.status, scene.requests()) == ("succeeded", 0)
