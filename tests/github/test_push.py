"""Whether the token's user may push is read beside a repository, and is no part of its record."""

from __future__ import annotations

from typing import Any

import pytest

from tests.github.helpers import MISSING, accepted, raw
from tests.support.inside.load import content_hash


@pytest.mark.parametrize(
    ("permissions", "push"),
    [
        ({"admin": False, "push": True, "pull": True}, True),
        ({"push": False}, False),
        ({"push": None}, None),
        ({"push": 1}, None),
        ({"push": "true"}, None),
        ({"pull": True}, None),
        ({}, None),
        (None, None),
        ([True], None),
        ("push", None),
        (MISSING, None),
    ],
)
def test_permissions_say_whether_the_user_may_push_and_no_odd_value_rejects_the_item(
    permissions: Any, push: bool | None
) -> None:
    item = accepted(raw(permissions=permissions))
    assert (item.push, item.warnings) == (push, ())
    assert content_hash(item.record) == content_hash(accepted(raw()).record)


def test_permissions_are_read_beside_odd_values_and_times_of_another_zone() -> None:
    fields = {"permissions": {"push": True}, "has_wiki": "odd"}
    item = accepted(raw(**fields, pushed_at="2026-03-01T14:00:00+02:00"))
    assert item.push is True
    assert item.warnings == ("has_wiki is not true or false; stored as null",)


def test_permissions_of_a_repository_within_are_not_the_items_own() -> None:
    assert accepted(raw(parent={"id": 2, "permissions": {"push": True}})).push is None


def test_words_in_a_text_are_no_permissions() -> None:
    assert accepted(raw(description='"permissions": {"push": true}')).push is None
