"""A token that a command prints: whatever else the command does, it ends, and nothing is shown."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.rest.helpers import everything_said
from tests.support.daemon import RunningDaemon, wait_until, write_daemon_config
from tests.support.inside.config import Account, Command, load
from tests.support.inside.core import ConfigError, Interrupted, redaction, scrub
from tests.support.inside.signin import output_of, read_token
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
    account = Account(name="me", token_command=Command.parse(f"{program} a~b-c"))
    assert read_token(account, {}) == "a~b-c"


def test_what_it_printed_is_masked_from_then_on(tmp_path: Path) -> None:
    output(script(tmp_path, f"echo {SECRET}"))
    assert scrub(f"a {SECRET} b") == "a *** b"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            f"echo {SECRET}; echo {SECRET} >&2; exit 3",
            "ended with exit code 3; run it yourself to see why",
        ),
        (f"echo {SECRET} >&2", "printed nothing"),
        ("printf ' \\n\\n'", "printed nothing"),
        (f"echo {SECRET}; echo {SECRET}x", "printed several lines; a token is one line"),
        ("kill -9 $$", "ended with exit code -9; run it yourself to see why"),
        (f"yes {SECRET}", "printed more than 16,384 bytes, too much for a token"),
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
        (f"echo {SECRET}; sleep 60 &", "left a process running that did not end within 0.3 s"),
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


def is_there(process: int) -> bool:
    """Tell whether a process runs, and has not ended without being asked for how."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


@pytest.mark.parametrize(
    ("body", "patience"),
    [("sleep 60", 0.3), (f"echo {SECRET}", 0.3), (f"echo {SECRET}; exec >&-; sleep 60", 0.3)],
    ids=["hangs", "left-behind", "silent"],
)
def test_what_a_command_has_started_ends_with_it(
    tmp_path: Path, body: str, patience: float
) -> None:
    children = tmp_path / "children"
    program = script(tmp_path, f"sleep 60 & echo $! > {children}; {body}")
    with pytest.raises(ConfigError):
        output(program, patience=patience)
    wait_until(lambda: not is_there(int(children.read_text())))


def test_a_command_that_leaves_something_silent_behind_still_gives_its_token(
    tmp_path: Path,
) -> None:
    children = tmp_path / "children"
    program = script(tmp_path, f"sleep 60 >&- & echo $! > {children}; echo {SECRET}")
    assert output(program) == SECRET
    wait_until(lambda: not is_there(int(children.read_text())))


def test_a_command_whose_agent_keeps_the_output_costs_neither_thread_nor_file(
    tmp_path: Path,
) -> None:
    agent = tmp_path / "agent"
    program = script(tmp_path, f"setsid sh -c 'echo $$ > {agent}; sleep 60' & echo {SECRET}")
    before = (threading.enumerate(), sorted(Path("/proc/self/fd").iterdir()))
    with pytest.raises(ConfigError, match="left a process running"):
        output(program, patience=1)
    assert (threading.enumerate(), sorted(Path("/proc/self/fd").iterdir())) == before
    os.killpg(int(agent.read_text()), signal.SIGKILL)


def set_once(stop: threading.Event, file: Path) -> threading.Thread:
    """Set `stop` once something has been written to a file; return the thread that does."""

    def wait() -> None:
        wait_until(lambda: file.exists() and file.read_text())
        stop.set()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_a_stop_ends_a_command_and_what_it_has_started(tmp_path: Path) -> None:
    children, stop = tmp_path / "children", threading.Event()
    program = script(tmp_path, f"sleep 60 & echo $! > {children}; sleep 60")

    setter = set_once(stop, children)
    with pytest.raises(Interrupted):
        output_of(Command((str(program),)), "account me", patience=300, stop=stop)
    setter.join()
    wait_until(lambda: not is_there(int(children.read_text())))


@pytest.mark.parametrize("end", ["patience", "stop"])
def test_a_command_that_prints_a_little_at_a_time_is_ended_like_one_that_hangs(
    tmp_path: Path, end: str
) -> None:
    printing, stop = tmp_path / "printing", threading.Event()
    body = f"for n in $(seq 200); do printf x; echo $$ > {printing}; sleep 0.05; done"
    program = Command((str(script(tmp_path, body)),))
    if end == "patience":
        with pytest.raises(ConfigError, match=r"took longer than 0\.5 s"):
            output_of(program, "account me", patience=0.5)
    else:
        setter = set_once(stop, printing)
        with pytest.raises(Interrupted):
            output_of(program, "account me", patience=300, stop=stop)
        setter.join()


@pytest.mark.parametrize("end", ["patience", "stop"])
def test_a_command_that_became_somebody_else_s_is_left_and_waited_for_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    started, stop = tmp_path / "started", threading.Event()
    program = Command((str(script(tmp_path, f"echo $$ > {started}; exec sleep 60")),))
    end_group = os.killpg

    def refuse(group: int, number: int) -> None:
        assert (group, number) == (int(started.read_text()), signal.SIGKILL)
        raise PermissionError(errno.EPERM, "Operation not permitted")  # as it is with root's

    monkeypatch.setattr(os, "killpg", refuse)
    before = threading.active_count()
    if end == "patience":
        with pytest.raises(ConfigError, match="took longer than 1 s"):
            output_of(program, "account me", patience=1)
    else:
        setter = set_once(stop, started)
        with pytest.raises(Interrupted):
            output_of(program, "account me", patience=300, stop=stop)
        setter.join()
    end_group(int(started.read_text()), signal.SIGKILL)
    wait_until(lambda: threading.active_count() == before)  # nothing is left of it, no zombie
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), signal.SIGCONT)


def test_what_is_refused_is_not_kept_to_be_masked(tmp_path: Path) -> None:
    before = redaction._longest_first
    with pytest.raises(ConfigError, match="printed several lines"):
        output(script(tmp_path, f"echo {SECRET}; seq 1000"))
    assert redaction._longest_first == before


@pytest.mark.parametrize("command", ["daemon", "backfill"])
def test_what_a_command_starts_hears_signals(github: Sandbox, tmp_path: Path, command: str) -> None:
    script(tmp_path, f"grep SigBlk /proc/self/status > blocked; echo {TOKEN}")
    account = '[[accounts]]\nname = "me"\ntoken_command = "./get-token"\n'
    write_daemon_config(tmp_path, github.url, 'every = "1h"', account)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # as a careless parent would
    try:
        if command == "daemon":
            with RunningDaemon(tmp_path) as daemon:
                daemon.wait_for("sync.run_finished")
        else:
            assert repoledger("backfill", cwd=tmp_path).returncode == 0
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    assert (tmp_path / "blocked").read_text() == "SigBlk:\t0000000000000000\n"


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
    assert "account me: the command false ended with exit code 1" in done.stderr
