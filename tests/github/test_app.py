"""A GitHub App signs in where it is installed: its tokens end, are refused, and nobody notices."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from sync.rest import RetryPolicy
from tests.conftest import QUICK, TOKEN
from tests.rest.helpers import everything_said
from tests.stand_in import StandIn
from tests.support.app_keys import key_pair
from tests.support.inside.core import BadCredentials, ConfigError, Interrupted
from tests.support.inside.github import (
    AppAuth,
    GitHubClient,
    Installation,
    InstallationAuth,
    SharedLimits,
)
from tests.support.runs import fill
from tests.support.signing_in import App, app_client, installed_app


@pytest.fixture
def app(github: StandIn) -> App:
    fill(github, 250)
    return installed_app(github)


def first_of(github: StandIn) -> int:
    return int(github.find("octo/repo-0000").fields["id"])


def tokens_made(github: StandIn) -> int:
    return sum(record.path.endswith("/access_tokens") for record in github.requests)


def statuses(github: StandIn) -> set[int]:
    return {record.status for record in github.requests}


def listed(client: GitHubClient, **options: object) -> list[int]:
    pages = client.repository_pages(**options)  # type: ignore[arg-type]  # passed on
    return [item.record.id for page in pages for item in page.items]


def test_an_installation_lists_what_it_was_given_with_one_token(github: StandIn, app: App) -> None:
    with app_client(github, app) as client:
        assert client.check().user is not None
        assert len(listed(client)) == 250
    assert tokens_made(github) == 1
    assert statuses(github) == {200, 201}


@pytest.mark.parametrize(
    ("visibility", "names"), [("public", 1), ("private", 2), ("all", 3)], ids=str
)
def test_an_installation_lists_the_visibility_that_is_asked_for(
    github: StandIn, visibility: str, names: int
) -> None:
    github.add_repository("octo", "open")
    for name in ("secret", "other"):
        github.add_repository("octo", name, private=True)
    with app_client(github, installed_app(github)) as client:
        assert len(listed(client, visibility=visibility)) == names


@pytest.mark.parametrize("private", [False, True], ids=["by id", "by client id"])
def test_an_app_is_named_by_its_id_or_its_client_id(
    github: StandIn, app: App, private: bool
) -> None:
    number = github.apps[str(app.id)].client_id if private else app.id
    auth = InstallationAuth(number, key_pair().private, api_url=github.url)
    with GitHubClient(credentials=Installation(auth), api_url=github.url) as client:
        assert len(listed(client)) == 250  # it found out by itself where it is installed


@pytest.mark.parametrize("under_way", [False, True], ids=["between requests", "under way"])
def test_a_token_of_three_seconds_is_renewed_in_time_and_no_refusal_is_noticed(
    github: StandIn, under_way: bool
) -> None:
    fill(github, 1)
    clock = [datetime(2026, 11, 25, 12, tzinfo=UTC)]
    github.now = lambda: clock[-1]

    def pass_time(_: object = None) -> None:
        clock.append(clock[-1] + timedelta(seconds=0.8))

    if under_way:
        github.on_request = pass_time
    app = installed_app(github, expires_in=3)
    auth = InstallationAuth(
        app.id, key_pair().private, app.installation, api_url=github.url, clock=github.now
    )
    with GitHubClient(
        credentials=Installation(auth), api_url=github.url, clock=github.now, concurrency=1
    ) as client:
        client.retry = RetryPolicy(attempts=1)
        for _ in range(12):
            client.repository_by_id(first_of(github))
            if not under_way:
                pass_time()
    assert tokens_made(github) >= 3
    assert statuses(github) == {200, 201} | ({401} if under_way else set())


def test_a_token_that_is_refused_before_its_end_is_renewed_once(github: StandIn, app: App) -> None:
    with app_client(github, app, concurrency=1) as client:
        pages = client.repository_pages()
        next(pages)
        github.revoke_installation_tokens(app.installation)
        assert sum(page.item_count for page in pages) == 150
    assert tokens_made(github) == 2


def test_many_threads_renew_a_refused_token_together(github: StandIn, app: App) -> None:
    with app_client(github, app, concurrency=16) as client:
        client.repository_by_id(first_of(github))
        github.revoke_installation_tokens(app.installation)
        ids = [github.find(f"octo/repo-{n:04}").fields["id"] for n in range(64)]
        futures = [client.in_background(client.repository_by_id, id_) for id_ in ids]
        assert [future.result().record.id for future in futures] == ids
    assert tokens_made(github) == 2


def refusal(github: StandIn, app: App, **options: int) -> str:
    with app_client(github, app, **options) as client:
        with pytest.raises(BadCredentials) as caught:
            client.check()
        with pytest.raises(BadCredentials) as again:
            listed(client)
    assert str(again.value).split(": ", 1)[1] == str(caught.value).split(": ", 1)[1]
    assert "PRIVATE" not in everything_said(caught.value)
    return str(caught.value)


def test_what_is_wrong_with_an_app_is_told(github: StandIn, app: App) -> None:
    wrong_key = refusal(github, app, key=1)
    assert wrong_key.endswith(
        "401: A JSON web token could not be decoded (the App's id or private key is wrong)"
    )
    assert refusal(github, App(99, app.installation)).endswith("404: Integration not found")
    github.suspend_installation(app.installation)
    assert refusal(github, app).endswith("the App's installation is suspended")
    github.uninstall_app(app.installation)
    told = f"404: the App has no installation {app.installation} any more"
    assert refusal(github, app).endswith(told)


@pytest.mark.parametrize(("hours", "claim"), [(-1, "'exp'"), (1, "'iat'")])
def test_a_clock_that_is_wrong_is_not_taken_for_a_wrong_key(
    github: StandIn, app: App, hours: int, claim: str
) -> None:
    clock = lambda: github.now() + timedelta(hours=hours)  # noqa: E731
    auth = InstallationAuth(
        app.id, key_pair(0).private, app.installation, api_url=github.url, clock=clock, retry=QUICK
    )
    with auth, pytest.raises(BadCredentials) as caught:
        auth.obtain()
    assert f"claim ({claim}) " in str(caught.value)
    assert str(caught.value).endswith(" (this machine's clock is wrong)")


@pytest.mark.parametrize("act", ["uninstall_app", "suspend_installation"])
def test_an_app_that_is_turned_out_in_mid_run_does_not_take_that_for_a_repository_that_is_gone(
    github: StandIn, app: App, act: str
) -> None:
    with app_client(github, app) as client:
        client.repository_by_id(first_of(github))
        getattr(github, act)(app.installation)
        if act == "suspend_installation":
            github.revoke_installation_tokens(app.installation)
        with pytest.raises(BadCredentials):
            client.repository_by_id(first_of(github))


def test_an_app_at_several_places_has_to_say_where(github: StandIn, app: App) -> None:
    github.add_user("org", kind="Organization")
    other = github.install_app(app.id, "org")
    with app_client(github, app._replace(installation=None)) as client:  # type: ignore[arg-type]  # none
        with pytest.raises(ConfigError) as caught:
            client.check()
        assert f"{app.installation} (octo), {other} (org)" in str(caught.value)
    github.uninstall_app(app.installation)
    github.uninstall_app(other)
    with (
        app_client(github, app._replace(installation=None)) as client,  # type: ignore[arg-type]  # none
        pytest.raises(BadCredentials, match="installed nowhere"),
    ):
        client.check()


@pytest.mark.parametrize(
    "key",
    ["", "no key", key_pair().public, key_pair().private[:400], "-----BEGIN PRIVATE KEY-----\n"],
    ids=["empty", "text", "public", "half", "header"],
)
def test_what_is_no_private_key_is_refused_unseen(key: str) -> None:
    with pytest.raises(ConfigError, match="must be an RSA key in PEM") as caught:
        AppAuth(1, key)
    lines = key.splitlines()[1:]
    assert not any(line in everything_said(caught.value) for line in lines)


@pytest.mark.parametrize("app_id", ["", "1\n2", "é"])
def test_an_id_that_cannot_be_one_is_refused(app_id: str) -> None:
    with pytest.raises(ConfigError, match="an App's id is a number"):
        AppAuth(app_id, key_pair().private)


def test_a_stop_ends_the_wait_for_a_token(github: StandIn, app: App) -> None:
    stop = threading.Event()
    github.fail(times=9, status=502, path="*/access_tokens")
    auth = InstallationAuth(
        app.id,
        key_pair().private,
        app.installation,
        api_url=github.url,
        stop=stop,
        retry=RetryPolicy(base=60, cap=60, random=lambda: 1.0),
    )
    github.on_request = lambda request: stop.set()
    with (
        GitHubClient(credentials=Installation(auth), api_url=github.url, stop=stop) as client,
        pytest.raises(Interrupted),
    ):
        client.repository_by_id(first_of(github))


def test_quota_and_remembered_pages_of_an_installation_are_its_own(
    github: StandIn, app: App, client: GitHubClient
) -> None:
    other = installed_app(github, key=1)
    with (
        app_client(github, app) as first,
        app_client(github, other, key=1) as second,
        app_client(github, app) as third,
    ):
        clients = [client, first, second]
        assert len({each.page_key("x") for each in clients}) == 3
        assert first.page_key("x") == third.page_key("x")
        limits, user = SharedLimits(), first.check().user
        assert user is not None
        owner = client.check().user
        assert owner is not None
        assert user.id == owner.id
        joined = [
            limits.join(name, each.quota_host, user.id, each.limits)[0]
            for name, each in zip("abcd", [*clients, third], strict=True)
        ]
    assert len(set(map(id, joined[:3]))) == 3
    assert joined[3] is joined[1]


def test_what_is_printed_of_it_shows_neither_key_nor_token(github: StandIn, app: App) -> None:
    with app_client(github, app) as client:
        client.repository_by_id(first_of(github))
        shown = repr(client) + repr(client.auth) + repr(AppAuth(app.id, key_pair().private))
    assert "ghs_" not in shown
    assert "PRIVATE" not in shown
    assert TOKEN not in shown
    assert str(app.installation) in shown


@pytest.mark.parametrize("quick", [QUICK, RetryPolicy(attempts=1)], ids=["again", "once"])
def test_a_token_is_asked_for_as_often_as_the_client_is_told(
    github: StandIn, app: App, quick: RetryPolicy
) -> None:
    github.fail(times=quick.attempts - 1, status=502, path="*/access_tokens")
    auth = InstallationAuth(
        app.id, key_pair().private, app.installation, api_url=github.url, retry=quick
    )
    with GitHubClient(
        credentials=Installation(auth), api_url=github.url, retry=RetryPolicy(attempts=1)
    ) as client:
        client.repository_by_id(first_of(github))
    assert tokens_made(github) == quick.attempts
