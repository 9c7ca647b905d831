"""Single objects, who sees them, and what the mutations do to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from sync.sandbox import Sandbox

Get = Callable[..., requests.Response]
CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NEW = {"X-GitHub-Api-Version": "2026-03-10"}


@pytest.fixture
def rid(github: Sandbox) -> int:
    """A repository octo/hello."""
    return github.add_repository("octo", "hello", created_at=CREATED, stargazers_count=3)


def difference(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {key for key in before | after if before.get(key) != after.get(key)}


def test_a_repository_has_the_fields_that_were_given_and_defaults_for_the_others(
    github: Sandbox,
) -> None:
    rid = github.add_repository(
        "octo", "x", created_at=CREATED, license="mit", topics=["a"], language="C", private=True
    )
    obj = github.get(rid)
    assert obj["id"] == rid
    assert obj["full_name"] == "octo/x"
    assert obj["created_at"] == obj["updated_at"] == obj["pushed_at"] == "2026-01-02T03:04:05Z"
    assert obj["license"]["spdx_id"] == "MIT"
    assert (obj["topics"], obj["language"], obj["visibility"]) == (["a"], "C", "private")
    assert obj["owner"]["login"] == "octo"
    assert obj["url"] == f"{github.url}/repos/octo/x"


def test_get_is_what_the_owner_is_served(github: Sandbox, get: Get, rid: int) -> None:
    assert get("/user/repos").json() == [github.get(rid)]
    assert get("/user/repos", headers=NEW).json() == [github.get(rid, version="2026-03-10")]
    assert get("/repos/octo/hello").json() == github.get(rid, full=True)


def test_a_repository_is_found_by_name_in_any_case_and_by_id(get: Get, rid: int) -> None:
    by_name, by_id = get("/repos/OCTO/Hello"), get(f"/repositories/{rid}")
    assert by_name.status_code == by_id.status_code == 200
    assert by_name.json() == by_id.json()


@pytest.mark.parametrize("path", ["/repos/octo/none", "/repositories/1", "/nothing", "/users/no"])
def test_a_missing_object_is_404_with_a_link_to_the_documentation(get: Get, path: str) -> None:
    answer = get(path)
    assert answer.status_code == 404
    assert answer.json()["message"] == "Not Found"
    assert answer.json()["status"] == "404"
    assert answer.json()["documentation_url"].startswith("https://docs.github.com/rest")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_other_methods_are_404(get: Get, rid: int, method: str) -> None:
    assert get(f"/repositories/{rid}", method=method).status_code == 404
    assert get("/user").status_code == 200


def test_head_is_get_without_the_body(get: Get, rid: int) -> None:
    plain = {"Accept-Encoding": "identity"}
    head = get(f"/repositories/{rid}", method="HEAD", headers=plain)
    whole = get(f"/repositories/{rid}", headers=plain)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["ETag"] == whole.headers["ETag"]
    assert int(head.headers["Content-Length"]) == len(whole.content)


def test_a_private_repository_is_404_to_those_without_a_part_in_it(
    github: Sandbox, get: Get, rid: int
) -> None:
    github.add_user("other", token="other-token")
    github.add_token("octo", "weak", scopes=("user",))
    github.make_private(rid)
    assert github.get(rid)["visibility"] == "private"
    for token, status in [("octo-token", 200), ("weak", 404), ("other-token", 404), (None, 404)]:
        assert get(f"/repositories/{rid}", token=token).status_code == status
        assert get("/repos/octo/hello", token=token).status_code == status
    github.add_collaborator("other", rid)
    assert get(f"/repositories/{rid}", token="other-token").status_code == 200
    github.remove_collaborator("other", rid)
    assert get(f"/repositories/{rid}", token="other-token").status_code == 404
    github.make_public(rid)
    assert get(f"/repositories/{rid}", token=None).status_code == 200


def test_permissions_are_those_of_the_viewer(github: Sandbox, get: Get) -> None:
    github.add_user("guild", kind="Organization")
    rid = github.add_repository("guild", "club")
    expected = {"boss": 5, "clerk": 1, "friend": 3, "stranger": 1}
    for login in expected:
        github.add_user(login, token=login)
    github.add_member("guild", "boss", role="admin")
    github.add_member("guild", "clerk")
    github.add_collaborator("friend", rid, permission="push")
    for login, count in expected.items():
        held = get(f"/repositories/{rid}", token=login).json()["permissions"]
        assert list(held) == ["admin", "maintain", "push", "triage", "pull"]
        assert sum(held.values()) == count
    assert "permissions" not in get(f"/repositories/{rid}", token=None).json()


def test_only_the_single_object_has_a_clone_token_and_it_is_never_a_secret(
    get: Get, rid: int
) -> None:
    assert get("/repos/octo/hello").json()["temp_clone_token"] == ""
    assert get("/repos/octo/hello", token=None).json()["temp_clone_token"] is None
    assert "temp_clone_token" not in get("/user/repos").json()[0]


def test_only_those_who_can_push_see_the_settings_for_merging(get: Get, rid: int) -> None:
    assert "allow_squash_merge" in get("/repos/octo/hello").json()
    assert "allow_squash_merge" not in get("/repos/octo/hello", token=None).json()


def test_an_edit_changes_exactly_the_given_fields(github: Sandbox, rid: int) -> None:
    before = github.get(rid, full=True)
    github.edit(rid, stargazers_count=9, description="new", pushed_at=CREATED.replace(year=2027))
    after = github.get(rid, full=True)
    assert difference(before, after) == {"stargazers_count", "description", "pushed_at"}
    assert after["pushed_at"] == "2027-01-02T03:04:05Z"


def test_a_push_moves_only_the_time_of_the_push(github: Sandbox, rid: int) -> None:
    before = github.get(rid)
    github.push(rid)
    assert difference(before, github.get(rid)) == {"pushed_at"}
    once = github.get(rid)
    github.push(rid)
    assert once["pushed_at"] < github.get(rid)["pushed_at"]


def test_a_star_moves_the_counters_and_the_time_of_the_update(github: Sandbox, rid: int) -> None:
    before = github.get(rid)
    github.star(rid)
    github.star(rid, by=2)
    after = github.get(rid)
    counters = {"stargazers_count", "watchers_count", "watchers"}
    assert difference(before, after) == counters | {"updated_at"}
    assert {after[name] for name in counters} == {6}


def test_archiving_moves_the_time_of_the_update(github: Sandbox, rid: int) -> None:
    before = github.get(rid)
    github.archive(rid)
    assert difference(before, github.get(rid)) == {"archived", "updated_at"}
    github.archive(rid, archived=False)
    assert github.get(rid)["archived"] is False


def test_after_a_rename_every_url_follows_and_the_old_name_redirects(
    github: Sandbox, get: Get, rid: int
) -> None:
    github.rename(rid, "goodbye")
    assert "hello" not in str(github.get(rid, full=True))
    assert get("/repos/octo/goodbye").json()["id"] == rid
    moved = get("/repos/octo/hello")
    assert moved.status_code == 301
    assert moved.headers["Location"] == f"{github.url}/repositories/{rid}"
    assert moved.json()["message"] == "Moved Permanently"
    assert moved.json()["url"] == moved.headers["Location"]
    assert get(moved.headers["Location"]).json()["name"] == "goodbye"


def test_a_reused_name_no_longer_redirects(github: Sandbox, get: Get, rid: int) -> None:
    github.rename(rid, "goodbye")
    heir = github.add_repository("octo", "hello")
    assert get("/repos/octo/hello").json()["id"] == heir
    github.delete(heir)
    assert get("/repos/octo/hello").status_code == 404


def test_a_rename_by_case_only_needs_no_redirect(github: Sandbox, get: Get, rid: int) -> None:
    github.rename(rid, "Hello")
    answer = get("/repos/octo/hello")
    assert (answer.status_code, answer.json()["full_name"]) == (200, "octo/Hello")


def test_a_name_that_is_taken_is_refused(github: Sandbox, rid: int) -> None:
    second = github.add_repository("octo", "second")
    with pytest.raises(ValueError, match="octo/HELLO already"):
        github.rename(second, "HELLO")
    with pytest.raises(ValueError, match="octo/second already"):
        github.add_repository("octo", "second")


@pytest.mark.parametrize("stay", [False, True])
def test_a_transfer_moves_the_repository_to_the_other_listing(
    github: Sandbox, get: Get, rid: int, stay: bool
) -> None:
    github.add_user("other", token="other-token")
    github.transfer(rid, "other", stay=stay)
    assert [item["full_name"] for item in get("/user/repos", token="other-token").json()] == [
        "other/hello"
    ]
    assert len(get("/user/repos").json()) == stay
    obj = github.get(rid)
    assert obj["owner"]["login"] == "other"
    assert "octo" not in str(obj)
    assert get("/repos/octo/hello").headers["Location"].endswith(f"/repositories/{rid}")


def test_a_redirect_does_not_tell_of_a_private_repository(
    github: Sandbox, get: Get, rid: int
) -> None:
    github.rename(rid, "goodbye")
    github.make_private(rid)
    assert get("/repos/octo/hello").status_code == 301
    assert get("/repos/octo/hello", token=None).status_code == 404


def test_a_deleted_repository_is_gone_everywhere(github: Sandbox, get: Get, rid: int) -> None:
    github.add_user("other", token="other-token")
    github.add_collaborator("other", rid)
    github.rename(rid, "goodbye")
    github.delete(rid)
    for path in ("/repos/octo/hello", "/repos/octo/goodbye", f"/repositories/{rid}"):
        assert get(path).status_code == 404
    assert get("/user/repos").json() == get("/user/repos", token="other-token").json() == []
    with pytest.raises(LookupError):
        github.get(rid)


def test_a_given_object_can_be_mutated_like_any_other(github: Sandbox, get: Get) -> None:
    github.add_user("other")
    url = "https://api.github.example/repos/octo/old"
    obj = {"id": 7, "full_name": "octo/old", "name": "old", "url": url, "owner": {"login": "octo"}}
    github.add_object(obj, listed_by="octo")
    github.rename(7, "new")
    github.transfer(7, "other")
    github.star(7)
    github.push(7)
    after = github.get(7)
    assert after["full_name"] == "other/new"
    assert after["url"] == "https://api.github.example/repos/other/new"
    assert (after["owner"]["login"], after["stargazers_count"]) == ("other", 1)
    assert get("/repos/octo/old").status_code == 301


def test_the_old_version_has_three_fields_more(github: Sandbox, rid: int) -> None:
    github.edit(rid, master_branch="main")
    old, new = github.get(rid, full=True), github.get(rid, full=True, version="2026-03-10")
    dropped = {"has_downloads", "use_squash_pr_title_as_default", "master_branch"}
    assert old.keys() - new.keys() == dropped
    assert not new.keys() - old.keys()


def test_users_and_organizations_are_found_by_login_and_users_by_id(
    github: Sandbox, get: Get, rid: int
) -> None:
    github.add_user("guild", kind="Organization", company="Makers")
    user = get("/users/OCTO", token=None).json()
    assert (user["login"], user["name"], user["public_repos"]) == ("octo", "Octo", 1)
    assert get(f"/user/{user['id']}").json() == user
    assert get("/users/guild").json()["type"] == "Organization"
    assert get("/orgs/guild").json()["company"] == "Makers"
    assert get("/orgs/octo").status_code == 404


def test_a_user_sees_its_private_side_only_with_the_user_scope(github: Sandbox, get: Get) -> None:
    github.add_token("octo", "wide", scopes=("repo", "user"))
    github.add_repository("octo", "secret", private=True)
    assert "plan" not in get("/user").json()
    assert get("/user", token="wide").json()["owned_private_repos"] == 1


def test_the_root_lists_the_urls_of_this_server(github: Sandbox, get: Get) -> None:
    root = get("/", token=None).json()
    assert root["current_user_url"] == f"{github.url}/user"
    assert get("/zen", token=None).text


def test_bodies_are_compact_utf_8(github: Sandbox, get: Get) -> None:
    github.add_repository("octo", "x", description="naïve 🚀")
    answer = get("/user/repos")
    assert '"description":"naïve 🚀"' in answer.content.decode()
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
