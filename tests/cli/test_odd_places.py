"""Commands started by a careless cron job, on a broken machine, or with odd files."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.ledger import rows, value
from tests.support.process import (
    COMMAND,
    environment,
    repoledger,
    start_repoledger,
)

pytestmark = pytest.mark.slow


def in_shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `$R ...` in a shell, where streams can be closed and redirected."""
    return subprocess.run(
        ["bash", "-c", f'R() {{ {" ".join(COMMAND)} "$@"; }}; {command}'],
        cwd=folder,
        env=environment(folder, TOKEN=TOKEN),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "streams", ["2>&-", ">&-", "2>/dev/full", "2> >(exec true)", "<&- >&- 2>&-"]
)
def test_a_backfill_whose_output_nobody_takes_still_syncs(
    github: Sandbox, folder: Path, streams: str
) -> None:
    github.add_repository("octo", "hello")
    github.fail(times=1, path="/user/repos")  # so that there is something to log
    done = in_shell(f"R --log-level debug backfill {streams}", folder)
    assert done.returncode == 0, done.stderr
    assert rows(folder / "ledger.db", "SELECT status FROM sync_runs") == [("succeeded",)]


@pytest.mark.parametrize("command", ["--version", "--help", "repos"])
def test_a_command_with_closed_output_says_nothing_and_does_not_crash(
    folder: Path, command: str
) -> None:
    repoledger("migrate", cwd=folder)
    done = in_shell(f"R {command} >&-", folder)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


def test_a_signal_ends_the_wait_for_a_database_that_another_program_holds(
    github: Sandbox, folder: Path
) -> None:
    github.add_repository("octo", "hello")
    assert repoledger("migrate", cwd=folder).returncode == 0
    file = folder / "ledger.db"
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        process = start_repoledger("backfill", "--json", cwd=folder, TOKEN=TOKEN)

        def lock(request: object) -> None:
            if getattr(request, "path", "") == "/user/repos":
                other.execute("BEGIN IMMEDIATE")
                os.kill(process.pid, signal.SIGTERM)

        github.on_request = lock
        stdout, _ = process.communicate(timeout=15)
    assert process.returncode == 130
    assert [outcome["status"] for outcome in json.loads(stdout)] == ["interrupted"]


def test_a_database_that_is_deleted_during_a_run_is_not_called_a_success(
    github: Sandbox, folder: Path
) -> None:
    github.add_repository("octo", "hello")

    def delete(request: object) -> None:
        if getattr(request, "path", "") == "/user/repos":
            (folder / "ledger.db").unlink(missing_ok=True)  # asked for more than once

    github.on_request = delete
    done = repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    assert done.returncode == 2
    assert "was removed or replaced while it was in use" in done.stdout


def test_a_users_trigger_that_ends_the_transaction_is_named_as_the_reason(
    github: Sandbox, folder: Path
) -> None:
    github.add_repository("octo", "hello")
    repoledger("migrate", cwd=folder)
    with closing(sqlite3.connect(folder / "ledger.db")) as database:
        database.execute(
            "CREATE TRIGGER mine BEFORE INSERT ON repositories "
            "BEGIN SELECT RAISE(ROLLBACK, 'not on my watch'); END"
        )
    done = repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    assert done.returncode == 1
    assert "not on my watch" in done.stdout
    assert value(folder / "ledger.db", "SELECT count(*) FROM repositories") == 0


@pytest.mark.parametrize("command", [("backfill",), ("check",), ("migrate",)])
def test_tables_of_another_program_are_told_of_and_left_alone(
    folder: Path, command: tuple[str, ...]
) -> None:
    with closing(sqlite3.connect(folder / "ledger.db")) as database:
        database.execute("CREATE TABLE accounts (owner TEXT)")
    done = repoledger(*command, cwd=folder, TOKEN=TOKEN)
    assert done.returncode in (1, 2)
    assert "of another program" in done.stdout + done.stderr
    assert rows(folder / "ledger.db", "SELECT name FROM sqlite_master") == [("accounts",)]


def test_a_configuration_that_never_ends_is_refused(folder: Path) -> None:
    done = repoledger("--config", "/dev/zero", "status", cwd=folder)
    assert done.returncode == 2
    assert "longer than 1024 KiB" in done.stderr


def test_a_token_file_that_never_ends_is_refused(github: Sandbox, folder: Path) -> None:
    config = folder / "config.toml"
    config.write_text(config.read_text().replace('token_env = "TOKEN"', 'token_file = "/dev/zero"'))
    done = repoledger("backfill", cwd=folder)
    assert done.returncode == 2
    assert "longer than 64 KiB" in done.stderr


def test_a_moment_before_the_calendar_begins_is_wrong_use(folder: Path) -> None:
    repoledger("migrate", cwd=folder)
    done = repoledger("changes", "--since", "0001-01-01T00:00+14:00", cwd=folder)
    assert done.returncode == 2
    assert "is not a time; write a date" in " ".join(done.stderr.split())
