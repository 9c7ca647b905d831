"""Who can read the files that the program makes."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.inside.database import Store, migrate
from tests.support.process import COMMAND, environment, repoledger, start_repoledger


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_new_ledger_and_all_beside_it_are_for_their_owner_alone(
    github: Sandbox, folder: Path, umask: int
) -> None:
    done = subprocess.run(
        [*COMMAND, "backfill"],
        cwd=folder,
        env=environment(folder, TOKEN=TOKEN),
        umask=umask,
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0
    with Store(f"sqlite:///{folder / 'ledger.db'}") as store:
        store.start_run("me", store.account("me")["host"], "backfill")
        made = {file.name: mode(file) for file in folder.glob("ledger.db*")}
    assert made == dict.fromkeys(
        ("ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.me.lock"), 0o600
    )


def test_a_ledger_that_its_owner_has_opened_to_others_stays_so(folder: Path) -> None:
    assert repoledger("migrate", cwd=folder).returncode == 0
    (folder / "ledger.db").chmod(0o640)
    url = f"sqlite:///{folder / 'ledger.db'}"
    migrate.upgrade(url)
    with Store(url) as store:
        store.start_run("me", "127.0.0.1", "backfill")
        assert mode(folder / "ledger.db-wal") == 0o640
    assert mode(folder / "ledger.db") == 0o640


def test_a_link_that_leads_nowhere_yet_leads_to_a_private_ledger(folder: Path) -> None:
    (folder / "ledger.db").symlink_to("real.db")
    assert repoledger("migrate", cwd=folder).returncode == 0
    assert mode(folder / "real.db") == 0o600
    assert (folder / "ledger.db").is_symlink()


def test_the_copy_of_a_ledger_is_private_too(folder: Path) -> None:
    assert repoledger("migrate", cwd=folder).returncode == 0
    done = repoledger("copy", "--to", "sqlite:///copied.db", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert mode(folder / "copied.db") == 0o600


def test_a_file_that_the_user_asks_for_has_the_mode_of_the_users_other_files(
    counted: Path,
) -> None:
    words = ("history", "octo/beta", "--format", "csv", "--output", "beta.csv")
    assert repoledger(*words, cwd=counted).returncode == 0
    umask = os.umask(0o022)
    os.umask(umask)
    assert mode(counted / "beta.csv") == 0o666 & ~umask


def test_what_a_process_is_started_with_shows_no_secret_to_others(
    github: Sandbox, folder: Path
) -> None:
    seen: list[bytes] = []
    github.on_request = lambda _request: seen.extend(command_lines())
    process = start_repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    process.communicate()
    assert process.returncode == 0
    assert any(b"sync\0backfill" in line for line in seen)
    assert not any(TOKEN.encode() in line for line in seen)


def command_lines() -> Iterator[bytes]:
    """Yield how each process was started, as anybody on the machine can see it."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has just ended
            yield file.read_bytes()
