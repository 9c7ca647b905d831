"""Finding the configuration, reading it, and what stands in it then."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from tests.support.inside.config import AccountResources, Config, Seconds, load
from tests.support.inside.core import ConfigError

SAMPLE = Path(__file__).parents[2] / "config.toml"
ACCOUNT = '[[accounts]]\nname = "me"\ntoken_env = "GITHUB_TOKEN"\n'

DOCUMENTED = """
[database]
url = "sqlite:///repoledger.db"
migrate = "auto"

[schedule]
cron = "0 * * * *"
timezone = "UTC"
jitter = "30s"
run_at_start = true

[github]
api_url = "https://api.github.com"
concurrency = 4
reserve = 0.1
max_wait = "15m"
timeout = "30s"

[removals]
max_share = 0.2
agreeing_runs = 0
max_probes = 500
on_private = "redact"

[resources]
default = false
traffic = "auto"
languages = false
downloads = { repositories = ["octo/*"], every = "6h" }

[retention]
runs = "365d"
rejected = "90d"

[[accounts]]
name = "me"
token_env = "GITHUB_TOKEN"
visibility = "public"
affiliation = ["owner", "collaborator", "organization_member"]
"""


def write(folder: Path, text: str, name: str = "config.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def plain(value: object) -> object:
    return float(value) if isinstance(value, float) else str(value)


def everything_in(config: Config) -> dict[str, object]:
    """Return the configuration as plain values, without where it came from."""
    values: dict[str, object] = json.loads(msgspec.json.encode(config, enc_hook=plain))
    del values["source"], values["secret_files"]
    return values


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, an empty one."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_the_sample_configuration_loads() -> None:
    config = load(SAMPLE, {})
    assert [account.name for account in config.accounts] == ["me"]
    assert config.source == str(SAMPLE)


def test_what_is_documented_loads_and_holds_the_values_that_it_says(tmp_path: Path) -> None:
    config = load(write(tmp_path, DOCUMENTED), {})
    assert everything_in(config) == {
        "database": {
            "url": f"sqlite:///{tmp_path}/repoledger.db",
            "password_env": None,
            "password_file": None,
            "migrate": "auto",
        },
        "schedule": {
            "cron": "0 * * * *",
            "every": None,
            "timezone": "UTC",
            "jitter": 30.0,
            "run_at_start": True,
            "concurrency": 4,
            "max_age": None,
        },
        "forges": {
            "github": {
                "api_url": "https://api.github.com",
                "concurrency": 4,
                "reserve": 0.1,
                "max_wait": 900.0,
                "timeout": 30.0,
                "client_id": None,
                "rewrite_links": False,
            },
        },
        "removals": {
            "max_share": 0.2,
            "agreeing_runs": 0,
            "max_probes": 500,
            "on_private": "redact",
        },
        "resources": {
            "default": False,
            "traffic": "auto",
            "traffic_popular": None,
            "stars": None,
            "downloads": {"repositories": ["octo/*"], "every": 6 * 3600.0},
            "languages": False,
            "watchers": None,
            "forks": None,
        },
        "retention": {"runs": 365 * 86400.0, "rejected": 90 * 86400.0},
        "http": {"listen": "127.0.0.1:8787", "names": []},
        "ping": {"success_url": None, "failure_url": None},
        "accounts": [
            {
                "name": "me",
                "forge": "github",
                "username": None,
                "token_env": "GITHUB_TOKEN",
                "token_file": None,
                "token_command": None,
                "keyring": False,
                "scheme": "bearer",
                "app_id": None,
                "installation_id": None,
                "private_key_env": None,
                "private_key_file": None,
                "visibility": "public",
                "affiliation": ["owner", "collaborator", "organization_member"],
                "cron": None,
                "every": None,
                "timezone": None,
                "jitter": None,
                "ping_success_url": None,
                "ping_failure_url": None,
                "resources": dict.fromkeys(AccountResources.__struct_fields__),
            }
        ],
    }


def test_the_sample_says_what_the_defaults_are(tmp_path: Path) -> None:
    sample = SAMPLE.read_text(encoding="utf-8")
    bare = load(write(tmp_path, ACCOUNT, "bare.toml"), {})
    assert everything_in(load(write(tmp_path, sample), {})) == everything_in(bare)


def test_the_keys_that_the_sample_shows_in_comments_load_too(tmp_path: Path) -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    for shown, instead_of in (("every", "cron"), ("token_file", "token_env")):
        text = re.sub(rf"(?m)^({instead_of} = )", r"# \1", text)
        text = re.sub(rf"(?m)^# ({shown} = )", r"\1", text)
    text = text.replace("# username = ", "username = ")
    config = load(write(tmp_path, text), {})
    assert (config.schedule.cron, config.schedule.every) == (None, Seconds(1800))
    assert config.accounts[0].token_file == "/run/secrets/github"
    assert config.accounts[0].username == "octocat"


def test_the_named_file_wins_over_the_variable_and_that_over_the_folder(
    here: Path, tmp_path: Path
) -> None:
    named, by_variable, by_folder = (
        write(folder, ACCOUNT.replace('"me"', f'"{name}"'), file)
        for folder, name, file in (
            (tmp_path, "named", "a.toml"),
            (tmp_path, "variable", "b.toml"),
            (here, "folder", "config.toml"),
        )
    )
    environ = {"REPOLEDGER_CONFIG": str(by_variable)}
    assert load(named, environ).accounts[0].name == "named"
    assert load(None, environ).accounts[0].name == "variable"
    assert load(None, {"REPOLEDGER_CONFIG": ""}).accounts[0].name == "folder"
    assert load(None, {}).accounts[0].name == "folder"
    assert by_folder.name == load(None, {}).source


def test_without_any_file_the_message_says_how_to_get_one(here: Path) -> None:
    with pytest.raises(ConfigError, match=r"looked for config\.toml .*`repoledger init`.*--config"):
        load(None, {"REPOLEDGER_GITHUB__CONCURRENCY": "2"})


def test_variables_alone_are_a_configuration_if_they_name_an_account(here: Path) -> None:
    config = load(
        None,
        {
            "REPOLEDGER_ACCOUNTS__0__NAME": "me",
            "REPOLEDGER_ACCOUNTS__0__USERNAME": "octocat",
            "REPOLEDGER_DATABASE__URL": "sqlite:////data/ledger.db",
        },
    )
    assert config.source == "environment"
    assert config.database.url == "sqlite:////data/ledger.db"
    assert config.accounts[0].username == "octocat"


@pytest.mark.parametrize("named", [True, False])
def test_a_missing_file_is_named(here: Path, tmp_path: Path, named: bool) -> None:
    file = tmp_path / "missing.toml"
    path, environ = (file, {}) if named else (None, {"REPOLEDGER_CONFIG": str(file)})
    with pytest.raises(ConfigError, match=r"missing\.toml: cannot be read: No such file"):
        load(path, environ)


def test_a_folder_in_place_of_the_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path, {})


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"[database\n", "is not valid TOML"),
        (b'[[accounts]]\nname = "a\nb"', "is not valid TOML: .*line 2"),
        (b"x = 1\nx = 2\n", "is not valid TOML"),
        (b'name = "\xff"', "is not UTF-8 text"),
        (b"x = " + b"[" * 5000, "is not valid TOML"),
        (b"x = " + b"9" * 5000, "is not valid TOML"),
        (b"x = 2026-99-99", "is not valid TOML"),
    ],
)
def test_a_file_that_is_not_toml_is_said_not_to_be(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=complaint) as caught:
        load(file, {})
    assert str(file) in str(caught.value)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    assert load(write(tmp_path, "\ufeff" + ACCOUNT), {}).accounts[0].name == "me"


def test_relative_files_are_relative_to_the_configuration_s_folder(
    here: Path, tmp_path: Path
) -> None:
    text = '[database]\nurl = "sqlite:///data/l.db"\n[[accounts]]\nname="me"\ntoken_file="secret"\n'
    config = load(write(tmp_path, text), {})
    assert config.database.url == f"sqlite:///{tmp_path}/data/l.db"
    assert config.accounts[0].token_file == str(tmp_path / "secret")


def test_absolute_files_stay_as_they_are(tmp_path: Path) -> None:
    text = '[database]\nurl = "sqlite:////srv/l.db"\n[[accounts]]\nname="me"\ntoken_file="/srv/t"\n'
    config = load(write(tmp_path, text), {})
    assert config.database.url == "sqlite:////srv/l.db"
    assert config.accounts[0].token_file == "/srv/t"


def test_the_scheme_of_the_database_may_be_in_capitals(tmp_path: Path) -> None:
    config = load(write(tmp_path, '[database]\nurl = "SQLite:///l.db"\n' + ACCOUNT), {})
    assert config.database.url == f"sqlite:///{tmp_path}/l.db"


def test_an_account_is_found_by_its_name(tmp_path: Path) -> None:
    config = load(write(tmp_path, ACCOUNT + ACCOUNT.replace('"me"', '"work"')), {})
    assert config.account("work").name == "work"
    with pytest.raises(ConfigError, match=r"no account 'wrok' in .*did you mean work\?"):
        config.account("wrok")
    with pytest.raises(ConfigError, match="known: me, work"):
        config.account("zzz")


def test_a_configuration_cannot_be_changed(tmp_path: Path) -> None:
    config = load(write(tmp_path, ACCOUNT), {})
    with pytest.raises(AttributeError):
        config.forges["github"].concurrency = 5  # type: ignore[misc]
    assert config.forges["github"].concurrency == 4
