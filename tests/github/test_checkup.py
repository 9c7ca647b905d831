"""The doctor finds what is wrong with an account at GitHub before a run does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync.rest import RetryPolicy
from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.inside.config import Account, ApiUrl, ForgeSettings, Seconds
from tests.support.inside.doctor import CHECKS, Finding, Visit, run
from tests.support.inside.github import GitHubClient, likely_api_url
from tests.support.inside.rest import proxy_for

FINE = "github_pat_" + "q5" * 11 + "_" + "q5" * 29
HTML = b"<!DOCTYPE html><html><body>Sign in to GitHub</body></html>"


def found(
    github: Sandbox,
    token: str | None = TOKEN,
    *,
    visibility: Any = "public",
    api_url: str | None = None,
    reserve: float = 0.1,
    max_wait: float = 900,
) -> list[Finding]:
    """Return what the doctor says of an account with that token."""
    url = api_url or github.url
    settings = ForgeSettings(api_url=ApiUrl(url), reserve=reserve, max_wait=Seconds(max_wait))
    account = Account(
        name="me",
        username=None if token else "octo",
        token_env="TOKEN" if token else None,
        visibility=visibility,
    )
    with GitHubClient(
        token=token,
        username=account.username,
        api_url=url,
        reserve=reserve,
        retry=RetryPolicy(attempts=1),
    ) as client:
        visit = Visit(client, account, settings, {})
        return list(run(CHECKS, nullcontext(visit)))


def troubles(findings: list[Finding]) -> list[str]:
    return [f"{result}: {message}" for result, message in findings if result != "ok"]


def told(findings: list[Finding], result: str) -> str:
    return "\n".join(message for each, message in findings if each == result)


def test_nothing_is_wrong_with_an_ordinary_account(github: Sandbox) -> None:
    findings = found(github)
    assert troubles(findings) == []
    assert "signed in as octo, classic token, scopes: none" in told(findings, "ok")
    assert f"{github.url} answers, API version 2026-03-10" in told(findings, "ok")
    assert len(github.requests) == 2  # all that it costs


def test_a_token_that_was_revoked_is_bad(github: Sandbox) -> None:
    github.revoke_token(TOKEN)
    (trouble,) = troubles(found(github))
    assert trouble.startswith("fail: GET ")
    assert "the token is wrong, has expired or was revoked; make a new one" in trouble


def test_a_token_past_its_end_is_bad(github: Sandbox) -> None:
    github.add_token("octo", "old", expires=datetime.now(UTC) - timedelta(days=1))
    (trouble,) = troubles(found(github, "old"))
    assert "has expired" in trouble


def test_where_the_server_tells_when_a_token_ended_so_does_the_doctor(github: Sandbox) -> None:
    header = {"GitHub-Authentication-Token-Expiration": "2026-01-02 03:04:05 UTC"}
    github.fail(status=401, headers=header, body=b'{"message": "Bad credentials"}')
    (trouble,) = troubles(found(github))
    assert "the token has expired on 2026-01-02; make a new one" in trouble


@pytest.mark.parametrize(("days", "result"), [(2, "warn"), (13, "warn"), (15, "ok")])
def test_a_token_that_ends_within_two_weeks_is_warned_of(
    github: Sandbox, days: int, result: str
) -> None:
    end = datetime.now(UTC) + timedelta(days=days, hours=1)
    github.add_token("octo", "ending", expires=end)
    findings = found(github, "ending")
    assert f"the token expires in {days} days, on {end:%Y-%m-%d}" in told(findings, result)


def test_of_a_token_that_ends_within_two_days_the_hour_is_told(github: Sandbox) -> None:
    end = datetime.now(UTC) + timedelta(hours=5, minutes=30)
    github.add_token("octo", "ending", expires=end)
    assert f"the token expires in 5 h, at {end:%Y-%m-%d %H:%M} UTC" in told(
        found(github, "ending"), "warn"
    )


def test_a_token_that_has_ended_by_this_clock_alone_is_not_said_to_end_in_minus_one_day(
    github: Sandbox,
) -> None:
    end = datetime.now(UTC) - timedelta(hours=1)
    header = {"GitHub-Authentication-Token-Expiration": f"{end:%Y-%m-%d %H:%M:%S} UTC"}
    github.fail(status=200, path="/user", headers=header, body=b'{"id": 1, "login": "octo"}')
    expected = f"the token expired at {end:%Y-%m-%d %H:%M} UTC, by this clock"
    assert expected in told(found(github), "warn")


def test_an_account_without_a_token_is_not_said_to_be_signed_in(github: Sandbox) -> None:
    findings = told(found(github, None), "ok")
    assert "reads the public repositories of octo, without a token" in findings
    assert "signed in" not in findings


@pytest.mark.parametrize("visibility", ["private", "all"])
def test_a_classic_token_without_the_scope_for_private_repositories_is_warned_of(
    github: Sandbox, visibility: str
) -> None:
    (trouble,) = troubles(found(github, visibility=visibility))
    assert trouble == (
        f'warn: visibility is "{visibility}", '
        "but the token lacks the scope repo and sees no private repository"
    )
    github.set_scopes(TOKEN, ("repo",))
    assert troubles(found(github, visibility=visibility)) == []


def test_a_fine_grained_token_has_no_scopes_that_could_be_missing(github: Sandbox) -> None:
    github.add_token("octo", FINE)
    assert troubles(found(github, FINE, visibility="all")) == []


def test_what_a_fine_grained_token_lacks_is_named_as_github_names_it(github: Sandbox) -> None:
    github.add_token("octo", FINE)
    github.fail(
        path="/user/repos",
        status=403,
        headers={"X-Accepted-GitHub-Permissions": "metadata=read"},
        body=b'{"message": "Resource not accessible by personal access token"}',
    )
    (trouble,) = troubles(found(github, FINE))
    assert trouble.startswith("fail: ")
    assert "Resource not accessible by personal access token (needed: metadata=read)" in trouble


def test_without_a_token_no_private_repositories_can_be_wanted(github: Sandbox) -> None:
    (trouble,) = troubles(found(github, None, visibility="all"))
    assert "only a token can see private repositories" in trouble


def test_organizations_that_are_left_out_for_want_of_single_sign_on_are_counted(
    github: Sandbox,
) -> None:
    for name in ("acme", "globex", "initech"):
        github.add_user(name, kind="Organization")
        github.add_member(name, "octo")
    github.restrict_sso(TOKEN, ["acme", "globex"])
    (trouble,) = troubles(found(github))
    assert trouble.startswith("warn: 2 organizations are left out of the list: authorise")
    github.restrict_sso(TOKEN, ["acme"])
    (trouble,) = troubles(found(github))
    assert trouble.startswith("warn: one organization is left out of the list: authorise")


def test_single_sign_on_that_is_demanded_of_the_list_itself_is_a_failure(github: Sandbox) -> None:
    github.fail(
        path="/user/repos",
        status=403,
        headers={"X-GitHub-SSO": "required; url=https://github.com/orgs/acme/sso"},
        body=b'{"message": "Resource protected by organization SAML enforcement."}',
    )
    (trouble,) = troubles(found(github))
    assert trouble.startswith("fail: ")
    assert "not authorised for the organization's single sign-on" in trouble


@pytest.mark.parametrize(
    ("minutes", "trouble"),
    [(40, "fail: {}a run would be deferred"), (5, "warn: {}a run would wait")],
)
def test_a_spent_quota_is_told_of_with_the_time_at_which_it_is_there_again(
    github: Sandbox, minutes: int, trouble: str
) -> None:
    reset = datetime.now(UTC) + timedelta(minutes=minutes)
    github.set_quota(TOKEN, remaining=0, reset=reset)
    (said,) = troubles(found(github))
    until = f"no requests are left: GitHub answers at {reset:%H:%M} UTC; "
    assert said.startswith(trouble.format(until))


def test_the_last_request_may_have_been_the_doctors(github: Sandbox) -> None:
    github.set_quota(TOKEN, remaining=1, reset=datetime.now(UTC) + timedelta(minutes=40))
    (trouble,) = troubles(found(github, reserve=0.0))
    assert trouble.startswith("fail: no requests are left: the quota is reset at ")


def test_less_than_the_reserve_is_warned_of_and_left_alone(github: Sandbox) -> None:
    github.set_quota(TOKEN, remaining=400, reset=datetime.now(UTC) + timedelta(minutes=40))
    (trouble,) = troubles(found(github))
    assert trouble.startswith("warn: 399 of 5000 requests left until ")
    assert trouble.endswith(", github.reserve keeps 500: a run would be deferred")
    assert len(github.requests) == 1
    assert troubles(found(github, reserve=0.05)) == []


def test_a_limit_on_the_pace_is_told_of(github: Sandbox) -> None:
    body = b'{"message": "You have exceeded a secondary rate limit."}'
    github.fail(path="/user", status=403, body=body)
    assert troubles(found(github)) == [
        "warn: GitHub asks for a slower pace, and does not say until when"
    ]


@pytest.fixture
def enterprise() -> Iterator[Sandbox]:
    """An Enterprise Server as it is set up: no limits."""
    with Sandbox(enterprise=True) as sandbox:
        sandbox.add_user("octo", token=TOKEN, scopes=())
        for number in range(101):
            sandbox.add_repository("octo", f"r{number}")
        yield sandbox
        assert sandbox.errors == []


def test_nothing_is_wrong_with_an_enterprise_server_that_sets_no_limits(
    enterprise: Sandbox,
) -> None:
    findings = found(enterprise)
    assert troubles(findings) == []
    assert "the server sets no limit on requests" in told(findings, "ok")
    assert "API version 2022-11-28" in told(findings, "ok")


def test_a_whole_listing_comes_from_an_enterprise_server_too(enterprise: Sandbox) -> None:
    with GitHubClient(token=TOKEN, api_url=enterprise.url) as client:
        pages = list(client.repository_pages())
    assert [page.item_count for page in pages] == [100, 1, 0][: len(pages)]


def test_an_enterprise_server_without_the_path_of_its_api_is_recognised(
    enterprise: Sandbox,
) -> None:
    site = enterprise.url.removesuffix("/api/v3")
    refused, advice = troubles(found(enterprise, api_url=site))
    assert refused.startswith(f"fail: GET {site}/user: ")
    assert advice == (
        f'fail: {site} does not seem to be the API: try github.api_url = "{enterprise.url}"'
    )


def test_a_web_page_in_place_of_the_api_is_recognised(github: Sandbox) -> None:
    github.fail(status=200, headers={"Content-Type": "text/html"}, body=HTML)
    _, advice = troubles(found(github))
    assert advice.endswith(f'github.api_url = "{github.url}/api/v3"')


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("https://github.com", "https://api.github.com"),
        ("https://www.github.com", "https://api.github.com"),
        ("https://github.com/api/v3", "https://api.github.com"),
        ("https://api.github.com", None),
        ("https://acme.ghe.com", "https://api.acme.ghe.com"),
        ("https://api.acme.ghe.com", None),
        ("https://git.acme.example", "https://git.acme.example/api/v3"),
        ("https://git.acme.example:8443/api", "https://git.acme.example:8443/api/v3"),
        ("https://git.acme.example/api/v3", None),
    ],
)
def test_the_address_that_was_meant_is_proposed(given: str, meant: str | None) -> None:
    assert likely_api_url(given) == meant


@pytest.mark.parametrize("ahead", [-90, 90])
def test_a_clock_that_is_wrong_is_warned_of(ahead: int) -> None:
    with Sandbox(now=lambda: datetime.now(UTC) - timedelta(seconds=ahead)) as github:
        github.add_user("octo", token=TOKEN)
        (trouble,) = troubles(found(github))
    direction = "ahead of" if ahead > 0 else "behind"
    assert trouble.startswith("warn: this clock is ")
    assert trouble.endswith(f" {direction} the server's")


@pytest.mark.parametrize(
    ("proxy", "shown"),
    [
        ("http://user:secret@proxy.example:3128", "proxy.example:3128"),
        ("proxy.example:3128", "proxy.example:3128"),
        ("user:secret@proxy.example", "proxy.example"),
        ("", None),
    ],
)
def test_of_a_proxy_the_host_alone_is_told(
    monkeypatch: pytest.MonkeyPatch, proxy: str, shown: str | None
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("https_proxy", proxy)
    assert proxy_for("https://api.github.com") == shown
    monkeypatch.setenv("no_proxy", "github.com")
    assert proxy_for("https://api.github.com") is None
