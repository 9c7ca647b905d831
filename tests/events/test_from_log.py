"""Rows of the change log become events in a maintainer's words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.inside.events import EventKind, events_of, sentence, wanted

NOW = datetime(2026, 11, 29, 14, 5, tzinfo=UTC)
HOST = "github.com"


def row(field: str, old: str | None, new: str | None, **others: Any) -> dict[str, Any]:
    return {
        "observed_at": NOW,
        "host": HOST,
        "repository_id": 1,
        "run_id": 7,
        "field": field,
        "old_value": old,
        "new_value": new,
        "full_name": "ada/larch-tree",
        "html_url": "https://github.com/ada/larch-tree",
        **others,
    }


def told(*changes: tuple[str, str | None, str | None]) -> list[tuple[str, str]]:
    """Return the kinds and sentences of the events of one transaction's rows."""
    rows = [row(*change) for change in changes[::-1]]  # the newest first
    return [(event.kind.value, sentence(event)) for event in events_of(rows)]


RENAMED = (
    ("name", "larch", "larch-tree"),
    ("full_name", "ada/larch", "ada/larch-tree"),
    ("html_url", "https://github.com/ada/larch", "https://github.com/ada/larch-tree"),
)
REMOVED = (("account", "me", None), ("removed_at", None, "2026-11-29T14:05:00Z"))


@pytest.mark.parametrize(
    ("changes", "events"),
    [
        ((("created", None, "{}"),), [("created", "new")]),
        (RENAMED, [("renamed", "renamed larch → larch-tree")]),
        (
            (
                ("full_name", "ada/larch", "grace/larch"),
                ("owner_id", "1", "2"),
                ("owner_login", "ada", "grace"),
                ("html_url", "https://github.com/ada/larch", "https://github.com/grace/larch"),
            ),
            [("transferred", "transferred ada → grace")],
        ),
        (
            (*REMOVED, ("removal_reason", None, "not_found")),
            [("removed", "deleted, or no longer visible")],
        ),
        (
            (*REMOVED, ("removal_reason", None, "private"), ("visibility", "public", "private")),
            [("private", "went private")],
        ),
        (
            (
                *REMOVED,
                ("removal_reason", None, "transferred"),
                ("owner_id", "1", "2"),
                ("owner_login", "ada", "grace"),
            ),
            [("transferred", "transferred ada → grace; no longer listed")],
        ),
        (
            (
                ("removed_at", "2026-11-01T00:00:00Z", None),
                ("removal_reason", "private", None),
                ("visibility", "private", "public"),
            ),
            [("public", "went public")],
        ),
        (
            (("removed_at", "2026-11-01T00:00:00Z", None), ("removal_reason", "unlisted", None)),
            [("restored", "listed again")],
        ),
        ((("archived", "false", "true"),), [("archived", "archived")]),
        ((("archived", "true", "false"),), [("unarchived", "no longer archived")]),
        ((("license_spdx_id", "MIT", "Apache-2.0"),), [("license", "licence MIT → Apache-2.0")]),
        ((("license_spdx_id", "MIT", None),), [("license", "licence MIT → none")]),
        ((("topics", '["a","b"]', '["b","c"]'),), [("topics", "topics +c −a")]),
        ((("description", None, "Trees"),), [("description", "description: “Trees”")]),
        (
            (("description", "Trees", "Larches"),),
            [("description", "description: “Larches” (was “Trees”)")],
        ),
        ((("homepage", "https://a", None),), [("homepage", "homepage removed: “https://a”")]),
        ((("language", "Go", "Rust"),), [("language", "main language Go → Rust")]),
        (
            (("default_branch", "master", "main"),),
            [("default_branch", "default branch master → main")],
        ),
        ((("has_wiki", "true", "false"),), [("settings", "wiki switched off")]),
        ((("account", None, "work"),), [("joined", "listed for account work too")]),
        ((("account", "work", None),), [("left", "no longer listed for account work")]),
        (
            (("updated_at", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),),
            [("updated", "updated")],
        ),
    ],
)
def test_what_happened_is_one_event_in_a_maintainers_words(
    changes: tuple[tuple[str, str | None, str | None], ...], events: list[tuple[str, str]]
) -> None:
    assert told(*changes) == events


def test_a_rename_and_a_new_description_are_two_events() -> None:
    found = told(*RENAMED, ("description", None, "Trees"))
    assert [kind for kind, _ in found] == ["renamed", "description"]


def test_an_event_knows_the_name_of_its_time_and_the_name_now() -> None:
    rows = [
        *(row(*change) for change in RENAMED[::-1]),
        row("homepage", None, "https://a", observed_at=NOW.replace(hour=9), run_id=6),
    ]
    renamed, before = events_of(rows)
    assert (renamed.full_name_then, renamed.full_name) == ("ada/larch", "ada/larch-tree")
    assert (before.full_name_then, before.full_name) == ("ada/larch", "ada/larch-tree")


def test_noise_is_left_out_unless_it_is_asked_for() -> None:
    assert EventKind.updated not in wanted(())
    assert EventKind.updated in wanted((), everything=True)
    assert wanted(["updated"]) == {EventKind.updated}
    assert {EventKind.license, EventKind.archived} <= wanted(["changed"])
