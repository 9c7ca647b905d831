"""repoledger as users run it: a process of its own, with a HOME and an environment of its own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

from tests.support.forked import can_be_given, run_forked

COMMAND = (sys.executable, "-W", "error", "-m", "sync")
STARTED: list[subprocess.Popen[str]] = []
PROJECT = Path(__file__).parents[2]
# Sections of a configuration for tests that are not about the resources of repositories.
LISTING_ALONE = "[resources]\ndefault = false\n"
CTRL_C = "\x03"
_PATIENCE = 60.0  # seconds for a command


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Return an environment with nothing of the caller's but the path to programs."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(PROJECT),
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "80",
        **variables,
    }


def repoledger(
    *arguments: str, cwd: Path, stdin: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and return what it printed and its exit code."""
    ended = repoledger_bytes(cwd, *arguments, stdin=stdin.encode(), **variables)
    return subprocess.CompletedProcess(
        ended.args, ended.returncode, ended.stdout.decode(), ended.stderr.decode()
    )


def repoledger_bytes(
    folder: Path, *arguments: str, stdin: bytes = b"", **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end in `folder`, and return the bytes that it printed."""
    env = environment(folder, **variables)
    if can_be_given(variables):
        return run_forked(arguments, folder, env, stdin, _PATIENCE)
    command = [*COMMAND, *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env=env,
        input=stdin,
        capture_output=True,
        timeout=_PATIENCE,
        check=False,
    )


def start_repoledger(*arguments: str, cwd: Path, **variables: str) -> subprocess.Popen[str]:
    """Start a command and return it running."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=cwd,
        env=environment(cwd, **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    STARTED.append(process)
    return process


def end_leftovers() -> None:
    """Kill what a test that failed has left running."""
    while STARTED:
        process = STARTED.pop()
        if process.poll() is None:
            process.kill()
            process.communicate()


def write_config(folder: Path, api_url: str, accounts: str = "", extra: str = "") -> Path:
    """Write a config.toml for `api_url`; by default for one account whose token is in $TOKEN.

    Resources of repositories are off, unless `extra` has a section [resources].
    """
    resources = "" if "[resources]" in extra else LISTING_ALONE
    accounts = accounts or '[[accounts]]\nname = "me"\ntoken_env = "TOKEN"\n'
    file = folder / "config.toml"
    file.write_text(
        f'{resources}[database]\nurl = "sqlite:///ledger.db"\n\n[github]\napi_url = "{api_url}"\n'
        f"{extra}\n{accounts}",
        encoding="utf-8",
    )
    return file


def on_terminal(*arguments: str, cwd: Path, columns: int, **variables: str) -> str:
    """Run a command on a terminal of that width and return what it shows, unstyled."""
    _, output = sent_to_terminal(*arguments, cwd=cwd, columns=columns, **variables)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\]8;;[^\x1b]*\x1b\\", "", output.decode()).replace(
        "\r\n", "\n"
    )


def sent_to_terminal(
    *arguments: str, cwd: Path, columns: int, **variables: str
) -> tuple[int, bytes]:
    """Run a command on a terminal of that width; return its exit code and each byte it sends."""
    return answered_at_terminal(*arguments, cwd=cwd, columns=columns, answers={}, **variables)


def answered_at_terminal(
    *arguments: str, cwd: Path, columns: int, answers: dict[str, str], **variables: str
) -> tuple[int, bytes]:
    """Run a command as `sent_to_terminal`; type each of `answers` once its question is there."""
    waiting = list(answers.items())
    pid, terminal = pty.fork()
    if pid == 0:
        shown = environment(cwd, **{"TERM": "xterm", **variables})
        shown.pop("COLUMNS")
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.chdir(cwd)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored by what runs in the background
        os.execvpe(COMMAND[0], [*COMMAND, *arguments], shown)
    output, typed = b"", ""
    with os.fdopen(terminal, "r+b", buffering=0) as stream, contextlib.suppress(OSError):
        while True:
            if typed == CTRL_C and not select.select([stream], [], [], 1.0)[0]:
                # Python does not hear it between two calls; a person would press it again.
                stream.write(typed.encode())
            elif not (chunk := stream.read(65_536)):
                break
            else:  # a closed terminal is an error, not an end
                output += chunk
            if waiting and waiting[0][0].encode() in output:
                typed = waiting.pop(0)[1]
                stream.write(typed.encode())
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), output
