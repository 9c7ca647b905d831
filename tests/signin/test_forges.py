"""Each account asks its own host, in the way that is configured for that one."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.fault_server import FaultServer, silence_after
from tests.support.inside.config import Config, parse
from tests.support.inside.core import TimedOut
from tests.support.inside.github import GitHubClient
from tests.support.inside.signin import client_for

TEXT = """
[github]
api_url = "{home}"
concurrency = 8
reserve = 0.2
[forges.work]
api_url = "{work}"
concurrency = 2
reserve = 0.0
timeout = "0.2s"
rewrite_links = true
[[accounts]]
name = "me"
token_env = "TOKEN"
[[accounts]]
name = "colleague"
token_env = "TOKEN"
forge = "work"
"""


def two(home: str, work: str) -> Config:
    tables = tomllib.loads(TEXT.format(home=home, work=work))
    return parse(tables, {}, source="config.toml", folder=Path())


def test_an_account_s_client_asks_as_its_forge_says(github: Sandbox) -> None:
    config = two(github.url, "https://ghe.example.com/api/v3")
    asked = {}
    for account in config.accounts:
        with client_for(account, config, {"TOKEN": TOKEN}) as client:
            assert isinstance(client, GitHubClient)
            asked[account.name] = (
                *(client.host, client.concurrency, client.reserve),
                client.rewrite_links,
            )
    assert asked["me"] == (github.url.removeprefix("http://"), 8, 0.2, False)
    assert asked["colleague"] == ("ghe.example.com", 2, 0.0, True)


def test_a_host_that_is_silent_is_given_the_time_of_its_own_section(github: Sandbox) -> None:
    with FaultServer(silence_after(b"HTTP/1.1 200 OK\r\n")) as silent:
        config = two(github.url, silent.url)
        colleague, environ = config.account("colleague"), {"TOKEN": TOKEN}
        with (
            client_for(colleague, config, environ, attempts=1) as client,
            pytest.raises(TimedOut, match=r"within 0\.2 s"),
        ):
            client.check()
        with client_for(config.account("me"), config, environ, attempts=1) as client:
            assert client.check().user is not None
