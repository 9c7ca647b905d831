"""Values in the change log, and what kinds of changes its rows are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Boolean

from tests.support.inside.database import (
    CONTENT,
    TEXTS,
    Kind,
    UtcDateTime,
    as_text,
    from_text,
    kind_of,
    repositories,
)

LOGGED = (*CONTENT, "removed_at", "removal_reason")


def values_of(field: str) -> st.SearchStrategy[Any]:
    """Return what a column can hold."""
    kind = repositories.c[field].type
    if field == "topics":
        return st.lists(st.text())
    if isinstance(kind, UtcDateTime):
        return st.datetimes(timezones=st.just(UTC))
    if isinstance(kind, Boolean):
        return st.booleans()
    return st.text() if isinstance(kind, TEXTS) else st.integers(0, 2**63 - 1)


@given(data=st.data(), field=st.sampled_from(LOGGED))
def test_every_value_comes_back_from_the_log_as_it_was(data: st.DataObject, field: str) -> None:
    value = data.draw(st.none() | values_of(field))
    again = from_text(field, as_text(value))
    assert again == value
    assert type(again) is type(value)
    assert not isinstance(again, datetime) or again.tzinfo is UTC


@pytest.mark.parametrize(
    ("field", "old", "new", "kind"),
    [
        ("created", None, "{}", "created"),
        ("redacted", None, "{}", "redacted"),
        ("name", "one", "two", "renamed"),
        ("name", None, None, "renamed"),  # redacted
        ("full_name", "a/one", "a/two", "changed"),
        ("owner_id", "1", "2", "transferred"),
        ("owner_id", None, "2", "changed"),
        ("owner_id", "1", None, "changed"),
        ("owner_id", None, None, "changed"),  # redacted
        ("removed_at", None, "2026-03-01T12:00:00Z", "removed"),
        ("removed_at", "2026-03-01T12:00:00Z", None, "restored"),
        ("removed_at", "2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z", "changed"),
        ("removal_reason", None, "not_found", "changed"),
        ("account", None, "me", "joined"),
        ("account", "me", None, "left"),
        ("description", None, "x", "changed"),
    ],
)
def test_a_row_tells_what_kind_of_change_it_is(
    field: str, old: str | None, new: str | None, kind: str
) -> None:
    assert kind_of(field, old, new) is Kind(kind)
