"""Releases with their assets: a list whose items hold others, with a counter by the day."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import TOKEN
from tests.resources.contract import Example, ResourceContract, Scene
from tests.support.database import Json, execute, snapshot, values
from tests.support.inside.config import Removals
from tests.support.inside.database import Store
from tests.support.inside.resources import DOWNLOADS
from tests.support.runs import sync

pytestmark = pytest.mark.slow_on_servers


def asset(id_: int, name: Any = "hush.zip", **fields: Any) -> Json:
    return {
        "id": id_,
        "node_id": f"RA_{id_}",
        "name": name,
        "label": "cloaked",
        "state": "uploaded",
        "content_type": "application/zip",
        "size": 10,
        "digest": "sha256:veiled",
        "download_count": 3,
        "created_at": "2026-01-02T03:04:05Z",
        "updated_at": "2026-01-02T03:04:05Z",
        "uploader": {"login": "somebody-known", "id": 5},
        **fields,
    }


def release(id_: int, *assets: Json, **fields: Any) -> Json:
    return {
        "id": id_,
        "node_id": f"RE_{id_}",
        "tag_name": f"confidential-{id_}",
        "target_commitish": "former",
        "name": "Brainfuck",
        "body": "sworn to silence",
        "draft": False,
        "prerelease": False,
        "immutable": True,
        "created_at": "2026-01-02T03:04:05Z",
        "published_at": "2026-01-02T03:04:05Z",
        "updated_at": "2026-01-02T03:04:05Z",
        "author": {"login": "somebody-known", "id": 5},
        "html_url": "https://hidden.example",
        "assets": list(assets),
        **fields,
    }


class TestReleases(ResourceContract):
    example = Example(
        resource=DOWNLOADS,
        first={"releases": [release(2, asset(21), asset(22)), release(1, asset(11))]},
        changed={
            "releases": [release(3, asset(31)), release(2, asset(21, download_count=9)), release(1)]
        },
        empty={"releases": []},
        secrets=(
            *("hush.zip", "cloaked", "sha256:veiled", "confidential-", "former", "Brainfuck"),
            *("sworn to silence", "hidden.example", "somebody-known"),
        ),
    )

    def log(self, scene: Scene) -> list[tuple[Any, ...]]:
        """Return what the log tells of each item, after the first answer."""
        told = "SELECT resource, item_id, field, old_value, new_value FROM resource_changes"
        return values(scene.url, f"{told} WHERE field <> 'created' ORDER BY id")

    def test_a_change_is_logged_field_by_field(self, scene: Scene) -> None:
        scene.load()
        created = values(scene.url, "SELECT resource, item_id FROM resource_changes ORDER BY id")
        assert created == [
            *(("releases", id_) for id_ in (1, 2)),
            *(("release_assets", id_) for id_ in (11, 21, 22)),
        ]
        scene.answer_with(
            {"releases": [release(2, asset(21, name="other"), asset(22), name="Two"), release(1)]}
        )
        scene.push()
        scene.load()
        assert self.log(scene)[:2] == [
            ("releases", 2, "name", "Brainfuck", "Two"),
            ("release_assets", 21, "name", "hush.zip", "other"),
        ]
        (gone,) = self.log(scene)[2:]
        assert gone[:4] == ("release_assets", 11, "removed_at", None)

    def test_times_are_kept_in_utc_whatever_a_server_sends(self, scene: Scene) -> None:
        scene.load()
        elsewhere = "2026-01-02T05:04:05+02:00"
        first = asset(11, created_at=elsewhere, updated_at="2026-01-02T05:04:05+02:00")
        scene.answer_with({"releases": [release(2, asset(21), asset(22)), release(1, first)]})
        scene.push()
        assert scene.load().stored == 0
        later = asset(11, updated_at="2026-01-02T06:04:05+02:00")
        scene.answer_with({"releases": [release(2, asset(21), asset(22)), release(1, later)]})
        scene.push()
        assert scene.load().stored == 1
        (change,) = self.log(scene)
        assert change[2:] == ("updated_at", "2026-01-02T03:04:05Z", "2026-01-02T04:04:05Z")

    def test_downloads_are_kept_for_the_days_on_which_they_changed(self, scene: Scene) -> None:
        scene.load()
        scene.push()
        scene.load()
        more = asset(21, download_count=9)
        scene.answer_with({"releases": [release(2, more, asset(22)), release(1, asset(11))]})
        scene.push()
        assert scene.load().stored == 1
        kept = "SELECT asset_id, download_count FROM asset_downloads ORDER BY day, asset_id"
        assert values(scene.url, kept) == [(11, 3), (21, 3), (22, 3), (21, 9)]
        assert self.log(scene) == []

    def test_days_in_a_row_on_which_releases_were_read_are_kept(self, scene: Scene) -> None:
        first = scene.clock.now.date()
        scene.load()
        scene.push()  # a day later
        scene.load()
        scene.clock.advance(days=2)
        scene.push()
        scene.load()
        kept = "SELECT first_day, last_day FROM download_readings ORDER BY first_day"
        told = [tuple(str(day) for day in row) for row in values(scene.url, kept)]
        later = first + timedelta(days=4)
        assert told == [
            (str(first), str(first + timedelta(days=1))),
            (str(later), str(later)),
        ]

    def test_downloads_of_a_redacted_repository_are_shown_without_its_name(
        self, scene: Scene
    ) -> None:
        scene.load()
        scene.github.set_scopes(TOKEN, ("repo",))
        scene.github.make_private(scene.repository)
        scene.sync(removals=Removals(on_private="redact"), accept_removals=True)
        shown = "SELECT DISTINCT full_name, total FROM downloads_daily"
        assert values(scene.url, shown) == [(f"octo/[redacted-{scene.repository}]", 9)]

    def test_an_answer_that_is_no_good_is_no_reading(self, scene: Scene) -> None:
        scene.github.fail(9, 500, scene.path)
        scene.load()
        assert values(scene.url, "SELECT * FROM download_readings") == []

    def test_a_release_that_comes_back_is_current_again_with_its_assets(self, scene: Scene) -> None:
        scene.load()
        scene.answer_with({"releases": []})
        scene.clock.advance(days=7)
        scene.push()
        assert scene.load().stored == 5
        gone = "SELECT count(*) FROM {} WHERE removed_at IS NOT NULL"
        told = [values(scene.url, gone.format(t)) for t in ("releases", "release_assets")]
        assert told == [[(2,)], [(3,)]]
        scene.answer_with(self.example.first)
        scene.clock.advance(days=7)
        scene.push()
        assert scene.load().stored == 5
        told = [values(scene.url, gone.format(t)) for t in ("releases", "release_assets")]
        assert told == [[(0,)], [(0,)]]

    def test_a_release_that_cannot_be_read_is_kept_aside_and_the_others_are_stored(
        self, scene: Scene
    ) -> None:
        scene.load()
        scene.answer_with(
            {
                "releases": [
                    release(4),
                    {**release(2), "prerelease": "perhaps"},
                    release(1, asset(11)),
                ]
            }
        )
        scene.push()
        counts = scene.load()
        assert (counts.stored, counts.skipped) == (1, 1)
        found = snapshot(scene.url)
        (kept,) = found["rejected_items"]
        assert (kept["resource"], kept["repository_id"]) == ("downloads", scene.repository)
        assert [row["removed_at"] for row in found["releases"]] == [None] * 3
        scene.push()
        assert scene.load().not_modified == 0  # until all of it could be read

    def test_releases_on_several_pages_are_one_answer(self, scene: Scene) -> None:
        many = [release(id_) for id_ in range(250, 0, -1)]
        scene.answer_with({"releases": many})
        assert scene.load().asked == 3
        scene.answer_with({"releases": many[:120] + many[121:]})
        scene.clock.advance(days=7)
        scene.push()
        counts = scene.load()
        assert (counts.asked, counts.not_modified, counts.stored) == (3, 1, 1)
        gone = "SELECT id FROM releases WHERE removed_at IS NOT NULL"
        assert values(scene.url, gone) == [(many[120]["id"],)]

    def test_a_row_that_somebody_has_deleted_comes_back(self, scene: Scene) -> None:
        scene.load()
        execute(
            scene.url,
            "DELETE FROM asset_downloads",
            "DELETE FROM release_assets",
            "DELETE FROM releases",
        )
        for _ in range(2):  # a 304 tells that something is missing, the next answer brings it
            scene.push()
            scene.load()
        assert all(scene.rows().values())

    def test_a_draft_is_gone_only_for_who_was_shown_it(self, scene: Scene) -> None:
        scene.github.set_scopes(TOKEN, ("public_repo",))
        scene.answer_with({"releases": [release(7, draft=True), release(1)]})
        scene.load()
        other = "ghp_" + "u9" * 18
        scene.github.add_user("hubber", token=other)
        scene.github.add_collaborator("hubber", scene.repository)
        with Store(scene.url, clock=scene.clock) as store, scene.client(other) as client:
            sync(client, store, account="other")
        scene.load(other, "other")
        gone = "SELECT id FROM releases WHERE removed_at IS NOT NULL"
        assert values(scene.url, gone) == []
        scene.answer_with({"releases": [release(1)]})
        scene.clock.advance(days=7)
        scene.push()
        scene.load()
        assert values(scene.url, gone) == [(7,)]

    def total(self, scene: Scene) -> int:
        """Return all downloads so far, of assets that are gone too."""
        last = "SELECT max(day) FROM asset_downloads n WHERE n.asset_id = d.asset_id"
        counted = f"SELECT sum(download_count) FROM asset_downloads d WHERE day = ({last})"
        ((total,),) = values(scene.url, counted)
        return int(total)

    def test_a_replaced_asset_begins_anew_and_the_total_of_the_old_one_is_kept(
        self, scene: Scene
    ) -> None:
        scene.answer_with({"releases": [release(1, asset(11, download_count=40))]})
        scene.load()
        scene.answer_with({"releases": [release(1, asset(12, download_count=0))]})
        scene.push()
        scene.load()
        assert self.total(scene) == 40
        scene.answer_with({"releases": [release(1, asset(12, download_count=2))]})
        scene.push()
        scene.load()
        assert self.total(scene) == 42
        kept = "SELECT asset_id, download_count FROM asset_downloads ORDER BY day, asset_id"
        assert values(scene.url, kept) == [(11, 40), (12, 0), (12, 2)]
        (gone,) = values(scene.url, "SELECT id FROM release_assets WHERE removed_at IS NOT NULL")
        assert gone == (11,)

    def test_an_asset_that_is_replaced_between_two_pages_is_the_one_told_last(
        self, scene: Scene
    ) -> None:
        others = [release(id_) for id_ in range(200, 101, -1)]
        scene.answer_with({"releases": [*others, release(1, asset(11)), release(2)]})
        scene.load()
        shifted = [*others, release(1, asset(11)), release(1, asset(12, download_count=0))]
        scene.answer_with({"releases": [*shifted, release(2)]})
        scene.push()
        scene.load()
        current = "SELECT id FROM release_assets WHERE removed_at IS NULL"
        assert values(scene.url, current) == [(12,)]
        assert self.total(scene) == 3

    def test_downloads_of_the_oldest_release_are_read_as_often_as_those_of_the_newest(
        self, scene: Scene
    ) -> None:
        newer = [release(id_) for id_ in range(250, 1, -1)]
        scene.answer_with({"releases": [*newer, release(1, asset(11))]})
        scene.load()
        scene.answer_with({"releases": [*newer, release(1, asset(11, download_count=8))]})
        scene.clock.advance(days=1)
        scene.sync()  # nothing was pushed, and nothing was released
        counts = scene.load()
        assert (counts.asked, counts.not_modified, counts.stored) == (3, 2, 1)
        assert self.total(scene) == 8

    def test_a_changed_etag_alone_is_no_change(self, scene: Scene) -> None:
        scene.load()
        before = scene.rows()
        body = json.dumps(self.example.first["releases"]).encode()
        scene.github.fail(1, 200, scene.path, {"ETag": '"another"'}, body)
        scene.push()
        counts = scene.load()
        assert (counts.asked, counts.not_modified, counts.stored) == (1, 0, 0)
        assert scene.rows() == before

    def test_only_the_etag_tells_whether_an_answer_is_the_same(self, scene: Scene) -> None:
        body = json.dumps(self.example.first["releases"]).encode()
        dated = {"ETag": '"first"', "Last-Modified": "Mon, 02 Mar 2026 10:00:00 GMT"}
        scene.github.fail(1, 200, scene.path, dated, body)
        scene.load()
        scene.push()
        scene.load()
        asked = [r for r in scene.github.requests if r.path.endswith("/releases")]
        sent = [{name.lower() for name in request.headers} for request in asked]
        assert ["if-none-match" in names for names in sent] == [False, True]
        assert not any("if-modified-since" in names for names in sent)

    @pytest.mark.parametrize("releases", [[], [release(1), release(2)]], ids=["none", "no assets"])
    def test_without_assets_releases_are_read_once_a_week(
        self, scene: Scene, releases: list[Json]
    ) -> None:
        scene.answer_with({"releases": releases})
        scene.load()
        asked = []
        for _ in range(14):
            scene.push()
            asked.append(scene.load().asked)
        assert sum(asked) == 2
        assert asked[:5] == [0] * 5

    def test_releases_belong_to_the_repository_whatever_its_name_is(self, scene: Scene) -> None:
        scene.load()
        scene.github.rename(scene.repository, "renamed")
        other = scene.github.add_repository("octo", "one")
        scene.github.set_child(other, "releases", [release(5, asset(51))])
        scene.push()
        scene.load()
        told = "SELECT repository_id, id FROM releases WHERE removed_at IS NULL ORDER BY id"
        mine = scene.repository
        assert values(scene.url, told) == [(mine, 1), (mine, 2), (other, 5)]
