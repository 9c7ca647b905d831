"""repoledger as users run it: a process of its own, with a HOME and an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COMMAND = (sys.executable, "-W", "error", "-m", "sync")
PROJECT = Path(__file__).parents[2]


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
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd,
        env=environment(cwd, **variables),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def start_repoledger(*arguments: str, cwd: Path, **variables: str) -> subprocess.Popen[str]:
    """Start a command and return it running."""
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=cwd,
        env=environment(cwd, **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def write_config(folder: Path, api_url: str, accounts: str = "", extra: str = "") -> Path:
    """Write a config.toml for `api_url`; by default for one account whose token is in $TOKEN."""
    accounts = accounts or '[[accounts]]\nname = "me"\ntoken_env = "TOKEN"\n'
    file = folder / "config.toml"
    file.write_text(
        f'[database]\nurl = "sqlite:///ledger.db"\n\n[github]\napi_url = "{api_url}"\n'
        f"{extra}\n{accounts}",
        encoding="utf-8",
    )
    return file
