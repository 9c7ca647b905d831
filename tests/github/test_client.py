"""The GitHub client, against a real server."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from sync.rest import RetryPolicy
from sync.sandbox import Sandbox
from tests.conftest import QUICK, TOKEN
from tests.support.inside.core import (
    BadCredentials,
    ConfigError,
    Forbidden,
    ForeignOrigin,
    NotFound,
    NotJson,
    RateLimited,
    UnexpectedAnswer,
)
from tests.support.inside.github import GitHubClient

ONCE = RetryPolicy(attempts=1)


def test_check_tells_who_am_i_scopes_expiry_and_quota(github: Sandbox) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)
    github.add_token("octo", "classic-token", scopes=("repo", "read:org"), expires=ends)
    with GitHubClient(token="classic-token", api_url=github.url) as client:
        identity = client.check()
    assert identity.user is not None
    assert identity.user.login == "octo"
    assert identity.scopes == ("read:org", "repo") or identity.scopes == ("repo", "read:org")
    assert identity.expires_at == ends
    assert identity.rate_limit is not None
    assert (identity.rate_limit.limit, identity.rate_limit.remaining) == (5000, 4999)
    assert identity.clock_skew is not None
    assert abs(identity.clock_skew) < 5


def test_check_without_a_token_reads_the_public_user(github: Sandbox) -> None:
    with GitHubClient(username="octo", api_url=github.url) as client:
        identity = client.check()
    assert identity.user is not None
    assert (identity.user.login, identity.token_kind) == ("octo", "no token")


def test_a_revoked_token_is_bad_credentials(github: Sandbox, client: GitHubClient) -> None:
    client.check()
    github.revoke_token(TOKEN)
    with pytest.raises(BadCredentials, match="Bad credentials"):
        client.check()


def test_users_and_repositories_are_read_by_name_and_id(
    github: Sandbox, client: GitHubClient
) -> None:
    repository = github.add_repository("octo", "hello", description="Hi", language="Python")
    assert client.get_authenticated_user().login == "octo"
    assert client.get_user("octo").id == client.get_authenticated_user().id
    found = client.get_repository(repository)
    assert (found.full_name, found.description, found.language) == ("octo/hello", "Hi", "Python")


def test_a_repository_is_found_by_id_after_a_rename(github: Sandbox, client: GitHubClient) -> None:
    repository = github.add_repository("octo", "hello")
    github.rename(repository, "goodbye")
    assert client.get_repository(repository).full_name == "octo/goodbye"


def test_what_is_not_there_is_not_found(client: GitHubClient) -> None:
    with pytest.raises(NotFound):
        client.get_user("nobody-at-all")
    with pytest.raises(NotFound):
        client.get_repository(987654321)


@pytest.mark.parametrize(
    ("token", "complaint"),
    [("", "empty"), ("two\nlines", "line break"), ("a b", "space"), ("tökén-ü", "cannot be sent")],
)
def test_a_token_that_cannot_be_sent_is_refused_when_it_is_set(
    github: Sandbox, client: GitHubClient, token: str, complaint: str
) -> None:
    for attempt in (lambda: GitHubClient(token=token), lambda: setattr(client, "token", token)):
        with pytest.raises(ConfigError, match=complaint) as caught:
            attempt()
        assert not token or token not in str(caught.value)
    assert client.token == TOKEN


@pytest.mark.parametrize(
    "username", ["a1b2c3d4e5" * 4, "", "-octo", "o/o", "octo\n", "x" * 200, "a b"]
)
def test_a_username_that_is_no_login_is_refused_when_it_is_set(
    client: GitHubClient, username: str
) -> None:
    with pytest.raises(ConfigError, match="login"):
        GitHubClient(username=username)
    with pytest.raises(ConfigError, match="login"):
        client.username = username


def test_a_new_token_is_used_from_the_next_request_on(
    github: Sandbox, client: GitHubClient
) -> None:
    github.add_user("hubber", token="another-token")
    assert client.get_authenticated_user().login == "octo"
    client.token = "another-token"
    assert client.get_authenticated_user().login == "hubber"


def test_one_trailing_newline_of_a_token_file_is_forgiven(github: Sandbox) -> None:
    with GitHubClient(token=f"{TOKEN}\n", api_url=github.url) as client:
        assert client.get_authenticated_user().login == "octo"


def test_clients_for_several_users_live_side_by_side(github: Sandbox) -> None:
    logins = [f"user-{n}" for n in range(8)]
    for login in logins:
        github.add_user(login, token=f"token-of-{login}")
    clients = [GitHubClient(token=f"token-of-{login}", api_url=github.url) for login in logins]
    seen: dict[str, set[str]] = {login: set() for login in logins}

    def ask(login: str, client: GitHubClient) -> None:
        for _ in range(10):
            seen[login].add(client.get_authenticated_user().login)

    threads = [
        threading.Thread(target=ask, args=pair) for pair in zip(logins, clients, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()
    assert seen == {login: {login} for login in logins}


def test_pages_come_in_order_of_creation_with_several_in_flight(
    github: Sandbox, client: GitHubClient
) -> None:
    ids = [github.add_repository("octo", f"r{n}") for n in range(730)]
    together = threading.Barrier(4, timeout=10)
    later_pages = iter(range(1, 4 + 1))

    def wait_for_others(request: object) -> None:
        # Pages 2 to 5 are answered only when all four have been asked for.
        if getattr(request, "query", {}).get("page") and next(later_pages, None):
            together.wait()

    github.on_request = wait_for_others
    pages = list(client.repository_pages())
    assert [item.record.id for page in pages for item in page.items] == ids
    assert all(len(page.items) <= 100 for page in pages)


def test_concurrency_one_asks_for_one_page_at_a_time(github: Sandbox) -> None:
    for n in range(350):
        github.add_repository("octo", f"r{n}")
    under_way: list[int] = []
    lock = threading.Lock()

    def count(_: object) -> None:
        with lock:
            under_way.append(threading.active_count())

    github.on_request = count
    with GitHubClient(token=TOKEN, api_url=github.url, concurrency=1) as client:
        assert len(list(client.repository_pages())) == 4
    assert {request.path for request in github.requests} == {"/user/repos"}
    assert len(set(under_way)) == 1


def test_pages_remembered_are_asked_for_conditionally(
    github: Sandbox, client: GitHubClient
) -> None:
    from tests.support.inside.answers import CachedPage

    github.add_repository("octo", "hello")
    pages = list(client.repository_pages())
    known = {
        page.key: CachedPage(etag=page.etag or "", item_count=page.item_count, next_url=None)
        for page in pages
    }
    again = list(client.repository_pages(cached=known))
    assert [(page.not_modified, page.item_count, page.items) for page in again] == [
        (True, 1, ()),
        (True, 0, ()),  # nothing has said that the first page is all
    ]


def test_what_one_token_was_told_is_not_assumed_for_another(client: GitHubClient) -> None:
    before = client.page_key("u")
    client.token = "another-token"
    assert client.page_key("u") != before
    assert "another-token" not in client.page_key("u")


def test_a_next_link_to_another_origin_is_refused(github: Sandbox, client: GitHubClient) -> None:
    github.fail(
        path="/user/repos",
        status=200,
        body=b"[]",
        headers={"Link": '<http://127.0.0.1:9/user/repos?page=2>; rel="next"'},
    )
    with pytest.raises(ForeignOrigin, match="leads away"):
        list(client.repository_pages())


@pytest.mark.parametrize("status", [403, 429])
def test_a_pace_limit_without_a_time_waits_a_minute_and_not_for_ever(
    github: Sandbox, status: int
) -> None:
    body = b'{"message": "You have exceeded a secondary rate limit."}'
    github.fail(path="/user", status=status, body=body)
    with (
        GitHubClient(token=TOKEN, api_url=github.url, retry=RetryPolicy(max_wait=30)) as client,
        pytest.raises(RateLimited) as caught,
    ):
        client.check()
    assert caught.value.secondary
    assert caught.value.retry_at is None


def test_while_a_limit_holds_no_further_request_is_sent(github: Sandbox) -> None:
    github.fail(path="/user", status=429, headers={"Retry-After": "3600"}, body=b"{}")
    with GitHubClient(token=TOKEN, api_url=github.url) as client:
        for _ in range(3):
            with pytest.raises(RateLimited) as caught:
                client.check()
    assert caught.value.retry_at is not None
    assert len(github.requests) == 1


def test_a_refusal_is_told_in_githubs_own_words(github: Sandbox, client: GitHubClient) -> None:
    github.fail(
        path="/user",
        status=403,
        headers={"X-Accepted-GitHub-Permissions": "metadata=read"},
        body=b'{"message": "Resource not accessible by personal access token"}',
    )
    with pytest.raises(Forbidden, match=r"not accessible by personal.*metadata=read"):
        client.check()


def test_html_instead_of_json_is_tried_again_and_then_told(github: Sandbox) -> None:
    github.fail(times=3, path="/user/repos", status=200, body=b"<html>Sorry</html>")
    with GitHubClient(token=TOKEN, api_url=github.url, retry=QUICK) as client:
        with pytest.raises(NotJson, match="Sorry"):
            list(client.repository_pages())
        assert next(client.repository_pages()).item_count == 0


def test_an_enterprise_server_is_asked_for_the_version_that_it_knows() -> None:
    with GitHubClient(api_url="https://github.example.com/api/v3") as client:
        assert client.api_version == "2022-11-28"
        assert client.host == "github.example.com"
    with GitHubClient() as client:
        assert client.host == "github.com"


def test_a_client_that_knows_nobody_says_what_it_needs(github: Sandbox) -> None:
    with (
        GitHubClient(api_url=github.url) as client,
        pytest.raises(ConfigError, match="a token or a username"),
    ):
        list(client.repository_pages())


def test_the_requests_are_logged_with_what_github_calls_them(
    github: Sandbox, client: GitHubClient
) -> None:
    with capture_logs() as events:
        client.check()
    (event,) = events
    assert event["event"] == "http.request"
    assert (event["method"], event["status"], event["attempt"]) == ("GET", 200, 1)
    assert event["request_id"]
    assert event["rate_limit_remaining"] == 4999
    assert TOKEN not in repr(event)


def test_an_object_that_is_no_repository_is_an_unexpected_answer(
    github: Sandbox, client: GitHubClient
) -> None:
    github.fail(path="/repositories/5", status=200, body=b'{"id": "five"}')
    with pytest.raises(UnexpectedAnswer, match="not a repository"):
        client.get_repository(5)


@pytest.mark.parametrize("bad", [0, 101, -1])
def test_a_concurrency_out_of_range_is_refused(bad: int) -> None:
    with pytest.raises(ConfigError, match="concurrency"):
        GitHubClient(concurrency=bad)


def test_a_header_that_only_looks_like_a_number_harms_nothing(
    github: Sandbox, client: GitHubClient
) -> None:
    github.fail(path="/zen", status=200, headers={"X-RateLimit-Remaining": "\u00b2"}, body=b"{}")
    assert client.get("/zen").status == 200
