"""Odd answers about releases and their assets: what can be read is stored, the rest set aside."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import TOKEN
from tests.resources.contract import Scene
from tests.resources.test_downloads import TestReleases, asset, release
from tests.stand_in import StandIn
from tests.support.database import HandClock, Json, snapshot, values
from tests.support.inside.config import Removals

# What is read of an answer does not depend on the database; the contract runs on each of them.
pytestmark = pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)

FALLBACKS: dict[str, Any] = {"node_id": [], "label": 5, "content_type": {}, "digest": "x" * 256}


@pytest.fixture
def scene(github: StandIn, ledger_url: str) -> Scene:
    return Scene(TestReleases.example, github, ledger_url, HandClock())


def tell(scene: Scene, *releases: Json) -> None:
    scene.answer_with({"releases": list(releases)})


def without(field: str, **given: Any) -> Json:
    told = asset(11, **given)
    del told[field]
    return told


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *FALLBACKS.items(),
        ("state", "s" * 65),
        ("created_at", "yesterday"),
        ("created_at", "0001-01-01T00:00:00+14:00"),
        ("updated_at", "2026-01-02T03:04:05"),
        ("updated_at", 5),
        ("uploader", "somebody"),
    ],
)
def test_an_odd_optional_value_of_an_asset_is_null_and_its_release_is_stored(
    scene: Scene, field: str, value: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(scene, release(1, asset(11, **{field: value}), asset(12)), release(2, asset(21)))
    counts = scene.load()
    assert (counts.stored, counts.skipped) == (5, 0)
    found = {row["id"]: row for row in snapshot(scene.url)["release_assets"]}
    column = "uploader_login" if field == "uploader" else field
    assert found[11][column] is None
    assert found[12][column] is not None
    (told,) = [line for line in capsys.readouterr().out.splitlines() if "item.mended" in line]
    assert f"assets[0].{field} is not " in told
    assert "resource=downloads" in told


def test_an_odd_value_within_the_uploader_is_null_alone(scene: Scene) -> None:
    tell(scene, release(1, asset(11, uploader={"login": 7})))
    assert scene.load().skipped == 0
    assert values(scene.url, "SELECT uploader_login FROM release_assets") == [(None,)]


UNREADABLE = [
    *(asset(11, download_count=odd) for odd in (-1, "3", 1.5, 2**62, 2**63, None)),
    *(asset(11, size=odd) for odd in (-1, "10", None)),
    asset(11, name=None),
    without("name"),
    without("download_count"),
]


@pytest.mark.parametrize("odd", UNREADABLE, ids=str)
def test_an_asset_that_cannot_be_read_is_set_aside_alone_and_keeps_what_was_known(
    scene: Scene, odd: Json
) -> None:
    tell(scene, release(1, asset(11), asset(12)))
    scene.load()
    tell(scene, release(1, odd, asset(12, download_count=5)))
    scene.push()
    counts = scene.load()
    assert (counts.stored, counts.skipped) == (1, 1)
    found = snapshot(scene.url)
    (kept,) = found["rejected_items"]
    assert (kept["resource"], kept["repository_id"]) == ("downloads", scene.repository)
    assert kept["reason"].startswith("assets: ")
    assert "hush.zip" in kept["payload"] or "name" not in odd or odd["name"] is None
    told = [(r["id"], r["download_count"], r["removed_at"]) for r in found["release_assets"]]
    assert told == [(11, 3, None), (12, 5, None)]
    scene.push()
    assert scene.load().not_modified == 0  # until all of it could be read


@pytest.mark.parametrize("odd", [None, "hush.zip", [], {}, 7, {"id": 0}, {"id": "11"}], ids=str)
def test_next_to_an_asset_without_an_id_none_of_its_release_counts_as_gone(
    scene: Scene, odd: Any
) -> None:
    tell(scene, release(1, asset(11), asset(12)), release(2, asset(21), asset(22)))
    scene.load()
    tell(scene, release(1, odd, asset(12)), release(2, asset(21)))
    scene.push()
    assert scene.load().skipped == 1
    gone = "SELECT id FROM release_assets WHERE removed_at IS NOT NULL"
    assert values(scene.url, gone) == [(22,)]


@pytest.mark.parametrize("odd", [None, "none", {}, 5], ids=str)
def test_a_release_whose_assets_are_no_list_is_set_aside_and_none_of_them_is_gone(
    scene: Scene, odd: Any
) -> None:
    tell(scene, release(1, asset(11)), release(2, asset(21)))
    scene.load()
    tell(scene, release(1, asset(11)) | {"assets": odd}, release(2, asset(21)))
    scene.push()
    assert scene.load().skipped == 1
    gone = "SELECT id FROM release_assets WHERE removed_at IS NOT NULL"
    assert values(scene.url, gone) == []


def test_what_was_set_aside_of_an_asset_goes_when_the_repository_turns_private(
    scene: Scene,
) -> None:
    tell(scene, release(1, asset(11, download_count=-1)))
    scene.load()
    assert "hush.zip" in scene.told()
    scene.github.set_scopes(TOKEN, ("repo",))
    scene.github.make_private(scene.repository)
    scene.sync(removals=Removals(on_private="redact"), accept_removals=True)
    assert scene.told() == set()


@pytest.mark.parametrize("answer", [{}, None, 7, "releases", {"message": "no"}], ids=str)
def test_an_answer_that_is_no_list_changes_nothing(scene: Scene, answer: Any) -> None:
    scene.load()
    before = scene.rows()
    scene.answer_with({"releases": answer})
    scene.push()
    assert scene.load().failed == 1
    assert scene.rows() == before


def test_a_release_with_5_000_assets_is_stored_whole(scene: Scene) -> None:
    many = [asset(id_, f"{id_}.zip") for id_ in range(1, 5001)]
    tell(scene, release(1, *many))
    assert scene.load().stored == 5001
    counted = "SELECT count(*), sum(download_count) FROM asset_downloads"
    assert [(int(n), int(total)) for n, total in values(scene.url, counted)] == [(5000, 15000)]
    many[4321]["download_count"] += 1
    tell(scene, release(1, *many))
    scene.push()
    assert scene.load().stored == 1
