"""A token that a command prints: whatever else the command does, it ends, and nothing is shown."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from sync.config import Account, load
from sync.config.commands import Command, output_of
from sync.config.tokens import read_token
from sync.errors import ConfigError
from sync.github.sandbox import Sandbox
from sync.redaction import scrub
from tests.conftest import TOKEN
from tests.rest.helpers import everything_said
from tests.support.daemon import RunningDaemon, wait_until, write_daemon_config
from tests.support.process import repoledger, write_config

SECRET = "printed-by-a-command-" + "z1" * 9


def script(folder: Path, body: str, name: str = "get-token") -> Path:
    """Write a program of the test's own."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    file.chmod(0o700)
    return file


def output(program: Path, *arguments: str, patience: float = 30) -> str:
    return output_of(Command((str(program), *arguments)), "account me", patience=patience)


def test_a_command_is_run_without_a_shell_and_its_line_is_the_token(tmp_path: Path) -> None:
    program = script(tmp_path, 'printf "%s\\n" "$1"')
    assert output(program, "$HOME; echo `id`|*") == "$HOME; echo `id`|*"
    account = Account(name="me", token_command=Command.parse(f"{program} 'a b'"))
    assert read_token(account, {}) == "a b"


def test_what_it_printed_is_masked_from_then_on(tmp_path: Path) -> None:
    output(script(tmp_path, f"echo {SECRET}"))
    assert scrub(f"a {SECRET} b") == "a *** b"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (f"echo {SECRET}; echo {SECRET} >&2; exit 3", "ended with 3; run it yourself to see why"),
        (f"echo {SECRET} >&2", "printed nothing"),
        ("printf ' \\n\\n'", "printed nothing"),
        (f"echo {SECRET}; echo {SECRET}x", "printed several lines; a token is one"),
        ("kill -9 $$", "ended with -9; run it yourself to see why"),
        (f"yes {SECRET}", "printed more than a token"),
        ("read token; echo $token", "printed nothing"),
    ],
    ids=["fails", "only stderr", "blank", "lines", "killed", "endless", "asks"],
)
def test_what_is_wrong_with_a_command_is_told_and_nothing_that_it_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], body: str, reason: str
) -> None:
    program = script(tmp_path, body)
    with pytest.raises(ConfigError) as caught:
        output(program)
    assert str(caught.value) == f"account me: the command {program} {reason}"
    assert SECRET not in everything_said(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("sleep 60", "took longer than 0.3 s"),
        ("exec sleep 60", "took longer than 0.3 s"),
        (f"echo {SECRET}; sleep 60 &", "left something running that did not end within 0.3 s"),
    ],
    ids=["child", "itself", "background"],
)
def test_a_command_that_hangs_is_ended(tmp_path: Path, body: str, reason: str) -> None:
    children = tmp_path / "children"
    program = script(tmp_path, f"echo $$ > {children}; {body}")
    ended: list[str] = []

    def run() -> None:
        try:
            output(program, patience=0.3)
        except ConfigError as error:
            ended.append(str(error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout=20)
    assert ended == [f"account me: the command {program} {reason}"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(children.read_text()), signal.SIGCONT)


@pytest.mark.parametrize(
    ("program", "reason"),
    [("no-such-program", "No such file or directory"), (".", "Permission denied")],
)
def test_a_command_that_is_not_there_is_told(tmp_path: Path, program: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        output(tmp_path / program)
    assert str(caught.value).endswith(f"cannot be run: {reason}")


def test_a_command_with_a_path_is_found_from_the_folder_of_its_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    script(folder, f"echo {SECRET}")
    write_config(
        folder,
        "https://api.github.com",
        '[[accounts]]\nname = "me"\ntoken_command = "./get-token x"\n',
    )
    monkeypatch.chdir(tmp_path)
    assert read_token(load(Path("etc/config.toml"), {}).accounts[0], {}) == SECRET


def test_a_command_may_stand_in_a_variable(tmp_path: Path) -> None:
    environ = {
        "REPOLEDGER_ACCOUNTS__0__NAME": "me",
        "REPOLEDGER_ACCOUNTS__0__TOKEN_COMMAND": f"{sys.executable} -c 'print(\"{SECRET}\")'",
    }
    (tmp_path / "config.toml").write_text("", "utf-8")
    assert read_token(load(tmp_path / "config.toml", environ).accounts[0], {}) == SECRET


def test_a_run_signs_in_with_it_and_shows_it_nowhere(github: Sandbox, tmp_path: Path) -> None:
    github.add_repository("octo", "hello")
    script(tmp_path, f"echo {TOKEN}; echo {TOKEN} >&2")
    write_config(tmp_path, github.url, '[[accounts]]\nname = "me"\ntoken_command = "./get-token"\n')
    for command in (("--log-level", "debug", "backfill"), ("check",), ("accounts",)):
        done = repoledger(*command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert TOKEN not in done.stdout + done.stderr


def test_the_daemon_asks_anew_for_each_run(github: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "current").write_text(TOKEN)
    script(tmp_path, "cat current")
    github.add_token("octo", "another-token-of-octo")
    account = '[[accounts]]\nname = "me"\ntoken_command = "./get-token"\n'
    write_daemon_config(tmp_path, github.url, 'every = "1s"', account)
    with RunningDaemon(tmp_path) as daemon:
        daemon.wait_for("sync.run_finished")
        (tmp_path / "current").write_text("another-token-of-octo")
        github.revoke_token(TOKEN)
        github.add_repository("octo", "later")
        daemon.wait_for("sync.run_finished", status="succeeded", inserted=1)
    wait_until(lambda: daemon.process.poll() is not None)


def test_a_daemon_whose_only_command_fails_says_so_and_does_not_start(tmp_path: Path) -> None:
    account = '[[accounts]]\nname = "me"\ntoken_command = "false"\n'
    write_daemon_config(tmp_path, "http://127.0.0.1:9", 'every = "1h"', account)
    done = repoledger("daemon", cwd=tmp_path)
    assert done.returncode == 2
    assert "account me: the command false ended with 1" in done.stderr
