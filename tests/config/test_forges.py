"""Several hosts in one configuration: what each is asked with, and mistakes in saying so."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.support.inside.config import Config, ForgeSettings, parse
from tests.support.inside.core import ConfigError

TWO = """
[github]
concurrency = 8
[forges.work]
api_url = "https://ghe.example.com/api/v3"
concurrency = 2
reserve = 0.5
max_wait = "1m"
timeout = "5s"
client_id = "Iv1.work"
rewrite_links = true
[[accounts]]
name = "me"
token_env = "T"
[[accounts]]
name = "colleague"
token_env = "W"
forge = "work"
"""


def loaded(text: str, **variables: str) -> Config:
    environ = {f"REPOLEDGER_{name}": value for name, value in variables.items()}
    return parse(tomllib.loads(text), environ, source="config.toml", folder=Path())


def problems(text: str, **variables: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        loaded(text, **variables)
    return caught.value.problems


def test_each_account_has_the_settings_of_its_forge() -> None:
    config = loaded(TWO)
    mine, work = map(config.forge_of, config.accounts)
    assert (mine.host, mine.concurrency, mine.reserve) == ("github.com", 8, 0.1)
    assert (work.host, work.concurrency, work.reserve) == ("ghe.example.com", 2, 0.5)
    assert [float(work.max_wait), float(work.timeout)] == [60, 5]
    assert (work.client_id, work.rewrite_links) == ("Iv1.work", True)
    assert mine.client_id is None


def test_a_forge_that_no_account_names_does_no_harm_and_github_may_be_named() -> None:
    config = loaded(TWO.replace('forge = "work"', 'forge = "github"'))
    assert [config.forge_of(account).host for account in config.accounts] == ["github.com"] * 2
    assert config.accounts_at("ghe.example.com") == []


def test_what_a_forge_leaves_out_is_the_default_and_not_what_github_says() -> None:
    config = loaded(
        '[github]\nreserve = 0.9\n[forges.work]\napi_url = "https://ghe.example.com"\n'
        '[[accounts]]\nname = "me"\ntoken_env = "T"\nforge = "work"\n'
    )
    (account,) = config.accounts
    expected = ForgeSettings(api_url=config.forge_of(account).api_url)
    assert config.forge_of(account) == expected


def test_variables_change_a_forge_and_make_one() -> None:
    variables = {
        "FORGES__WORK__CONCURRENCY": "3",
        "FORGES__MY_CLUB__API_URL": "https://club.example.com/api/v3",
        "FORGES__MY_CLUB__RESERVE": "0",
        "ACCOUNTS__1__FORGE": "my_club",
    }
    config = loaded(TWO, **variables)
    assert config.forges["work"].concurrency == 3
    club = config.forge_of(config.account("colleague"))
    assert (club.host, club.reserve) == ("club.example.com", 0)


def test_an_account_that_names_no_forge_there_is_is_told_which_one_may_be_meant() -> None:
    assert problems(TWO.replace('forge = "work"', 'forge = "wrok"')) == (
        "config.toml: accounts[1].forge: there is no such forge; did you mean work?",
    )
    variable = "REPOLEDGER_ACCOUNTS__0__FORGE: accounts[0].forge"
    assert problems(TWO, ACCOUNTS__0__FORGE="else") == (
        f"{variable}: there is no such forge; known: github, work",
    )


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            "[forges.github]\nreserve = 0.2",
            "forges.github: the name is reserved: put its keys into",
        ),
        (
            "[forges.Club]\napi_url = 'https://x'",
            "forges.Club: the name must be lower-case letters",
        ),
        (
            "[forges.a__b]\napi_url = 'https://x'",
            "forges.a__b: the name must be lower-case letters",
        ),
        (
            "[forges.my-club]\napi_url = 'https://x'",
            "forges.my-club: the name must be lower-case letters",
        ),
        (
            "[forges.club]\napi_url = 'https://api.github.com/other'",
            "forges.club.api_url: is another address on the host of [github]",
        ),
        ("[forges.'7']\napi_url = 'https://x'", "forges.7: the name must be lower-case letters"),
        ("[forges.club]\nreserve = 0.2", "forges.club.api_url: is missing, such as https://HOST"),
        ("[forges.club]\napi_url = 'http://x'", "forges.club.api_url: is http://, which would"),
        ("[forges.club]\napi_url = 'https://x'\ntimeout = 0", "forges.club.timeout: must be more"),
        ("[forges]\nclub = 'https://x'", "forges.club: must be a table of keys"),
        ("[[forges]]\nname = 'club'", "forges: must be tables, each written [forges.NAME]"),
        ("[forge.club]\napi_url = 'https://x'", "forge: unknown section; did you mean forges?"),
        (
            "[forges.club]\napi_url = 'https://x'\nconcurency = 1",
            "forges.club.concurency: unknown key; did you mean concurrency?",
        ),
    ],
)
def test_a_mistake_in_a_forge_is_told_with_its_key(written: str, told: str) -> None:
    account = "[[accounts]]\nname = 'me'\ntoken_env = 'T'\n"
    (problem,) = problems(f"{written}\n{account}")
    assert problem.startswith(f"config.toml: {told}")


def test_mistakes_in_forges_and_accounts_are_told_all_at_once() -> None:
    text = TWO.replace("reserve = 0.5", "reserve = 5").replace('forge = "work"', "forge = 5")
    found = problems(
        text.replace('token_env = "T"', "forge = 'x'"),
        FORGES_WORK_TIMEOUT="1s",
        GITHUB__TIMEOUT="0",
    )
    assert [problem.split(": ")[:2] for problem in found] == [
        [
            "REPOLEDGER_FORGES_WORK_TIMEOUT",
            "unknown variable; did you mean REPOLEDGER_FORGES__WORK__TIMEOUT?",
        ],
        ["REPOLEDGER_GITHUB__TIMEOUT", "github.timeout"],
        ["config.toml", "forges.work.reserve"],
        ["config.toml", "accounts[0].forge"],
        ["config.toml", "accounts[0]"],
        ["config.toml", "accounts[1].forge"],
    ]


def test_two_forges_may_have_one_address_such_as_for_limits_of_their_own() -> None:
    again = "[forges.again]\napi_url = 'https://ghe.example.com/api/v3/'\nreserve = 0.5\n"
    assert loaded(TWO + again).forges["again"].host == "ghe.example.com"


def test_accounts_of_two_hosts_that_share_a_token_file_are_refused() -> None:
    shared = TWO.replace('token_env = "T"', 'token_file = "/run/token"')
    shared = shared.replace('token_env = "W"', 'token_file = "/run/token"')
    (problem,) = problems(shared)
    assert problem == (
        "config.toml: accounts[1].token_file: is the file of account me too, whose token is for "
        "another host"
    )
