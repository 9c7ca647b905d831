"""Resources in a configuration: which are loaded for an account, of what, how often."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.support.inside.config import RESOURCES, Config, ResourceSetting, parse
from tests.support.inside.core import ConfigError

ACCOUNT = '[[accounts]]\nname = "me"\nusername = "octo"\n'
NAMES = [name for name, _ in RESOURCES]
BY_DEFAULT = {name for name, on in RESOURCES if on}
OFF = ResourceSetting(on=False, by_name=False)
AUTO = ResourceSetting(on=True, by_name=False)
BY_NAME = ResourceSetting(on=True, by_name=True)
DAY = 86400.0
LOST = "traffic is gone after 14 days: give at most 13d"
SWITCH = 'must be "auto", true, false or a table such as { every = "1d" }'
PATTERN = (
    'must be patterns OWNER/NAME, such as "octo/*" or "octo/hello"; * stands for any text, '
    "? for one character"
)
LIST = 'must be a list of patterns such as ["octo/*"]; leave it out for all repositories'


def read(text: str, **variables: str) -> Config:
    environ = {f"REPOLEDGER_{name}": value for name, value in variables.items()}
    return parse(tomllib.loads(text), environ, source="config.toml", folder=Path())


def settings(text: str, own: str = "", **variables: str) -> dict[str, ResourceSetting]:
    """Return the settings of the account, by [resources] and by its own keys."""
    config = read(f"[resources]\n{text}\n{ACCOUNT}{own}", **variables)
    return dict(config.resources_of(config.accounts[0]))


def problems(text: str, **variables: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read(text, **variables)
    return caught.value.problems


def test_every_resource_has_a_setting() -> None:
    assert list(settings("")) == NAMES


@pytest.mark.parametrize(
    ("default", "expected"), [('"auto"', AUTO), ("true", BY_NAME), ("false", OFF)]
)
def test_the_default_is_the_value_of_what_is_on_by_default_and_not_named(
    default: str, expected: ResourceSetting
) -> None:
    found = settings(f"default = {default}")
    assert found == {name: expected if name in BY_DEFAULT else OFF for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('"auto"', AUTO),
        ("true", BY_NAME),
        ("false", OFF),
        ("{}", BY_NAME),
        ('{ every = "6h" }', ResourceSetting(True, True, (), 6 * 3600.0)),
        ('{ repositories = ["octo/*"] }', ResourceSetting(True, True, ("octo/*",))),
        (
            '{ repositories = ["octo/*", "a/b"], every = "1d" }',
            ResourceSetting(True, True, ("octo/*", "a/b"), DAY),
        ),
    ],
)
def test_a_named_resource_has_its_own_value_whatever_the_default_is(
    name: str, written: str, expected: ResourceSetting
) -> None:
    for default in ("true", "false"):
        assert settings(f"default = {default}\n{name} = {written}")[name] == expected


@pytest.mark.parametrize(
    ("pattern", "covered", "others"),
    [
        ("octo/hello", ["octo/hello", "Octo/HELLO"], ["octo/hello2", "octo/hell", "a/octo/hello"]),
        ("octo/*", ["octo/hello", "octo/.github", "OCTO/x"], ["octo-org/hello", "o/octo"]),
        ("OCTO/*", ["octo/hello"], ["oct/hello"]),
        ("*/docs", ["octo/docs", "a/docs"], ["octo/docs2", "docs/octo"]),
        ("octo/v?", ["octo/v1", "octo/v-"], ["octo/v", "octo/v10"]),
        ("octo/a.b", ["octo/a.b"], ["octo/axb"]),
        ("*/*", ["octo/hello"], []),
        ("kay/k", ["KAY/K"], ["\u212aay/k"]),  # the sign for kelvin is a k to Unicode alone
    ],
)
def test_a_pattern_covers_the_repositories_whose_names_match(
    pattern: str, covered: list[str], others: list[str]
) -> None:
    setting = settings(f'stars = {{ repositories = ["{pattern}"] }}')["stars"]
    assert [name for name in covered + others if setting.covers(name)] == covered


def test_several_patterns_cover_what_one_of_them_matches_and_none_cover_everything() -> None:
    setting = settings('stars = { repositories = ["a/b", "c/*"] }')["stars"]
    assert [setting.covers(name) for name in ("a/b", "c/d", "a/c")] == [True, True, False]
    assert settings("stars = true")["stars"].covers("any/thing")


def test_an_account_s_own_keys_override_those_of_the_section() -> None:
    section = 'default = "auto"\ntraffic = { every = "1d" }\nwatchers = true'
    found = settings(section, 'resources = { traffic = false, forks = "auto", default = true }')
    assert (found["traffic"], found["forks"], found["stars"]) == (OFF, AUTO, BY_NAME)
    assert found["watchers"] == BY_NAME


def test_an_account_s_resources_are_a_section_of_their_own_as_well() -> None:
    text = f"{ACCOUNT}[accounts.resources]\nstars = {{ repositories = ['octo/*'] }}\n"
    config = read(text + ACCOUNT.replace('"me"', '"you"'))
    first, second = (config.resources_of(account)["stars"] for account in config.accounts)
    assert (first.repositories, second.repositories) == (("octo/*",), ())


@pytest.mark.parametrize(
    ("variables", "name", "expected"),
    [
        ({"RESOURCES__TRAFFIC": "false"}, "traffic", OFF),
        ({"RESOURCES__TRAFFIC": "auto"}, "traffic", AUTO),
        ({"RESOURCES__WATCHERS": "true"}, "watchers", BY_NAME),
        ({"RESOURCES__DEFAULT": "true"}, "languages", BY_NAME),
        (
            {"RESOURCES__TRAFFIC__EVERY": "6h"},
            "traffic",
            ResourceSetting(True, True, ("octo/*",), 6 * 3600.0),
        ),
        ({"RESOURCES__STARS__EVERY": "10m"}, "stars", ResourceSetting(True, True, (), 600.0)),
        (
            {"RESOURCES__TRAFFIC__REPOSITORIES": "a/*, b/c"},
            "traffic",
            ResourceSetting(True, True, ("a/*", "b/c"), DAY),
        ),
        ({"ACCOUNTS__0__RESOURCES__TRAFFIC": "false"}, "traffic", OFF),
        (
            {"ACCOUNTS__0__RESOURCES__FORKS__EVERY": "2d"},
            "forks",
            ResourceSetting(True, True, (), 2 * DAY),
        ),
        ({"ACCOUNTS__0__RESOURCES__DEFAULT": "auto"}, "downloads", AUTO),
    ],
)
def test_variables_change_a_resource_or_one_key_of_its_table(
    variables: dict[str, str], name: str, expected: ResourceSetting
) -> None:
    section = (
        'default = false\nstars = false\ntraffic = { repositories = ["octo/*"], every = "1d" }'
    )
    assert settings(section, **variables)[name] == expected


REFUSED = [
    ("resources = 5", "resources: must be a table of keys"),
    ("[resources]\ntrafic = true", "resources.trafic: unknown key; did you mean traffic?"),
    ('[resources]\ndefault = "on"', 'resources.default: must be "auto", true or false'),
    ("[resources]\ndefault = {}", 'resources.default: must be "auto", true or false'),
    ('[resources]\nstars = "true"', f"resources.stars: {SWITCH}"),
    ("[resources]\nstars = 1", f"resources.stars: {SWITCH}"),
    ('[resources]\nstars = ["octo/*"]', f"resources.stars: {SWITCH}"),
    (
        '[resources.stars]\nevry = "1d"',
        "resources.stars.evry: unknown key; did you mean every?",
    ),
    (
        '[resources]\nstars.every = "often"',
        'resources.stars.every: must be a length of time such as "30s", "15m", "1h" or "7d"',
    ),
    ('[resources]\nstars.every = "9m"', "resources.stars.every: must be at least 10m"),
    (
        '[resources]\nstars.every = "400d"',
        "resources.stars.every: must be a length of time from 0s to 366d",
    ),
    ('[resources]\ntraffic.every = "313h"', f"resources.traffic.every: {LOST}"),
    ('[resources]\ntraffic_popular.every = "14d"', f"resources.traffic_popular.every: {LOST}"),
    *[
        (
            f"[resources]\nstars.repositories = ['{pattern}']",
            f"resources.stars.repositories: {PATTERN}",
        )
        for pattern in ("", "octo", "octo/", "/hello", "a/b/c", "octo/[ab]", "octo/a b", "ö/x", "*")
    ],
    ("[resources]\nstars.repositories = [5]", f"resources.stars.repositories: {PATTERN}"),
    ("[resources]\nstars.repositories = []", f"resources.stars.repositories: {LIST}"),
    ('[resources]\nstars.repositories = "octo/*"', f"resources.stars.repositories: {LIST}"),
]


@pytest.mark.parametrize(("text", "expected"), REFUSED)
def test_a_mistake_is_told_with_its_key_and_what_would_be_right(text: str, expected: str) -> None:
    assert problems(f"{text}\n{ACCOUNT}") == (f"config.toml: {expected}",)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("resources = true", "resources: must be a table of keys"),
        ('resources = { stars = "yes" }', f"resources.stars: {SWITCH}"),
        ('resources = { traffic = { every = "14d" } }', f"resources.traffic.every: {LOST}"),
        ("resources = { languages = { on = 1 } }", "resources.languages.on: unknown key; known: "),
    ],
)
def test_a_mistake_of_an_account_is_told_with_the_account(own: str, expected: str) -> None:
    (problem,) = problems(ACCOUNT + own)
    assert problem.startswith(f"config.toml: accounts[0].{expected}")


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("RESOURCES__TRAFFIC", "yes", f"resources.traffic: {SWITCH}"),
        ("RESOURCES__TRAFFIC__EVERY", "14d", f"resources.traffic.every: {LOST}"),
        ("RESOURCES__STARS__EVERY", "1m", "resources.stars.every: must be at least 10m"),
        ("RESOURCES__STARS__REPOSITORIES", "octo", f"resources.stars.repositories: {PATTERN}"),
        ("RESOURCES__STARS__REPOSITORIES", "", f"resources.stars.repositories: {LIST}"),
        ("ACCOUNTS__0__RESOURCES", "false", "accounts[0].resources: must be a table of keys"),
        ("ACCOUNTS__0__RESOURCES__FORKS", "2", f"accounts[0].resources.forks: {SWITCH}"),
    ],
)
def test_a_mistake_in_a_variable_is_told_with_the_variable(
    variable: str, value: str, expected: str
) -> None:
    assert problems(ACCOUNT, **{variable: value}) == (f"REPOLEDGER_{variable}: {expected}",)


def test_a_variable_that_another_one_makes_a_table_is_told_of_and_not_passed_over() -> None:
    name = "REPOLEDGER_RESOURCES__TRAFFIC"
    (problem,) = problems(ACCOUNT, RESOURCES__TRAFFIC="false", RESOURCES__TRAFFIC__EVERY="6h")
    assert problem == f"{name}: give {name} or {name}__EVERY, not both"


def test_thirteen_days_between_two_readings_of_traffic_are_taken() -> None:
    assert settings('traffic.every = "13d"')["traffic"].every == 13 * DAY
    assert settings('forks.every = "30d"')["forks"].every == 30 * DAY


def test_a_single_underscore_is_answered_with_the_variable_that_was_meant() -> None:
    expected = "unknown variable; did you mean REPOLEDGER_RESOURCES__TRAFFIC?"
    (problem,) = problems(ACCOUNT, RESOURCES_TRAFFIC="false")
    assert problem == f"REPOLEDGER_RESOURCES_TRAFFIC: {expected}"
