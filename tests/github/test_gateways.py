"""What stands between a client and GitHub, and changes what is said."""

from __future__ import annotations

import json

import pytest

from tests.conftest import QUICK, TOKEN
from tests.stand_in import StandIn
from tests.support.fault_server import answer
from tests.support.hub import ELSEWHERE, LISTING, Hub, some_repositories
from tests.support.inside.core import Forbidden, ForeignOrigin
from tests.support.inside.github import GitHubClient
from tests.support.runs import fill
from tests.support.signing_in import installed_app


def listed(client: GitHubClient) -> list[int]:
    return [item.record.id for page in client.repository_pages() for item in page.items]


def test_an_answer_that_a_gateway_changed_is_an_answer(
    github: StandIn, client: GitHubClient
) -> None:
    ids = fill(github, 3)
    body = json.dumps(github.listing_of(TOKEN)).encode()
    github.fail(path="/user/repos", status=203, body=body)
    assert listed(client) == ids


@pytest.mark.parametrize("host", ["https://github.internal/api/v3", ELSEWHERE])
@pytest.mark.parametrize("path", ["/user/repos", "/user/1/repos"])
def test_links_to_another_host_are_followed_at_this_one_if_that_is_wanted(
    host: str, path: str
) -> None:
    with Hub(some_repositories(7)) as hub:
        query = LISTING.partition("?")[2]
        # As a server says that does not know by which name it is asked.
        pages = (hub.page(number).decode("latin-1") for number in (1, 2))
        names = f"<{host}{path}?{query}"
        for number, page in enumerate(pages, start=1):
            hub.fault(f"page {number}", [page.replace(f"<{LISTING}", names).encode("latin-1")])
        with GitHubClient(token=TOKEN, api_url=hub.url, rewrite_links=True) as client:
            assert listed(client) == [1, 2, 3, 4, 5, 6, 7]
        assert hub.elsewhere.requests == []


def test_links_to_another_host_are_refused_otherwise_and_the_setting_is_named() -> None:
    with Hub(some_repositories(7)) as hub:
        link = {"Link": f'<{ELSEWHERE}/user/repos?page=2>; rel="next"'}
        hub.fault("page 1", [answer(200, hub.items[:3], link)])
        with (
            GitHubClient(token=TOKEN, api_url=hub.url) as client,
            pytest.raises(ForeignOrigin, match=r"rewrite_links = true"),
        ):
            listed(client)
        assert hub.elsewhere.requests == []


def test_a_token_of_a_ci_job_is_said_to_be_no_users(github: StandIn) -> None:
    app = installed_app(github)
    token = github.add_installation_token(app.installation).value
    with (
        GitHubClient(token=token, api_url=github.url, retry=QUICK) as client,
        pytest.raises(Forbidden, match=r"begins with ghs_, such as that of a job.*by app_id"),
    ):
        client.check()
