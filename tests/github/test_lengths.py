"""What is too long for a database is cut, or no value, when it is decoded, for all alike."""

from __future__ import annotations

import pytest

from tests.github.helpers import accepted, raw, rejected
from tests.support.inside.database import repositories


@pytest.mark.parametrize(
    ("outer", "inner", "column"),
    [
        *((name, None, name) for name in ("node_id", "language", "visibility")),
        *(("owner", name, f"owner_{name}") for name in ("login", "type")),
        ("license", "spdx_id", "license_spdx_id"),
    ],
)
def test_a_text_longer_than_its_column_is_none(outer: str, inner: str | None, column: str) -> None:
    length = repositories.c[column].type.length  # type: ignore[attr-defined]  # a String

    def body(text: str) -> bytes:
        value = {"id": 1, "login": "octo", inner: text} if inner else text
        return raw(**{outer: value})

    assert accepted(body("\N{GRINNING FACE}" * (length - 1))).warnings == ()
    item = accepted(body("x" * (length + 1)))
    value = getattr(item.record, outer)
    assert (getattr(value, inner) if inner else value) is None
    assert len(item.warnings) == 1


@pytest.mark.parametrize("name", ["name", "full_name"])
def test_a_name_longer_than_its_column_rejects_the_item(name: str) -> None:
    length = repositories.c[name].type.length  # type: ignore[attr-defined]  # a String
    accepted(raw(**{name: "\N{GRINNING FACE}" * (length - 1)}))
    assert name in rejected(raw(**{name: "x" * (length + 1)})).reason


@pytest.mark.parametrize("name", ["html_url", "description", "homepage", "default_branch"])
def test_an_object_larger_than_a_database_takes_is_cut_and_flagged(name: str) -> None:
    whole = accepted(raw(**{name: "x" * 1_000_000}))
    assert whole.payload is not None
    assert (len(getattr(whole.record, name)), whole.warnings) == (1_000_000, ())
    cut = accepted(raw(**{name: "\N{GRINNING FACE}" * 10_000_000}))
    assert cut.payload is None
    assert getattr(cut.record, name) == "\N{GRINNING FACE}" * 65_536
    assert [name in warning or "payload" in warning for warning in cut.warnings] == [True, True]
