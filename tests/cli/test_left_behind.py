"""What a command that reads leaves behind: no file beside the ledger, no failure for `head`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import TOKEN
from tests.stand_in import StandIn
from tests.support.inside.database import Store
from tests.support.process import COMMAND, environment, repoledger

READING = ("repos", "changes", "status", "query")


@pytest.fixture
def synced(github: StandIn, folder: Path) -> Path:
    for number in range(300):
        github.add_repository("octo", f"r{number}", description="x" * 300)
    assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
    return folder


def test_reading_leaves_no_files_beside_the_ledger(synced: Path) -> None:
    before = {file.name for file in synced.iterdir()}
    ledger = (synced / "ledger.db").read_bytes()
    for command in READING:
        more = ("SELECT 1",) if command == "query" else ()
        assert repoledger(command, *more, cwd=synced).returncode == 0
        assert {file.name for file in synced.iterdir()} == before, command
    assert (synced / "ledger.db").read_bytes() == ledger


def test_reading_takes_no_file_from_a_program_that_writes(synced: Path) -> None:
    with Store(f"sqlite:///{synced / 'ledger.db'}") as store:
        store.start_run("me", store.account("me")["host"], "backfill")
        assert repoledger("repos", cwd=synced).returncode == 0
        assert (synced / "ledger.db-wal").exists()


def test_a_reader_that_ends_early_is_no_failure(synced: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, "repos", "--json"],
        cwd=synced,
        env=environment(synced),
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")
