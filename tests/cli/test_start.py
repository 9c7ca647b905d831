"""What a command imports before it does anything: what signs in is slow, and most need none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import environment

# Packages that sign in, and nothing else.
SLOW = ("keyring", "jwt", "cryptography", "oauthlib", "requests_oauthlib", "segno")


def imported(folder: Path, *arguments: str, **variables: str) -> set[str]:
    """Return the packages that a command has imported by its end."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "sync", *arguments],
        cwd=folder,
        env=environment(folder, **variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize(
    "arguments", [("--version",), ("--help",), ("repos",), ("status",)], ids=lambda words: words[0]
)
def test_a_command_that_does_not_sign_in_imports_nothing_for_it(
    counted: Path, arguments: tuple[str, ...]
) -> None:
    found = imported(counted, *arguments)
    assert found.isdisjoint(SLOW)
    assert "typer" in found or arguments == ("--version",)


def test_a_token_in_a_variable_needs_none_of_it_either(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[[accounts]]\nname = "me"\ntoken_env = "T"\n', "utf-8")
    found = imported(tmp_path, "accounts", "--offline", T="x" * 30)
    assert found.isdisjoint(SLOW)
    assert "requests" in found
