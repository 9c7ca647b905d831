"""Every object that the sandbox serves is what GitHub's own description says it is.

The models are githubkit's, made from GitHub's OpenAPI description: one set for each version of
the API. They are applied strictly, and a field that they do not know is an error too.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import githubkit  # noqa: F401
import pytest
import requests
from pydantic import BaseModel, TypeAdapter

from tests.support.app_keys import app_jwt, key_pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stand_in import StandIn

Get = Callable[..., requests.Response]

REPOSITORY_FORMS: list[dict[str, Any]] = [
    {},
    {"license": "mit", "topics": ["a", "b"], "language": "C", "homepage": "", "description": "🚀"},
    {"license": "unheard-of", "private": True, "fork": True, "archived": True},
]


@pytest.fixture(params=["2022-11-28", "2026-03-10"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def models(version: str) -> Any:
    """The models of a version; those of the older one are a package of their own."""
    module = f"githubkit_schemas.v{version.replace('-', '_')}"
    pytest.importorskip(module, reason=f"the models of {version} are not installed")
    return importlib.import_module(f"{module}.models")


@pytest.fixture
def world(github: StandIn) -> StandIn:
    """Users, an organization, and repositories of each form in both."""
    github.add_token("octo", "wide", scopes=("repo", "user"))
    github.add_user("other", token="other-token")
    github.add_user("guild", kind="Organization")
    github.add_member("guild", "octo")
    for owner in ("octo", "guild"):
        for number, fields in enumerate(REPOSITORY_FORMS):
            github.add_repository(owner, f"r{number}", **fields)
    return github


def unknown_fields(model: Any, raw: Any, where: str = "$") -> Iterator[str]:
    """The fields of a JSON value that its model has no place for."""
    if isinstance(model, BaseModel):
        fields = type(model).model_fields
        names = {field.alias or name: name for name, field in fields.items()}
        for key, value in raw.items():
            if key not in names:
                yield f"{where}.{key}"
            else:
                yield from unknown_fields(getattr(model, names[key]), value, f"{where}.{key}")
    elif isinstance(model, list):
        for number, (inner, value) in enumerate(zip(model, raw, strict=True)):
            yield from unknown_fields(inner, value, f"{where}[{number}]")


def check(answer: requests.Response, shape: Any, status: int = 200) -> None:
    assert answer.status_code == status, answer.text
    parsed = TypeAdapter(shape).validate_json(answer.content, strict=True)
    assert list(unknown_fields(parsed, answer.json())) == []


@pytest.fixture
def ask(get: Get, version: str, world: StandIn) -> Get:
    def ask(path: str, token: str | None = "octo-token", **query: Any) -> requests.Response:
        return get(path, token=token, headers={"X-GitHub-Api-Version": version}, **query)

    return ask


def test_the_own_listing_has_repositories(ask: Get, models: Any) -> None:
    answer = ask("/user/repos")
    assert len(answer.json()) == 6
    check(answer, list[models.Repository])


@pytest.mark.parametrize("token", ["octo-token", "other-token", None])
@pytest.mark.parametrize("path", ["/users/octo/repos", "/user/1001/repos", "/orgs/guild/repos"])
def test_the_other_listings_have_minimal_repositories(
    ask: Get, models: Any, path: str, token: str | None
) -> None:
    answer = ask(path, token=token)
    assert len(answer.json()) >= 2
    check(answer, list[models.MinimalRepository])


@pytest.mark.parametrize("token", ["octo-token", "other-token", None])
def test_a_single_repository_is_a_full_one_by_name_and_by_id(
    ask: Get, models: Any, token: str | None
) -> None:
    for place in ("octo/r0", "octo/r1", "guild/r0", "guild/r1"):
        by_name = ask(f"/repos/{place}", token=token)
        check(by_name, models.FullRepository)
        check(ask(f"/repositories/{by_name.json()['id']}", token=token), models.FullRepository)
    if token == "octo-token":
        check(ask("/repos/octo/r2"), models.FullRepository)


def test_the_owner_of_a_repository_is_a_simple_user(ask: Get, models: Any) -> None:
    owners = {item["owner"]["type"]: item["owner"] for item in ask("/user/repos").json()}
    assert set(owners) == {"User", "Organization"}
    for owner in owners.values():
        parsed = models.SimpleUser.model_validate(owner, strict=True)
        assert list(unknown_fields(parsed, owner)) == []


def test_accounts_are_users_and_organizations(ask: Get, models: Any) -> None:
    check(ask("/user"), models.PublicUser)
    check(ask("/user", token="wide"), models.PrivateUser)
    for path in ("/users/octo", "/users/guild", "/user/1001"):
        check(ask(path, token=None), models.PublicUser)
    check(ask("/orgs/guild", token=None), models.OrganizationFull)


@pytest.mark.parametrize("token", ["octo-token", None])
def test_the_limit_is_an_overview(ask: Get, models: Any, token: str | None) -> None:
    check(ask("/rate_limit", token=token), models.RateLimitOverview)


def test_the_root_is_a_root(ask: Get, models: Any) -> None:
    check(ask("/"), models.Root)


@pytest.fixture
def active(world: StandIn) -> int:
    """A repository with traffic, stars, releases, languages and a fork."""
    created = datetime.now(UTC) - timedelta(days=300)
    rid = world.add_repository(
        "octo", "active", language="C", stargazers_count=50, created_at=created
    )
    world.add_activity(rid, visits=100, releases=3)
    world.add_fork(rid, "other")
    return rid


def test_resources_of_a_repository_are_what_they_should_be(
    ask: Get, models: Any, active: int
) -> None:
    shapes = {
        "traffic/views": models.ViewTraffic,
        "traffic/clones": models.CloneTraffic,
        "traffic/popular/referrers": list[models.ReferrerTraffic],
        "traffic/popular/paths": list[models.ContentTraffic],
        "stargazers/count": models.ReposOwnerRepoStargazersCountGetResponse200,
        "stargazers/history": list[models.StargazerHistory],
        "releases": list[models.Release],
        "languages": dict[str, int],  # the description names no fields
        "forks": list[models.MinimalRepository],
    }
    for child, shape in shapes.items():
        answer = ask(f"/repositories/{active}/{child}")
        assert answer.json(), child
        check(answer, shape)
    check(ask(f"/repositories/{active}/traffic/views", per="week"), models.ViewTraffic)


def test_refusals_of_resources_are_errors(ask: Get, models: Any, world: StandIn) -> None:
    check(ask("/repos/octo/r0/traffic/views", token="other-token"), models.BasicError, 403)
    check(ask("/repos/octo/r0/forks", sort="size"), models.BasicError, 400)
    world.answer_child("languages", "too large")
    check(ask("/repos/octo/r0/languages"), models.BasicError, 403)
    world.set_pace(0)
    check(ask("/user"), models.BasicError, 403)


@pytest.mark.parametrize("owner", ["octo", "guild"])
def test_apps_and_installations_are_what_they_should_be(
    ask: Get, get: Get, models: Any, world: StandIn, owner: str
) -> None:
    app_id = world.add_app("Ledger", key=key_pair().public, permissions={"contents": "read"})
    installation, web_token = world.install_app(app_id, owner), app_jwt(app_id)
    check(ask("/app", token=web_token), models.Integration)
    check(ask("/app/installations", token=web_token), list[models.Installation])
    world.suspend_installation(installation)
    check(ask(f"/app/installations/{installation}", token=web_token), models.Installation)
    world.unsuspend_installation(installation)
    made = get(f"/app/installations/{installation}/access_tokens", token=web_token, method="POST")
    check(made, models.InstallationToken, 201)
    listed = ask("/installation/repositories", token=made.json()["token"])
    assert len(listed.json()["repositories"]) == 3
    check(listed, models.InstallationRepositoriesGetResponse200)


def test_the_errors_are_errors(ask: Get, models: Any, world: StandIn) -> None:
    check(ask("/user", token=None), models.BasicError, 401)
    check(ask("/user", token="wrong"), models.BasicError, 401)
    check(ask("/repos/octo/none"), models.BasicError, 404)
    invalid = ask("/user/repos", sort="stars")
    assert invalid.json().pop("status") == "422"
    assert list(models.ValidationError.model_validate_json(invalid.content).errors)
    world.set_quota("octo-token", remaining=0)
    check(ask("/user"), models.BasicError, 403)
