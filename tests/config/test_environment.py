"""Variables that change the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.inside.config import Account, Config, Seconds, load, parse
from tests.support.inside.core import ConfigError

FILE = """
[database]
url = "sqlite:////srv/from-file.db"
[schedule]
every = "2h"
[[accounts]]
name = "first"
token_env = "FIRST_TOKEN"
affiliation = ["owner"]
[[accounts]]
name = "second"
username = "octocat"
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "etc"
    folder.mkdir()
    path = folder / "config.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def load_with(file: Path | None, **variables: str) -> Config:
    return load(file, {f"REPOLEDGER_{name}": value for name, value in variables.items()})


def problems_with(file: Path, **variables: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load_with(file, **variables)
    return caught.value.problems


def test_variables_win_over_the_file_and_leave_the_rest_alone(file: Path) -> None:
    config = load_with(
        file,
        DATABASE__URL="sqlite:////srv/from-variable.db",
        DATABASE__MIGRATE="manual",
        SCHEDULE__RUN_AT_START="false",
        GITHUB__API_URL="https://ghe.example.com/api/v3",
        GITHUB__CONCURRENCY="7",
        GITHUB__RESERVE="0.25",
        GITHUB__MAX_WAIT="1h 30m",
        REMOVALS__ON_PRIVATE="keep",
    )
    assert config.database.url == "sqlite:////srv/from-variable.db"
    assert config.database.migrate == "manual"
    assert (config.schedule.run_at_start, config.schedule.every) == (False, Seconds(7200))
    assert config.forges["github"].api_url == "https://ghe.example.com/api/v3"
    assert (config.forges["github"].concurrency, config.forges["github"].reserve) == (7, 0.25)
    assert config.forges["github"].max_wait == Seconds(5400)
    assert config.removals.on_private == "keep"
    assert [account.name for account in config.accounts] == ["first", "second"]


# Of keys that stand in for each other, the one that a variable gives.


@pytest.mark.parametrize(
    ("written", "variables", "expected"),
    [
        ('cron = "0 9 * * *"', {"SCHEDULE__EVERY": "1h"}, (None, 3600)),
        ('every = "2h"', {"SCHEDULE__CRON": "0 9 * * *"}, ("0 9 * * *", None)),
        ('cron = "0 9 * * *"\nevery = "2h"', {"SCHEDULE__EVERY": "1h"}, (None, 3600)),
    ],
)
def test_a_rhythm_in_a_variable_takes_the_place_of_the_file_s(
    file: Path, written: str, variables: dict[str, str], expected: tuple[object, object]
) -> None:
    file.write_text(FILE.replace('every = "2h"', written), encoding="utf-8")
    schedule = load_with(file, **variables).schedule
    assert (schedule.cron, schedule.every) == expected


def test_an_account_s_rhythm_in_a_variable_takes_the_place_of_the_file_s(file: Path) -> None:
    file.write_text(f'{FILE}cron = "0 9 * * *"\n', encoding="utf-8")
    account = load_with(file, ACCOUNTS__1__EVERY="1h").accounts[1]
    assert account == Account(name="second", username="octocat", every=Seconds(3600))


APP = 'app_id = "1"\ninstallation_id = 7\nprivate_key_file = "key.pem"'


@pytest.mark.parametrize(
    ("written", "variables", "expected"),
    [
        ('token_env = "T"', {"TOKEN_FILE": "t"}, {"token_file": "t"}),
        ('token_file = "t"', {"TOKEN_ENV": "T"}, {"token_env": "T"}),
        ('token_env = "T"', {"KEYRING": "true"}, {"keyring": True}),
        ('token_env = "T"', {"KEYRING": "false"}, {"token_env": "T"}),
        ("keyring = true", {"TOKEN_COMMAND__0": "gh"}, {"token_command": ("gh",)}),
        ('token_command = "gh auth token"', {"TOKEN_ENV": "T"}, {"token_env": "T"}),
        (APP, {"TOKEN_ENV": "T"}, {"token_env": "T"}),
        (
            'token_env = "T"\nusername = "octo"\nscheme = "basic"',
            {"APP_ID": "2", "PRIVATE_KEY_ENV": "K"},
            {"app_id": "2", "private_key_env": "K", "username": "octo"},
        ),
        (
            'token_env = "T"\nusername = "octo"\nscheme = "basic"',
            {"TOKEN_FILE": "t"},
            {"token_file": "t", "username": "octo", "scheme": "basic"},
        ),
        (
            APP,
            {"PRIVATE_KEY_ENV": "K"},
            {"app_id": "1", "installation_id": 7, "private_key_env": "K"},
        ),
    ],
)
def test_a_secret_s_place_in_a_variable_takes_the_place_of_the_file_s(
    file: Path, written: str, variables: dict[str, str], expected: dict[str, object]
) -> None:
    file.write_text(f'[[accounts]]\nname = "me"\n{written}\n', encoding="utf-8")
    named = {f"ACCOUNTS__0__{name}": value for name, value in variables.items()}
    (account,) = load_with(file, **named).accounts
    assert account == Account(name="me", **expected)  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"DATABASE__URL": "sqlite:///l.db"}, "sqlite:///l.db"),
        ({"DATABASE__URL": "postgresql://u:mine@h/d"}, "postgresql://u:mine@h/d"),
        ({"DATABASE__URL": "postgresql://u@h/d"}, "postgresql://u:theirs@h/d"),
        ({"DATABASE__PASSWORD_ENV": "OTHER"}, "postgresql://me:others@server/ledger"),
    ],
)
def test_a_database_s_password_in_a_variable_takes_the_place_of_the_file_s(
    file: Path, variables: dict[str, str], expected: str
) -> None:
    (file.parent / "password").write_text("theirs\n", encoding="utf-8")
    file.write_text(
        '[database]\nurl = "postgresql://me@server/ledger"\npassword_file = "password"\n'
        '[[accounts]]\nname = "me"\nusername = "octo"\n',
        encoding="utf-8",
    )
    environ = {f"REPOLEDGER_{name}": value for name, value in variables.items()}
    assert load(file, {**environ, "OTHER": "others"}).database.url == expected


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        (
            {"SCHEDULE__CRON": "0 9 * * *", "SCHEDULE__EVERY": "1h"},
            "REPOLEDGER_SCHEDULE__CRON: schedule: give cron or every, not both",
        ),
        (
            {"ACCOUNTS__0__TOKEN_FILE": "t", "ACCOUNTS__0__KEYRING": "true"},
            "REPOLEDGER_ACCOUNTS__0__TOKEN_FILE: accounts[0]: give token_file or keyring, not both",
        ),
        (
            {"ACCOUNTS__0__PRIVATE_KEY_ENV": "K"},
            "REPOLEDGER_ACCOUNTS__0__PRIVATE_KEY_ENV: accounts[0].private_key_env: needs app_id",
        ),
    ],
)
def test_variables_that_contradict_each_other_are_told_of_and_not_the_file(
    file: Path, variables: dict[str, str], complaint: str
) -> None:
    (problem,) = problems_with(file, **variables)
    assert problem.startswith(complaint)


def test_an_account_is_changed_by_its_index(file: Path) -> None:
    config = load_with(
        file, ACCOUNTS__1__USERNAME="hubot", ACCOUNTS__0__AFFILIATION="owner, collaborator"
    )
    first, second = config.accounts
    assert (first.token_env, first.affiliation) == ("FIRST_TOKEN", ("owner", "collaborator"))
    assert (second.name, second.username) == ("second", "hubot")


def test_an_index_beyond_the_last_adds_an_account(file: Path) -> None:
    config = load_with(file, ACCOUNTS__2__NAME="third", ACCOUNTS__2__TOKEN_ENV="THIRD")
    assert [account.name for account in config.accounts] == ["first", "second", "third"]
    assert config.accounts[2].token_env == "THIRD"


def test_names_of_the_listener_are_separated_by_commas(file: Path) -> None:
    config = load_with(file, HTTP__NAMES="ledger.example.com, repoledger")
    assert config.http.names == ("ledger.example.com", "repoledger")


def test_accounts_may_be_counted_from_one(file: Path) -> None:
    config = load_with(
        None,
        ACCOUNTS__1__NAME="one",
        ACCOUNTS__1__TOKEN_ENV="ONE",
        ACCOUNTS__2__NAME="two",
        ACCOUNTS__2__TOKEN_ENV="TWO",
    )
    assert [(a.name, a.token_env) for a in config.accounts] == [("one", "ONE"), ("two", "TWO")]


def test_more_than_ten_accounts_keep_their_order_and_their_keys(file: Path) -> None:
    numbers = range(12)
    names = {f"ACCOUNTS__{n}__NAME": f"a{n}" for n in numbers}
    users = {f"ACCOUNTS__{n}__USERNAME": f"u{n}" for n in numbers}
    config = load_with(None, **names, **users)
    assert [(a.name, a.username) for a in config.accounts] == [(f"a{n}", f"u{n}") for n in numbers]


def test_one_item_of_a_list_is_changed_by_its_index(file: Path) -> None:
    config = load_with(file, ACCOUNTS__0__AFFILIATION__0="organization_member")
    assert config.accounts[0].affiliation == ("organization_member",)


def test_files_named_by_variables_are_relative_to_the_working_folder(file: Path) -> None:
    config = load_with(file, DATABASE__URL="sqlite:///l.db", ACCOUNTS__1__TOKEN_FILE="secret")
    assert config.database.url == "sqlite:///l.db"
    assert config.accounts[1].token_file == "secret"


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("GITHUB__CONCURRENCY", "many", "github.concurrency: must be a whole number"),
        ("GITHUB__CONCURRENCY", "0", "github.concurrency: must be a whole number"),
        ("GITHUB__RESERVE", "nan", "github.reserve: must be a share"),
        ("GITHUB__TIMEOUT", "soon", "github.timeout: must be a length of time"),
        ("SCHEDULE__RUN_AT_START", "perhaps", "schedule.run_at_start: must be true or false"),
        ("SCHEDULE__CRON", "", "schedule.cron: must be five cron fields"),
        ("DATABASE__URL", "", "database.url: must be"),
        ("DATABASE__URL__X", "1", "database.url: must be"),
        ("DATABASE__ULR", "sqlite:///x", "database.ulr: unknown key; did you mean url?"),
        ("DATABSE__URL", "sqlite:///x", "databse: unknown section; did you mean database?"),
        ("ACCOUNTS__0__TOKEN", "s3cret-value", "accounts[0].token: a secret does not belong"),
        ("ACCOUNTS__0__AFFILIATION", "friend", "accounts[0].affiliation: must be a list"),
        ("ACCOUNTS__0__AFFILIATION", "", "accounts[0].affiliation: must be a list"),
        ("ACCOUNTS__2", "third", "accounts[2]: must be a table of keys"),
    ],
)
def test_a_mistake_in_a_variable_is_told_with_the_variable(
    file: Path, variable: str, value: str, complaint: str
) -> None:
    problems = [p for p in problems_with(file, **{variable: value}) if complaint in p]
    assert len(problems) == 1
    assert "s3cret-value" not in problems[0]
    if variable != "DATABASE__URL__X":  # what is wrong there is the table that it makes
        assert problems[0].startswith(f"REPOLEDGER_{variable}: ")


@pytest.mark.parametrize(
    "variables",
    [
        {"ACCOUNTS__0": "me", "ACCOUNTS__0__NAME": "me"},
        {"ACCOUNTS__5": "me", "ACCOUNTS__5__NAME": "me"},
        {"ACCOUNTS__NAME": "me"},
        {"ACCOUNTS__²__NAME": "me"},
        {"ACCOUNTS__0__NAME__0": "me"},
        {"ACCOUNTS__0__AFFILIATION__0__X": "me"},
        {"DATABASE__0__URL": "sqlite:///x"},
        {"GITHUB__": "x"},
        {"__": "x"},
        {"__GITHUB__TIMEOUT": "1s"},
        {"ACCOUNTS__99999999999__NAME": "me"},
    ],
)
def test_nonsense_in_variables_is_a_problem_and_no_crash(
    file: Path, variables: dict[str, str]
) -> None:
    assert problems_with(file, **variables)


def test_nonsense_in_both_the_file_and_variables_is_a_problem_and_no_crash(file: Path) -> None:
    file.write_text('accounts = ["x", ["y"]]', encoding="utf-8")
    assert problems_with(file, ACCOUNTS__0__NAME="me", ACCOUNTS__1__NAME="me")


@pytest.mark.parametrize(
    ("variable", "right"),
    [
        ("REPOLEDGER_GITHUB_TIMEOUT", "REPOLEDGER_GITHUB__TIMEOUT"),
        ("REPOLEDGER_DATABASE_URL", "REPOLEDGER_DATABASE__URL"),
        ("REPOLEDGER_SCHEDULE_RUN_AT_START", "REPOLEDGER_SCHEDULE__RUN_AT_START"),
    ],
)
def test_a_single_underscore_is_answered_with_the_name_that_was_meant(
    file: Path, variable: str, right: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(file, {variable: "1s"})
    assert caught.value.problems == (f"{variable}: unknown variable; did you mean {right}?",)


@pytest.mark.parametrize(
    "variable",
    [
        "REPOLEDGER_PORT",
        "REPOLEDGER_SERVICE_HOST",
        "REPOLEDGER_PORT_80_TCP",
        "GITHUB__TIMEOUT",
        "repoledger_github__timeout",
    ],
)
def test_variables_of_others_are_left_alone(file: Path, variable: str) -> None:
    assert load(file, {variable: "nonsense"}) == load(file, {})


def test_an_identity_may_come_from_variables_alone(file: Path) -> None:
    file.write_text("", encoding="utf-8")
    settings = load(
        file,
        {
            "REPOLEDGER_ACCOUNTS__0__NAME": "gh",
            "REPOLEDGER_ACCOUNTS__0__TOKEN_COMMAND": "gh auth token",
            "REPOLEDGER_ACCOUNTS__1__NAME": "ring",
            "REPOLEDGER_ACCOUNTS__1__KEYRING": "true",
            "REPOLEDGER_ACCOUNTS__2__NAME": "app",
            "REPOLEDGER_ACCOUNTS__2__APP_ID": "123456",
            "REPOLEDGER_ACCOUNTS__2__PRIVATE_KEY_ENV": "KEY",
            "REPOLEDGER_ACCOUNTS__2__INSTALLATION_ID": "7",
            "REPOLEDGER_GITHUB__CLIENT_ID": "Iv1.abc",
        },
    )
    command, ring, app = settings.accounts
    assert command.token_command == ("gh", "auth", "token")
    assert ring.keyring is True
    assert (app.app_id, app.private_key_env, app.installation_id) == ("123456", "KEY", 7)
    assert settings.forges["github"].client_id == "Iv1.abc"


def test_a_variable_that_is_not_utf_8_where_a_number_is_meant_is_told_like_other_mistakes() -> None:
    environ = {"REPOLEDGER_GITHUB__CONCURRENCY": "\udcff"}
    table = {"accounts": [{"name": "me", "username": "octo"}]}
    with pytest.raises(ConfigError, match=r"REPOLEDGER_GITHUB__CONCURRENCY: github\.concurrency: "):
        parse(table, environ, source="config.toml", folder=Path())
