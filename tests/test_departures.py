"""Departures: what is written of a repository that an account lists no longer."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec import UNSET

from tests.support.database import START, decoded, repository
from tests.support.inside.database import FIELDS, Change, Known
from tests.support.inside.load import stored_values
from tests.support.inside.removals import Departure, OnPrivate, Reason, Verdict, make_departure
from tests.support.inside.resources import REPOSITORIES

NOW = START + timedelta(days=1)
STORED = tuple(
    None if value is UNSET else value
    for value in stored_values(decoded(repository(1, "octo/one"))[0].record)
)
LEFT = Change("account", "me", None)


def removal(reason: Reason | None = "not_found", **fields: Any) -> Verdict:
    answer = decoded(repository(1, **fields))[0] if reason is None else None
    return Verdict(id=1, outcome="remove", reason=reason, item=answer)


def departure(
    verdict: Verdict,
    *,
    known: Known | None = None,
    stored: tuple[Any, ...] = STORED,
    on_private: OnPrivate = "redact",
    **more: Any,
) -> Departure:
    options: dict[str, Any] = {"leaving": ["me"], "stays_with": (), "now": NOW, **more}
    return make_departure(
        verdict, known or Known("hash", listed=True), stored, on_private=on_private, **options
    )


def fields_of(gone: Departure) -> dict[str, Any]:
    assert gone.values is not None
    return dict(zip(FIELDS, gone.values, strict=True))


@pytest.mark.parametrize("reason", ["not_found", "blocked"])
def test_a_removal_is_dated_and_has_a_reason(reason: Reason) -> None:
    gone = departure(removal(reason))
    assert gone.changes == (
        LEFT,
        Change("removed_at", None, "2026-03-02T12:00:00Z"),
        Change("removal_reason", None, reason),
    )
    assert (gone.values, gone.secret) == (None, False)


@pytest.mark.parametrize(
    ("owner", "reason"),
    [({"id": 8, "login": "ada"}, "transferred"), ({"id": 7, "login": "octo2"}, "unlisted")],
)
def test_the_owner_decides_the_reason_of_a_removal(owner: dict[str, Any], reason: str) -> None:
    assert departure(removal(None, owner=owner)).reason == reason


def test_a_repository_that_another_account_lists_is_not_removed() -> None:
    gone = departure(removal(), stays_with={"other"})
    assert (gone.changes, gone.reason, gone.secret) == ((LEFT,), None, False)


def test_a_repository_found_private_stays_private_even_if_another_account_lists_it() -> None:
    gone = departure(removal("private"), stays_with={"other"})
    assert gone.changes == (LEFT, Change("visibility", "public", "private"))
    assert (gone.reason, gone.secret) == (None, False)


def test_a_repository_known_to_be_private_is_not_taken_for_deleted_by_a_public_listing() -> None:
    known_private = tuple(
        "private" if name == "visibility" else value
        for name, value in zip(FIELDS, STORED, strict=True)
    )
    gone = departure(removal(), stored=known_private)
    assert (gone.reason, gone.redacts) == ("private", True)
    asked_for = replace(removal(), visibility="all")
    assert departure(asked_for, stored=known_private).reason == "not_found"


def test_a_removed_repository_keeps_its_date_and_reason() -> None:
    gone = departure(removal(), known=Known("hash", True, START, "blocked"))
    assert (gone.changes, gone.reason) == ((LEFT,), None)


def test_a_removed_repository_is_redacted_once_it_is_known_to_be_private() -> None:
    gone = departure(removal("private"), known=Known("hash", True, START, "not_found"))
    assert (gone.redacts, gone.reason) == (True, None)
    assert "removed_at" not in {change.field for change in gone.changes}


def test_a_redacted_repository_keeps_owner_dates_and_counters() -> None:
    gone = departure(removal("private"))
    before, after = dict(zip(FIELDS, STORED, strict=True)), fields_of(gone)
    assert {name: after[name] for name in REPOSITORIES.private} == {
        **dict.fromkeys(REPOSITORIES.private),
        "name": "[redacted-1]",
        "full_name": "octo/[redacted-1]",
    }
    changed = {name for name in FIELDS if before[name] != after[name]}
    assert changed <= {*REPOSITORIES.private, "visibility"}
    assert gone.secret


def test_the_log_of_a_redaction_holds_nothing_of_what_went() -> None:
    gone = departure(removal("private"))
    assert [change.field for change in gone.changes] == [
        *("account", "visibility", "redacted", "removed_at", "removal_reason"),
    ]
    document = json.loads(gone.changes[2].new_value or "")
    assert document["name"] == "[redacted-1]"
    assert "about one" not in str(gone.changes)


def test_a_kept_repository_becomes_private_and_does_not_change_otherwise() -> None:
    gone = departure(removal("private"), on_private="keep")
    assert fields_of(gone) == {**dict(zip(FIELDS, STORED, strict=True)), "visibility": "private"}
    assert Change("visibility", "public", "private") in gone.changes
    assert not gone.secret


def test_a_purge_leaves_nothing_to_log() -> None:
    gone = departure(removal("private"), on_private="purge")
    assert (gone.purges, gone.changes) == (True, ())


@pytest.mark.parametrize("reason", ["not_found", "blocked"])
@pytest.mark.parametrize("on_private", ["redact", "purge"])
def test_only_what_is_private_is_redacted_or_purged(reason: Reason, on_private: OnPrivate) -> None:
    assert not departure(removal(reason), on_private=on_private).secret
