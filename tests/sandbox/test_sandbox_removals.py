"""Repositories that go, and those that only seem to: blocks, gaps, memberships."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from sync.sandbox import Sandbox

Get = Callable[..., requests.Response]
NEW = {"X-GitHub-Api-Version": "2026-03-10"}
ORDER = {"sort": "created", "direction": "asc"}
LISTINGS = ["/user/repos", "/users/octo/repos", "/user/1001/repos"]


def names(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["full_name"] for item in answer.json()]


@pytest.fixture
def rid(github: Sandbox) -> int:
    """A repository octo/hello, beside octo/other."""
    rid = github.add_repository("octo", "hello")
    github.add_repository("octo", "other")
    return rid


@pytest.fixture
def club(github: Sandbox) -> int:
    """A repository guild/club, of an organization that octo is a member of."""
    github.add_user("guild", kind="Organization")
    github.add_member("guild", "octo")
    return github.add_repository("guild", "club")


# Blocks


@pytest.mark.parametrize(
    ("given", "status", "reason", "place"),
    [
        ({}, 451, "dmca", "/github/dmca/blob/master/2026/11/2026-11-01-{rid}.md"),
        ({"reason": "tos"}, 403, "tos", "/tos"),
        ({"reason": "tos", "status": 451}, 451, "tos", "/tos"),
        ({"reason": "unavailable"}, 403, "unavailable", "/tos"),
    ],
)
def test_a_blocked_repository_is_refused_to_everyone_by_id_and_by_name(
    github: Sandbox, get: Get, rid: int, given: Any, status: int, reason: str, place: str
) -> None:
    github.now = lambda: datetime(2026, 11, 1, 12, tzinfo=UTC)
    github.block(rid, **given)
    expected = {
        "message": "Repository access blocked",
        "block": {
            "reason": reason,
            "created_at": "2026-11-01T12:00:00Z",
            "html_url": "https://github.example" + place.format(rid=rid),
        },
    }
    for token in ("octo-token", None):
        for path in (f"/repositories/{rid}", "/repos/octo/hello"):
            answer = get(path, token=token)
            assert (answer.status_code, answer.json()) == (status, expected)
            assert "ETag" not in answer.headers
    github.unblock(rid)
    assert get(f"/repositories/{rid}").json() == github.get(rid, full=True)
    assert get("/repos/octo/hello").status_code == 200


@pytest.mark.parametrize("path", LISTINGS)
def test_a_blocked_repository_is_in_no_listing_unless_it_stays_listed(
    github: Sandbox, get: Get, rid: int, path: str
) -> None:
    github.block(rid)
    assert names(get(path)) == ["octo/other"]
    github.block(rid, listed=True)
    assert names(get(path)) == ["octo/hello", "octo/other"]
    assert get(f"/repositories/{rid}").status_code == 451
    github.block(rid)
    github.unblock(rid)
    assert names(get(path)) == ["octo/hello", "octo/other"]


def test_a_block_does_not_tell_of_a_private_repository(github: Sandbox, get: Get, rid: int) -> None:
    github.make_private(rid)
    github.block(rid)
    assert get(f"/repositories/{rid}").status_code == 451
    assert get(f"/repositories/{rid}", token=None).status_code == 404


def test_an_etag_from_before_a_block_is_no_way_around_it(
    github: Sandbox, get: Get, rid: int
) -> None:
    before = {"If-None-Match": get(f"/repositories/{rid}").headers["ETag"]}
    github.block(rid)
    assert get(f"/repositories/{rid}", headers=before).status_code == 451
    github.unblock(rid)
    assert get(f"/repositories/{rid}", headers=before).status_code == 304


def test_a_deleted_repository_was_blocked_or_hidden_in_vain(
    github: Sandbox, get: Get, rid: int
) -> None:
    github.block(rid)
    github.hide(rid)
    github.delete(rid)
    assert get(f"/repositories/{rid}").status_code == 404
    with pytest.raises(LookupError):
        github.unblock(rid)


# Listings with gaps


@pytest.mark.parametrize("path", LISTINGS)
def test_a_hidden_repository_is_there_but_in_no_listing(
    github: Sandbox, get: Get, rid: int, path: str
) -> None:
    by_id = get(f"/repositories/{rid}")
    github.hide(rid)
    assert names(get(path)) == ["octo/other"]
    again = get(f"/repositories/{rid}")
    assert (again.status_code, again.json()) == (200, by_id.json())
    assert again.headers["ETag"] == by_id.headers["ETag"]
    assert get("/repos/octo/hello").json() == by_id.json()
    github.unhide(rid)
    assert names(get(path)) == ["octo/hello", "octo/other"]


def test_a_hidden_repository_moves_the_others_to_earlier_pages(
    github: Sandbox, get: Get, rid: int
) -> None:
    github.hide(rid)
    answer = get("/user/repos", per_page=1, headers=NEW)
    assert (names(answer), "Link" in answer.headers) == (["octo/other"], False)


def test_an_organization_does_not_list_the_hidden_and_the_blocked(
    github: Sandbox, get: Get, club: int
) -> None:
    github.block(github.add_repository("guild", "taken"))
    github.add_repository("guild", "there")
    github.hide(club)
    assert names(get("/orgs/guild/repos")) == names(get("/user/repos")) == ["guild/there"]


# Memberships, deletions, transfers


def test_one_who_is_no_longer_a_member_lists_the_organization_no_longer(
    github: Sandbox, get: Get, club: int
) -> None:
    vault = github.add_repository("guild", "vault", private=True)
    assert names(get("/user/repos")) == ["guild/club", "guild/vault"]
    github.remove_member("guild", "octo")
    assert names(get("/user/repos")) == []
    assert get(f"/repositories/{club}").status_code == 200
    assert get(f"/repositories/{vault}").status_code == 404
    with pytest.raises(LookupError):
        github.remove_member("guild", "octo")
    github.add_collaborator("octo", vault)
    assert names(get("/user/repos")) == ["guild/vault"]


def test_a_repository_that_is_added_again_has_another_id(
    github: Sandbox, get: Get, rid: int
) -> None:
    github.delete(rid)
    heir = github.add_repository("octo", "hello")
    assert heir != rid
    assert get("/repos/octo/hello").json()["id"] == heir
    assert get(f"/repositories/{rid}").status_code == 404
    assert [item["id"] for item in get("/user/repos").json()].count(heir) == 1


@pytest.mark.parametrize("private", [False, True])
def test_one_who_gives_a_repository_to_the_own_organization_still_lists_it(
    github: Sandbox, get: Get, rid: int, club: int, private: bool
) -> None:
    github.edit(rid, private=private)
    github.transfer(rid, "guild")
    assert names(get("/user/repos")) == ["guild/club", "guild/hello", "octo/other"]
    assert names(get("/user/repos", affiliation="owner,collaborator")) == ["octo/other"]
    assert get(f"/repositories/{rid}").json()["owner"]["login"] == "guild"
    github.remove_member("guild", "octo")
    assert names(get("/user/repos")) == ["octo/other"]
    assert get(f"/repositories/{rid}").status_code == (404 if private else 200)


# Reading without HTTP


def test_a_listing_can_be_read_without_http_and_is_what_http_answers(
    github: Sandbox, get: Get, rid: int, club: int
) -> None:
    for number in range(230):
        github.add_repository("octo", f"r{number}", private=number % 50 == 0)
    github.hide(rid)
    github.block(github.add_repository("octo", "blocked"), listed=True)
    github.add_object({"id": 7, "full_name": "octo/odd"}, listed_by="octo")

    def over_http(**query: Any) -> list[Any]:
        found: list[Any] = []
        for page in range(1, 5):
            found += get("/user/repos", per_page=100, page=page, **ORDER, **query).json()
        return found

    listed = over_http(visibility="public")
    github.clear_requests()
    assert github.listing_of("octo-token") == listed
    assert len(listed) == 230 - 5 + 4
    assert github.requests == []
    every = github.listing_of("octo-token", visibility="all", affiliation="owner")
    assert every == over_http(visibility="all", affiliation="owner")
    assert club not in [item["id"] for item in every]


def test_a_listing_read_without_http_is_of_the_token_and_the_version(
    github: Sandbox, get: Get, club: int
) -> None:
    github.restrict_sso("octo-token", ("guild",))
    assert github.listing_of("octo-token") == []
    github.restrict_sso("octo-token", ())
    assert github.listing_of("octo-token", version="2026-03-10") == (
        get("/user/repos", headers=NEW).json()
    )
    quota = github.quota(github.token("octo-token")).remaining
    assert [item["id"] for item in github.listing_of("octo-token")] == [club]
    assert github.quota(github.token("octo-token")).remaining == quota
    with pytest.raises(LookupError):
        github.listing_of("unknown")


# ETags


CHANGES: dict[str, Callable[[Sandbox, int], None]] = {
    "block": lambda github, rid: github.block(rid),
    "hide": lambda github, rid: github.hide(rid),
    "delete": lambda github, rid: github.delete(rid),
    "remove_member": lambda github, rid: github.remove_member("guild", "octo"),
    "set_scopes": lambda github, rid: github.set_scopes("octo-token", ()),
    "restrict_sso": lambda github, rid: github.restrict_sso("octo-token", ("guild",)),
    "transfer": lambda github, rid: github.transfer(rid, "guild"),
}
BACK: dict[str, Callable[[Sandbox, int], None]] = {
    "block": lambda github, rid: github.unblock(rid),
    "hide": lambda github, rid: github.unhide(rid),
    "remove_member": lambda github, rid: github.add_member("guild", "octo"),
    "set_scopes": lambda github, rid: github.set_scopes("octo-token", ("repo",)),
    "restrict_sso": lambda github, rid: github.restrict_sso("octo-token", ()),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.usefixtures("club")
def test_the_etag_of_a_page_changes_with_what_is_on_it(
    github: Sandbox, get: Get, rid: int, change: str
) -> None:
    github.make_private(rid)
    first = get("/user/repos", **ORDER)
    before = {"If-None-Match": first.headers["ETag"]}
    CHANGES[change](github, rid)
    after = get("/user/repos", headers=before, **ORDER)
    assert (after.status_code, after.json() == first.json()) == (200, False)
    assert after.headers["ETag"] != first.headers["ETag"]
    if change in BACK:
        BACK[change](github, rid)
        assert get("/user/repos", headers=before, **ORDER).status_code == 304
