"""Planning: what a page means for the ledger, without any database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec import UNSET

from tests.support.inside.database import (
    BY_DAY,
    CONTENT,
    COUNTERS,
    FIELDS,
    Change,
    Known,
    Membership,
    as_text,
)
from tests.support.inside.github import Item, decode_item
from tests.support.inside.load import (
    Plan,
    content_hash,
    diff,
    differing,
    hash_items,
    make_plan,
    stored_values,
)

FULL = {
    "id": 1,
    "node_id": "R_1",
    "name": "one",
    "full_name": "octo/one",
    "private": False,
    "owner": {"id": 7, "login": "octo", "type": "User"},
    "html_url": "https://github.com/octo/one",
    "description": "a thing",
    "homepage": None,
    "language": "Python",
    "license": {"key": "mit", "spdx_id": "MIT"},
    "topics": ["a", "b"],
    "default_branch": "main",
    "visibility": "public",
    **dict.fromkeys(("fork", "archived", "disabled", "is_template"), False),
    **{f"has_{thing}": True for thing in ("issues", "projects", "wiki", "pages", "discussions")},
    **{name: n for n, name in enumerate(COUNTERS)},
    "created_at": "2020-01-02T03:04:05Z",
    "updated_at": "2020-01-02T03:04:06Z",
    "pushed_at": "2020-01-02T03:04:07Z",
}


def item(leave_out: tuple[str, ...] = (), **fields: Any) -> Item:
    kept = {name: value for name, value in {**FULL, **fields}.items() if name not in leave_out}
    decoded = decode_item(json.dumps(kept).encode())
    assert isinstance(decoded, Item)
    return decoded


def plan(
    new: Item,
    old: Item | None = None,
    *,
    listed: bool = True,
    removed_at: datetime | None = None,
) -> Plan:
    """Plan a page of one item, where the ledger holds `old`."""
    hashed = hash_items([new])
    if old is None:
        return make_plan(hashed, {}, {}, seen=1)
    known = {1: Known(content_hash(old.record), listed, removed_at, "not_found")}
    stored = {1: stored_values(old.record)} if differing(hashed, known) else {}
    return make_plan(hashed, known, stored, seen=1)


def counts(made: Plan) -> tuple[int, int, int]:
    inserted = sum(write.is_new for write in made.writes)
    return inserted, len(made.writes) - inserted, made.unchanged


def test_an_unknown_repository_is_inserted() -> None:
    made = plan(item())
    assert counts(made) == (1, 0, 0)
    (write,) = made.writes
    assert (write.id, write.is_new, write.metrics, write.joins) == (1, True, True, True)
    (created,) = write.changes
    assert (created.field, created.old_value) == ("created", None)
    assert json.loads(created.new_value or "") == {
        name: as_text(value)
        for name, value in zip(CONTENT, write.values[: len(CONTENT)], strict=True)
    }
    assert json.loads(write.payload or "") == FULL
    assert dict(zip(FIELDS, write.values, strict=True)) == {
        **{name: value for name, value in FULL.items() if name in FIELDS},
        "owner_id": 7,
        "owner_login": "octo",
        "owner_type": "User",
        "license_spdx_id": "MIT",
        **{
            name: datetime(2020, 1, 2, 3, 4, second, tzinfo=UTC)
            for second, name in enumerate(("created_at", "updated_at", "pushed_at"), start=5)
        },
    }


def test_fields_missing_from_a_new_repository_are_null() -> None:
    bare = item(leave_out=tuple(set(FULL) - {"id", "name", "full_name", "private"}))
    (write,) = plan(bare).writes
    told = {name: value for name, value in zip(FIELDS, write.values, strict=True) if value}
    assert told == {"name": "one", "full_name": "octo/one"}
    assert UNSET not in write.values


def test_a_repository_that_is_as_it_was_costs_nothing() -> None:
    made = plan(item(), item())
    assert counts(made) == (0, 0, 1)
    assert (made.writes, made.joins) == ((), ())


@pytest.mark.parametrize(
    "noise",
    [
        {"permissions": {"admin": True, "push": True}},
        {"role_name": "admin", "a_field_of_tomorrow": [1, {"x": None}]},
        {"license": {"key": "mit", "spdx_id": "MIT", "url": "https://api.github.com/licenses/mit"}},
        {"owner": {"id": 7, "login": "octo", "type": "User", "avatar_url": "https://x"}},
        {"created_at": "2020-01-02T05:04:05+02:00"},
    ],
    ids=["permissions", "unknown", "license", "owner", "offset"],
)
def test_fields_that_are_not_stored_do_not_make_a_change(noise: dict[str, Any]) -> None:
    assert content_hash(item(**noise).record) == content_hash(item().record)
    assert counts(plan(item(**noise), item())) == (0, 0, 1)


OTHER: dict[str, Any] = {
    **dict.fromkeys(("node_id", "name", "full_name", "html_url", "description"), "other"),
    **dict.fromkeys(("homepage", "language", "default_branch", "visibility"), "other"),
    **{name: not FULL[name] for name in FIELDS if isinstance(FULL.get(name), bool)},
    **dict.fromkeys(COUNTERS, 999),
    **dict.fromkeys(("created_at", "updated_at", "pushed_at"), "2021-01-01T00:00:00Z"),
    "topics": ["b", "a"],
    "license": {"spdx_id": "Apache-2.0"},
}


@pytest.mark.parametrize("name", OTHER)
def test_each_stored_field_counts(name: str) -> None:
    new = item(**{name: OTHER[name]})
    assert content_hash(new.record) != content_hash(item().record)
    made = plan(new, item())
    assert counts(made) == (0, 1, 0)
    (write,) = made.writes
    column = "license_spdx_id" if name == "license" else name
    assert [change.field for change in write.changes] == ([] if name in BY_DAY else [column])
    assert write.metrics == (name in BY_DAY)
    assert (write.is_new, write.joins) == (False, False)


@pytest.mark.parametrize("name", ["id", "login", "type"])
def test_each_field_of_the_owner_counts(name: str) -> None:
    owner = {"id": 7, "login": "octo", "type": "User", name: 8 if name == "id" else "other"}
    (write,) = plan(item(owner=owner), item()).writes
    assert [change.field for change in write.changes] == [f"owner_{name}"]


def test_a_change_tells_both_values_as_text() -> None:
    new = item(description=None, archived=True, topics=[], pushed_at="2026-03-01T10:00:00.5+01:00")
    (write,) = plan(new, item()).writes
    assert write.changes == (
        Change("description", "a thing", None),
        Change("topics", '["a","b"]', "[]"),
        Change("archived", "false", "true"),
        Change("pushed_at", "2020-01-02T03:04:07Z", "2026-03-01T09:00:00.500000Z"),
    )


@pytest.mark.parametrize(
    "name",
    sorted(set(FULL) - {"id", "name", "full_name", "private"}),
)
def test_a_field_that_an_answer_leaves_out_keeps_its_value(name: str) -> None:
    made = plan(item(leave_out=(name,)), item())
    assert counts(made) == (0, 0, 1)
    made = plan(item(leave_out=(name,), full_name="octo/two"), item())
    (write,) = made.writes
    assert [change.field for change in write.changes] == ["full_name"]
    expected = list(stored_values(item().record))
    expected[FIELDS.index("full_name")] = "octo/two"
    assert list(write.values) == expected


def test_null_is_a_value_and_replaces_what_was_there() -> None:
    (write,) = plan(item(language=None, license=None, owner=None), item()).writes
    assert {change.field: change.new_value for change in write.changes} == dict.fromkeys(
        ("language", "license_spdx_id", "owner_id", "owner_login", "owner_type")
    )


def test_a_repository_that_the_account_did_not_list_before_joins_without_a_write() -> None:
    made = plan(item(), item(), listed=False)
    assert (made.writes, made.joins, counts(made)) == ((), (Membership(1, None),), (0, 0, 1))


def test_a_repository_whose_values_are_the_same_behind_another_hash_joins_too() -> None:
    made = plan(item(leave_out=("language",)), item(), listed=False)
    assert (made.writes, made.joins, counts(made)) == ((), (Membership(1, None),), (0, 0, 1))


def test_a_removed_repository_that_is_as_it_was_is_restored_with_a_day_of_counters() -> None:
    (write,) = plan(item(), item(), removed_at=datetime(2026, 3, 1, tzinfo=UTC)).writes
    assert write.restores
    assert write.metrics
    assert [change.field for change in write.changes] == ["removed_at", "removal_reason"]


def test_a_changed_repository_that_joins_does_so_with_its_write() -> None:
    made = plan(item(description="new"), item(), listed=False)
    assert made.joins == ()
    assert [write.joins for write in made.writes] == [True]
    assert counts(made) == (0, 1, 0)


def test_of_an_item_that_a_page_holds_twice_the_last_counts_and_the_rest_are_unchanged() -> None:
    items = [item(description="first"), item(id=2), item(description="last")]
    hashed = hash_items(items)
    assert sorted(h.id for h in hashed) == [1, 2]
    made = make_plan(hashed, {}, {}, seen=len(items))
    assert counts(made) == (2, 0, 1)
    (one,) = (write for write in made.writes if write.id == 1)
    assert one.values[FIELDS.index("description")] == "last"


def test_the_counts_of_a_plan_add_up_to_what_was_seen() -> None:
    items = [item(), item(id=2), item(id=3, size=5), item(id=4), item(id=4), item(id=5)]
    known = {
        1: Known(content_hash(item().record), True),
        2: Known(content_hash(item(id=2).record), False),
        3: Known("other", True),
    }
    hashed = hash_items(items)
    assert differing(hashed, known) == (3,)
    stored = {3: stored_values(item(id=3).record)}
    made = make_plan(hashed, known, stored, seen=len(items))
    assert [write.id for write in made.writes] == [3, 4, 5]
    assert made.joins == (Membership(2, None),)
    assert counts(made) == (2, 1, 3)


def test_an_empty_page_means_nothing() -> None:
    assert make_plan((), {}, {}, seen=0) == Plan(writes=(), joins=(), unchanged=0)


def test_only_known_repositories_with_another_hash_are_looked_at() -> None:
    hashed = hash_items([item(), item(id=2), item(id=3)])
    known = {1: Known(hashed[0].content_hash, True), 2: Known("other", True)}
    assert differing(hashed, known) == (2,)


def test_a_hash_is_short_and_the_same_each_time() -> None:
    digest = content_hash(item().record)
    assert (len(digest), digest) == (32, content_hash(item().record))
    assert content_hash(item(id=2).record) != digest


def test_counters_are_not_compared_field_by_field() -> None:
    old = stored_values(item().record)
    counters: dict[str, Any] = dict.fromkeys(COUNTERS, 5)
    new = stored_values(item(**counters, description="x").record)
    assert list(diff(old, new)) == [Change("description", "a thing", "x")]
    assert {change.field for change in diff(old, new, FIELDS)} == {"description", *COUNTERS}
    assert FIELDS[: len(CONTENT)] == CONTENT


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", ""),
        ("plain 🚀", "plain 🚀"),
        (True, "true"),
        (2**63 - 1, "9223372036854775807"),
        (["a", "ü"], '["a","ü"]'),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00Z"),
        (datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2025-12-31T23:00:00Z"),
        (datetime(2026, 1, 1, 0, 0, 0, 1, UTC), "2026-01-01T00:00:00.000001Z"),
    ],
)
def test_values_are_told_as_text(value: Any, text: str | None) -> None:
    assert as_text(value) == text
