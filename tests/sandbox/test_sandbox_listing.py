"""Which repositories a listing has, in which order, and how it is paged."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from sync.sandbox import Sandbox

Get = Callable[..., requests.Response]
NEW = {"X-GitHub-Api-Version": "2026-03-10"}


def names(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["full_name"] for item in answer.json()]


def rels(answer: requests.Response) -> list[str]:
    return [rel for rel in answer.links if rel != "deprecation"]


@pytest.fixture
def related(github: Sandbox) -> dict[str, int]:
    """Repositories that octo owns, works on, sees as a member, and has nothing to do with."""
    github.add_user("other", token="other-token")
    github.add_user("guild", kind="Organization")
    github.add_member("guild", "octo")
    ids = {
        "mine": github.add_repository("octo", "mine"),
        "secret": github.add_repository("octo", "secret", private=True),
        "shared": github.add_repository("other", "shared"),
        "hidden": github.add_repository("other", "hidden", private=True),
        "stranger": github.add_repository("other", "stranger"),
        "club": github.add_repository("guild", "club"),
        "vault": github.add_repository("guild", "vault", private=True, fork=True),
    }
    github.add_collaborator("octo", ids["shared"])
    github.add_collaborator("octo", ids["hidden"], permission="pull")
    return ids


ALL = ["guild/club", "guild/vault", "octo/mine", "octo/secret", "other/hidden", "other/shared"]


@pytest.mark.usefixtures("related")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ALL),
        ({"visibility": "all"}, ALL),
        ({"visibility": "public"}, ["guild/club", "octo/mine", "other/shared"]),
        ({"visibility": "private"}, ["guild/vault", "octo/secret", "other/hidden"]),
        ({"affiliation": "owner"}, ["octo/mine", "octo/secret"]),
        ({"affiliation": "collaborator"}, ["other/hidden", "other/shared"]),
        ({"affiliation": "organization_member"}, ["guild/club", "guild/vault"]),
        (
            {"affiliation": "owner,collaborator", "visibility": "public"},
            ["octo/mine", "other/shared"],
        ),
        ({"type": "all"}, ALL),
        ({"type": "owner"}, ["octo/mine", "octo/secret"]),
        ({"type": "public"}, ["guild/club", "octo/mine", "other/shared"]),
        ({"type": "private"}, ["guild/vault", "octo/secret", "other/hidden"]),
        ({"type": "member"}, ["guild/club", "guild/vault", "other/hidden", "other/shared"]),
        ({"direction": "desc"}, ALL[::-1]),
    ],
)
def test_the_own_listing_honours_visibility_affiliation_and_type(
    get: Get, query: dict[str, str], expected: list[str]
) -> None:
    assert names(get("/user/repos", **query)) == expected


@pytest.mark.usefixtures("related")
@pytest.mark.parametrize("other", ["visibility", "affiliation"])
def test_type_beside_visibility_or_affiliation_is_refused(get: Get, other: str) -> None:
    value = {"visibility": "public", "affiliation": "owner"}[other]
    answer = get("/user/repos", type="all", **{other: value})
    message = "If you specify visibility or affiliation, you cannot specify type."
    assert (answer.status_code, answer.json()["message"]) == (422, message)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("visibility", "secret"),
        ("affiliation", "owner,friend"),
        ("type", "mine"),
        ("sort", "stars"),
        ("direction", "up"),
        ("since", "yesterday"),
    ],
)
def test_a_word_that_a_parameter_does_not_know_is_a_failed_validation(
    get: Get, name: str, value: str
) -> None:
    answer = get("/user/repos", **{name: value})
    body = answer.json()
    assert (answer.status_code, body["message"], body["status"]) == (
        422,
        "Validation Failed",
        "422",
    )
    assert body["errors"][0]["field"] == name


@pytest.mark.usefixtures("related")
def test_the_listing_of_a_user_has_its_own_public_repositories_by_default(get: Get) -> None:
    assert names(get("/users/OTHER/repos", token=None)) == ["other/shared", "other/stranger"]
    assert names(get("/users/octo/repos")) == ["octo/mine"]
    assert names(get("/users/octo/repos", type="member")) == ["other/shared"]
    assert names(get("/users/octo/repos", type="all")) == ["octo/mine", "other/shared"]


@pytest.mark.usefixtures("related")
def test_the_listing_of_an_organization_shows_private_ones_to_members_only(get: Get) -> None:
    assert names(get("/orgs/guild/repos", sort="full_name")) == ["guild/club", "guild/vault"]
    assert names(get("/orgs/guild/repos", token="other-token")) == ["guild/club"]
    assert names(get("/orgs/guild/repos", token=None)) == ["guild/club"]
    assert names(get("/orgs/guild/repos", type="forks")) == ["guild/vault"]
    assert names(get("/orgs/guild/repos", type="sources")) == ["guild/club"]
    assert get("/orgs/octo/repos").status_code == 404


@pytest.mark.usefixtures("related")
def test_a_token_without_the_repo_scope_lists_no_private_repository(
    github: Sandbox, get: Get
) -> None:
    github.add_token("octo", "weak", scopes=())
    assert names(get("/user/repos", token="weak")) == ["guild/club", "octo/mine", "other/shared"]


def test_a_listing_sorts_as_asked_newest_first_by_default(github: Sandbox, get: Get) -> None:
    for name, created, updated, pushed in [("b", 1, 3, 2), ("A", 2, 1, 3), ("c", 3, 2, 1)]:
        github.add_repository(
            "octo",
            name,
            created_at=f"2026-01-0{created}T00:00:00Z",
            updated_at=f"2026-02-0{updated}T00:00:00Z",
            pushed_at=f"2026-03-0{pushed}T00:00:00Z",
        )

    def order(**query: Any) -> str:
        return "".join(name[-1] for name in names(get("/user/repos", **query)))

    assert order() == "Abc"
    assert order(sort="created") == "cAb"
    assert order(sort="created", direction="asc") == "bAc"
    assert order(sort="updated") == "bcA"
    assert order(sort="pushed") == "Abc"
    assert order(since="2026-02-02T00:00:00Z") == "bc"
    assert order(before="2026-02-02T01:00:00+01:00") == "A"


def test_a_repository_created_while_paging_appears_at_the_end_of_the_oldest_first_order(
    github: Sandbox, get: Get
) -> None:
    for number in range(4):
        github.add_repository("octo", f"r{number}", created_at=f"2026-01-0{number + 1}T00:00:00Z")
    query = {"sort": "created", "direction": "asc", "per_page": 2}
    assert names(get("/user/repos", **query)) == ["octo/r0", "octo/r1"]
    github.add_repository("octo", "late")
    second = get("/user/repos", page=2, **query)
    assert names(second) == ["octo/r2", "octo/r3"]
    assert names(get(second.links["next"]["url"])) == ["octo/late"]


@pytest.mark.parametrize(
    ("per_page", "expected"),
    [(None, 30), (0, 30), (1, 1), (100, 100), (1000, 100), ("x", 30), (-5, 30)],
)
def test_a_page_has_thirty_items_and_at_most_a_hundred(
    github: Sandbox, get: Get, per_page: Any, expected: int
) -> None:
    for number in range(101):
        github.add_repository("octo", f"r{number:03}")
    assert len(names(get("/user/repos", per_page=per_page))) == expected


def test_the_link_header_leads_to_the_neighbours_and_keeps_the_other_parameters(
    github: Sandbox, get: Get
) -> None:
    for number in range(5):
        github.add_repository("octo", f"r{number}")
    query = {"affiliation": "owner,collaborator", "per_page": 2}
    first = get("/user/repos", **query)
    assert rels(first) == ["next", "last"]
    url = f"{github.url}/user/repos?affiliation=owner%2Ccollaborator&per_page=2&page="
    assert first.links["next"]["url"] == f"{url}2"
    assert first.links["last"]["url"] == f"{url}3"
    middle = get("/user/repos", page=2, **query)
    assert rels(middle) == ["prev", "next", "last", "first"]
    last = get("/user/repos", page=3, **query)
    assert rels(last) == ["prev", "first"]
    backwards = f"{github.url}/user/repos?page=%d&affiliation=owner%%2Ccollaborator&per_page=2"
    assert last.links["prev"]["url"] == backwards % 2
    assert last.links["first"]["url"] == backwards % 1


def test_the_link_header_is_absent_when_one_page_suffices(github: Sandbox, get: Get) -> None:
    assert "Link" not in get("/user/repos", headers=NEW).headers
    github.add_repository("octo", "one")
    assert "Link" not in get("/user/repos", headers=NEW).headers
    assert "Link" not in get("/users/octo/repos", headers=NEW, per_page=1).headers


def test_in_the_old_version_a_single_page_links_to_the_deprecation_alone(get: Get) -> None:
    assert list(get("/user/repos").links) == ["deprecation"]


def test_a_page_past_the_end_is_empty_and_leads_back(github: Sandbox, get: Get) -> None:
    for number in range(3):
        github.add_repository("octo", f"r{number}")
    answer = get("/user/repos", per_page=2, page=9)
    assert (names(answer), rels(answer)) == ([], ["prev", "first"])
    assert answer.links["prev"]["url"].endswith("page=2")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/users/octo/repos", "/user/1001/repos?per_page=1&page=2"),
        ("/orgs/guild/repos", "/organizations/1002/repos?per_page=1&page=2"),
    ],
)
def test_a_listing_by_login_links_on_by_id(
    github: Sandbox, get: Get, path: str, target: str
) -> None:
    github.add_user("guild", kind="Organization")
    for owner in ("octo", "guild"):
        for number in range(2):
            github.add_repository(owner, f"r{number}", created_at=f"2026-01-0{9 - number}")
    answer = get(path, token=None, per_page=1)
    following = answer.links["next"]["url"]
    assert following == github.url + target
    assert names(answer) + names(get(following, token=None)) == [
        f"{path.split('/')[2]}/r{number}" for number in range(2)
    ]


def test_an_object_given_as_it_is_is_served_as_it_is(github: Sandbox, get: Get) -> None:
    odd = {"id": 7, "full_name": "octo/odd", "description": "\ud83d", "extra": [1, {"a": None}]}
    things: list[object] = [odd, {"id": "seven"}, {"id": 7, "size": 10**30}, {}, None, 5, [1]]
    for thing in things:
        github.add_object(thing, listed_by="octo")
    listed = get("/user/repos", headers=NEW).json()
    assert sorted(map(str, listed)) == sorted(map(str, things))
    assert get("/repos/octo/odd", headers=NEW).json() == odd
    assert get("/repositories/7", headers=NEW).json() == {"id": 7, "size": 10**30}


def test_pages_of_a_long_listing_have_each_repository_exactly_once(
    github: Sandbox, get: Get
) -> None:
    for number in range(1234):
        github.add_repository("octo", f"r{number}")
    seen, url = [], "/user/repos?per_page=100&sort=created&direction=asc"
    while url:
        answer = get(url)
        seen += [item["id"] for item in answer.json()]
        url = answer.links.get("next", {}).get("url", "")
    assert len(seen) == len(set(seen)) == 1234
    assert seen == sorted(seen)
