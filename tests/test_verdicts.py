"""Verdicts: what an answer about a missing repository means, without any server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.database import decoded, repository
from tests.support.inside.github import Item
from tests.support.inside.removals import (
    Answer,
    ListingIdentity,
    Verdict,
    confirmed,
    digest,
    judge,
    objection,
    parse_listing_identity,
)

ALL = ("collaborator", "organization_member", "owner")
ME = 7


def basis(**fields: Any) -> ListingIdentity:
    return ListingIdentity(
        **{
            "user_id": ME,
            "scopes": ("repo",),
            "visibility": "public",
            "affiliation": ALL,
            **fields,
        }
    )


def item(*, owner: int = ME, id_: int = 1, **fields: Any) -> Item:
    who = {"id": owner, "login": "octo", "type": "User"}
    return decoded(repository(id_, owner=who, **fields))[0]


THEIRS = item(owner=8)
PRIVATE = item(private=True, visibility="private")


@pytest.mark.parametrize(
    ("answer", "listing", "outcome", "reason"),
    [
        ("unknown", basis(), "unknown", None),
        ("not_found", basis(), "remove", "not_found"),
        ("blocked", basis(), "remove", "blocked"),
        (item(), basis(), "keep", None),
        (item(id_=2), basis(), "unknown", None),
        (PRIVATE, basis(), "remove", "private"),
        (PRIVATE, basis(visibility="all"), "keep", None),
        (PRIVATE, basis(visibility="private"), "keep", None),
        (item(), basis(visibility="private"), "remove", None),
        (THEIRS, basis(), "confirm", None),
        (THEIRS, basis(affiliation=("owner",)), "remove", None),
        (THEIRS, basis(affiliation=("collaborator",)), "confirm", None),
        (item(), basis(affiliation=("collaborator",)), "remove", None),
        (item(), basis(affiliation=("owner",)), "keep", None),
        (item(), basis(user_id=None), "confirm", None),
    ],
)
def test_an_answer_decides(
    answer: Answer, listing: ListingIdentity, outcome: str, reason: str | None
) -> None:
    verdict = judge(1, answer, listing)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_a_repository_that_became_private_is_not_handed_on() -> None:
    assert judge(1, PRIVATE, basis()).item is None


@pytest.mark.parametrize(
    ("listed", "agreeing", "outcome"),
    [
        (False, True, "remove"),
        (False, False, "unknown"),
        (True, False, "keep"),
        (True, True, "keep"),
    ],
)
def test_a_second_look_confirms_only_if_it_shows_the_same(
    *, listed: bool, agreeing: bool, outcome: str
) -> None:
    verdict = Verdict(id=1, outcome="confirm", item=THEIRS)
    assert confirmed(verdict, listed=listed, agreeing=agreeing).outcome == outcome


def brake(**fields: Any) -> str | None:
    now = basis()
    return objection(
        **{
            "missing": 1,
            "members": 100,
            "items": 99,
            "announced": 1,
            "basis": now,
            "before": now,
            "max_share": 0.2,
            **fields,
        }
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"before": None},
        {"announced": None},
        {"missing": 20},
        {"missing": 3, "members": 4, "items": 1},
        {"missing": 100, "items": 3, "announced": None, "max_share": 1.0},
        {"announced": 101},
        {"announced": 101, "items": 98, "members": 101, "missing": 3},
    ],
)
def test_the_brake_lets_plausible_removals_pass(fields: dict[str, Any]) -> None:
    assert brake(**fields) is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"missing": 21}, "more than 20% are missing at once"),
        ({"missing": 4, "members": 4}, "more than 20% are missing at once"),
        ({"items": 0, "missing": 1, "members": 1}, "suddenly empty"),
        ({"items": 0, "missing": 5, "members": 5, "max_share": 1.0}, "suddenly empty"),
        ({"announced": 401, "max_share": 0.5}, "at least 401 repositories, and listed 99"),
        ({"before": basis(user_id=8)}, "another user"),
        ({"before": basis(scopes=())}, "from none to repo"),
        ({"before": basis(scopes=None)}, "from those of another kind of token to repo"),
        ({"before": basis(visibility="all")}, "visibility was all before"),
        ({"before": basis(affiliation=("owner",))}, "affiliation was owner before"),
    ],
)
def test_the_brake_gives_its_reason(fields: dict[str, Any], words: str) -> None:
    assert words in (brake(**fields) or "")


def test_a_listing_identity_survives_storing() -> None:
    for kept in (basis(), basis(scopes=None, user_id=None)):
        assert parse_listing_identity(kept.as_text()) == kept


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"user_id": 1}'])
def test_an_unreadable_listing_identity_is_none(text: str | None) -> None:
    assert parse_listing_identity(text) is None


def test_a_digest_tells_sets_apart() -> None:
    assert digest([1, 2]) == digest((1, 2))
    assert len({digest([1, 2]), digest([12]), digest([1, 3]), digest([])}) == 4


def test_a_repository_missing_from_an_app_needs_a_second_look_whoever_owns_it() -> None:
    for owner in (ME, ME + 1):
        assert judge(1, item(owner=owner), basis(app="7", affiliation=())).outcome == "confirm"
