"""What a command imports before it does anything: much is slow, and most need none of it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import TOKEN
from tests.support.process import environment, repoledger

# Packages that sign in, drive servers or draw charts, and nothing else.
SLOW = (
    *("keyring", "jwt", "cryptography", "oauthlib", "requests_oauthlib", "segno"),
    *("psycopg", "pymysql", "matplotlib", "xlsxwriter", "pyarrow"),
)


# What writes, migrates, asks GitHub, logs or draws.
UNREAD = {
    *("alembic", "sqlalchemy.orm", "requests", "urllib3", "structlog", "filelock", "pygments"),
    *("rich.console", "rich.table", "sync.database.store", "sync.cli.backfill", "sync.cli.daemon"),
    "pydantic",
}

# What migrates, draws a bar, reads times by a pattern, or goes on for long.
UNSYNCED = {"alembic", "sqlalchemy.orm", "rich.progress", "_strptime", "sync.daemon"}


@pytest.mark.parametrize("name", sorted({*SLOW, *UNREAD, *UNSYNCED}))
def test_a_module_that_must_not_be_imported_is_one_that_exists(name: str) -> None:
    assert find_spec(name) is not None


def modules(folder: Path, *arguments: str, **variables: str) -> set[str]:
    """Return the modules that a command has imported by its end."""
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
    return {line.rpartition("|")[2].strip() for line in lines}


def imported(folder: Path, *arguments: str, **variables: str) -> set[str]:
    """Return the packages that a command has imported by its end."""
    return {name.partition(".")[0] for name in modules(folder, *arguments, **variables)}


@pytest.mark.parametrize(
    "arguments", [("--version",), ("--help",), ("repos",), ("status",)], ids=lambda words: words[0]
)
def test_a_command_that_does_not_sign_in_imports_nothing_for_it(
    counted: Path, arguments: tuple[str, ...]
) -> None:
    found = imported(counted, *arguments)
    assert found.isdisjoint(SLOW)
    assert "click" in found or arguments == ("--version",)


def test_a_token_in_a_variable_needs_none_of_it_either(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[[accounts]]\nname = "me"\ntoken_env = "T"\n', "utf-8")
    found = imported(tmp_path, "accounts", "--offline", T="x" * 30)
    assert found.isdisjoint(SLOW)
    assert "requests" in found


@pytest.mark.parametrize("arguments", [("repos",), ("status",)], ids=lambda words: words[0])
def test_a_command_that_reads_a_file_imports_nothing_to_write_to_ask_or_to_draw(
    counted: Path, arguments: tuple[str, ...]
) -> None:
    found = modules(counted, *arguments)
    assert found.isdisjoint(UNREAD)
    assert "sync.database.queries" in found


def test_a_sync_of_what_is_current_imports_nothing_to_migrate_or_to_sign_in(folder: Path) -> None:
    assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
    found = modules(folder, "backfill", TOKEN=TOKEN)
    assert found & {*SLOW, *UNSYNCED} == set()
    assert "requests" in found
