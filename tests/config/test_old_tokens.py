"""Tokens that GitHub gave until 2021 look like the name of a commit: 40 hexadecimal digits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rest.helpers import everything_said
from tests.support.inside.config import load
from tests.support.inside.core import ConfigError
from tests.support.process import repoledger, write_config
from tests.support.redacting import no_secrets

OLD = "a1b2c3d4e5" * 4
ACCOUNT = '[[accounts]]\nname = "me"\n'


@pytest.mark.parametrize("token", [OLD, OLD.upper(), f"v1.{OLD}"])
@pytest.mark.parametrize(
    "written",
    [
        ACCOUNT + 'token_env = "{}"',
        ACCOUNT + 'username = "{}"',
        ACCOUNT + 'token_file = "{}"',
        ACCOUNT + 'token_command = "{}"',
        ACCOUNT + 'app_id = "{}"\nprivate_key_file = "k"',
        ACCOUNT + 'app_id = "1"\nprivate_key_env = "{}"',
        '[[accounts]]\nname = "{}"\nusername = "octo"',
        ACCOUNT + 'username = "octo"\ntoken = "{}"',
        ACCOUNT + 'username = "octo"\naffiliation = ["{}"]',
        ACCOUNT + 'username = "octo"\n"{}" = 1',
        ACCOUNT + 'username = "octo"\n[github]\nclient_id = "{}"',
        ACCOUNT + 'username = "octo"\n[github]\napi_url = "https://h/{}?"',
        ACCOUNT + 'username = "octo"\n[database]\nurl = "{}"',
        ACCOUNT + 'username = "octo"\n["{}"]\nx = 1',
        "[{0}]\n[{0}]",
    ],
)
def test_an_old_token_in_the_wrong_key_is_refused_and_not_repeated(
    tmp_path: Path, written: str, token: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(written.format(token), encoding="utf-8")
    with no_secrets(), pytest.raises(ConfigError) as caught:
        load(file, {})
    assert OLD not in everything_said(caught.value).lower()


def test_an_old_token_in_a_variable_of_the_wrong_key_is_refused_and_not_repeated(
    tmp_path: Path,
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(ACCOUNT + 'token_env = "TOKEN"', encoding="utf-8")
    with pytest.raises(ConfigError, match="not a token itself") as caught:
        load(file, {"REPOLEDGER_ACCOUNTS__0__TOKEN_ENV": OLD})
    assert OLD not in everything_said(caught.value)


@pytest.mark.parametrize(
    "written",
    [
        ACCOUNT + f'token_command = ["gpg", "--decrypt", "--recipient", "{OLD}"]',
        ACCOUNT + f'username = "octo"\nping_success_url = "https://ping.example.com/{OLD}"',
        ACCOUNT + f'username = "octo"\n[database]\nurl = "postgresql://me:{OLD}@h/db"',
    ],
)
def test_what_looks_like_one_where_it_may_be_something_else_is_accepted(
    tmp_path: Path, written: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(written, encoding="utf-8")
    assert load(file, {}).accounts[0].name == "me"


@pytest.mark.parametrize("words", [("login", "--account", OLD), (OLD,), ("status", f"--{OLD}=1")])
def test_an_old_token_on_the_command_line_is_not_repeated(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    write_config(tmp_path, "https://api.github.com")
    done = repoledger(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert OLD not in done.stdout + done.stderr


def test_an_old_token_in_place_of_the_configurations_name_is_not_repeated(tmp_path: Path) -> None:
    done = repoledger("status", cwd=tmp_path, REPOLEDGER_CONFIG=OLD)
    assert done.returncode == 2
    assert "cannot be read" in done.stderr
    assert OLD not in done.stdout + done.stderr
