"""The commands that come first: demo, init, check, migrate, and wrong use."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync import __version__
from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.inside.database import revisions
from tests.support.process import repoledger, start_repoledger, write_config

COMMANDS = (
    *("demo", "init", "check", "migrate", "login", "logout", "accounts", "backfill", "daemon"),
    *("health", "status", "repos", "show", "changes", "history", "query", "copy", "verify"),
)


def test_init_writes_a_configuration_that_loads_and_never_overwrites_one(tmp_path: Path) -> None:
    assert repoledger("init", cwd=tmp_path).returncode == 0
    assert repoledger("migrate", cwd=tmp_path).returncode == 0
    (tmp_path / "config.toml").write_text("# mine")
    again = repoledger("init", cwd=tmp_path)
    assert again.returncode == 2
    assert "was not changed" in again.stderr
    assert (tmp_path / "config.toml").read_text() == "# mine"


def test_check_finds_nothing_wrong_and_changes_nothing(github: Sandbox, folder: Path) -> None:
    done = repoledger("check", cwd=folder, TOKEN=TOKEN)
    assert done.returncode == 0, done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["ok"] * 7
    assert "signed in as octo" in done.stdout
    assert "requests left" in done.stdout
    assert "the token has no expiry date" in done.stdout
    assert "this clock agrees with the server's" in done.stdout
    assert sorted(file.name for file in folder.iterdir()) == ["config.toml"]


def test_check_names_a_bad_token_and_a_missing_folder_in_one_go(
    github: Sandbox, folder: Path
) -> None:
    done = repoledger(
        "check",
        "--json",
        cwd=folder,
        TOKEN="a-wrong-token",
        REPOLEDGER_DATABASE__URL="sqlite:///no/where.db",
    )
    assert done.returncode == 1
    findings = json.loads(done.stdout)
    failed = {f["what"]: f["message"] for f in findings if f["result"] == "fail"}
    assert "does not exist" in failed["database"]
    assert "Bad credentials" in failed["account me"]


def test_check_warns_of_a_token_that_ends_soon(github: Sandbox, folder: Path) -> None:
    soon = datetime.now(UTC) + timedelta(days=3, hours=1)
    github.add_token("octo", "ending-token", expires=soon)
    done = repoledger("check", cwd=folder, TOKEN="ending-token")
    assert done.returncode == 0
    assert f"warn  account me: the token expires in 3 days, on {soon:%Y-%m-%d}" in done.stdout


@pytest.mark.matrix("process.shared-quota")
def test_check_warns_of_two_tokens_of_one_user(github: Sandbox, tmp_path: Path) -> None:
    github.add_token("octo", "a-second-token")
    accounts = "".join(f'[[accounts]]\nname = "{n}"\ntoken_env = "TOKEN_{n}"\n' for n in "AB")
    write_config(tmp_path, github.url, accounts)
    done = repoledger("check", cwd=tmp_path, TOKEN_A=TOKEN, TOKEN_B="a-second-token")
    assert "warn  account B: shares the quota of account A: the same GitHub user" in done.stdout


def test_check_of_a_server_that_is_not_there_answers_at_once(folder: Path) -> None:
    done = repoledger(
        "check", cwd=folder, TOKEN=TOKEN, REPOLEDGER_GITHUB__API_URL="http://127.0.0.1:9"
    )
    assert done.returncode == 1
    assert "connection refused" in done.stdout


def test_migrate_makes_the_schema_once_and_check_only_tells(folder: Path) -> None:
    missing = repoledger("migrate", "--check", cwd=folder)
    assert (missing.returncode, (folder / "ledger.db").exists()) == (1, False)
    newest = revisions()[-1]
    made = repoledger("migrate", cwd=folder)
    assert (made.returncode, made.stdout) == (0, f"Migrated the schema from nothing to {newest}.\n")
    again = repoledger("migrate", cwd=folder)
    assert again.stdout == f"The schema is current: {newest}.\n"
    assert repoledger("migrate", "--check", cwd=folder).returncode == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_within_80_columns(command: str, tmp_path: Path) -> None:
    done = repoledger(command, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert f"repoledger {command}" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


def test_the_help_lists_every_command_and_the_exit_codes(tmp_path: Path) -> None:
    done = repoledger("--help", cwd=tmp_path)
    for command in COMMANDS:
        assert f" {command} " in done.stdout
    assert "130 interrupted" in done.stdout


@pytest.mark.parametrize("arguments", [("--version",), ("--log-level", "debug", "--version")])
def test_the_version_is_told(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert repoledger(*arguments, cwd=tmp_path).stdout == f"repoledger {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("bakfill",), "Did you mean 'backfill'?"),
        (("repos", "--limt", "1"), "Did you mean '--limit'?"),
        (("repos", "--sort", "starz"), "did you mean stars?"),
        (("changes", "--change", "Created"), "did you mean created?"),
        (("repos", "--limit", "0"), "--limit"),
        (("query",), "SQL"),
        (("copy",), "--to"),
        (("status", "me"), "me"),
        (("--log-level", "loud", "status"), "debug"),
    ],
)
def test_wrong_use_is_exit_2_with_a_hint_and_no_traceback(
    arguments: tuple[str, ...], hint: str, tmp_path: Path
) -> None:
    done = repoledger(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert hint in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_configuration_the_way_to_one_is_told(tmp_path: Path) -> None:
    done = repoledger("backfill", cwd=tmp_path)
    assert done.returncode == 2
    assert "`repoledger init`" in done.stderr


@pytest.mark.matrix("process.bad-config")
def test_every_mistake_in_a_configuration_is_told_at_once(folder: Path) -> None:
    (folder / "config.toml").write_text(
        '[github]\nconcurency = 3\ntimeout = "soon"\n[[accounts]]\nname = "me"\n'
    )
    done = repoledger("status", cwd=folder)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 3
    assert "did you mean concurrency?" in done.stderr


def test_without_a_command_the_help_is_shown_as_wrong_use(tmp_path: Path) -> None:
    done = repoledger(cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == repoledger("--help", cwd=tmp_path).stdout


def test_ctrl_c_is_exit_130_wherever_a_command_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    process = start_repoledger("--config", "pipe", "status", cwd=tmp_path)
    with (tmp_path / "pipe").open("w"):  # waits until it is being read
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout, "Aborted" in stderr) == (130, "", False)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion_is_there(shell: str, tmp_path: Path) -> None:
    done = repoledger(cwd=tmp_path, _REPOLEDGER_COMPLETE=f"{shell}_source")
    assert f"_REPOLEDGER_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("acc", "accounts"),
        ("repos --as", "--as-of"),
        ("history --ho", "--host"),
        ("repos --sort st", "stars"),
    ],
)
def test_a_shell_completes_commands_options_and_values(
    typed: str, offered: str, tmp_path: Path
) -> None:
    done = repoledger(
        cwd=tmp_path,
        _REPOLEDGER_COMPLETE="bash_complete",
        COMP_WORDS=f"repoledger {typed}",
        COMP_CWORD=str(len(typed.split())),
    )
    assert done.stdout == f"plain,{offered}\n"
