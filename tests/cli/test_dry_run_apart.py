"""A dry run goes on apart from the ledger: that is only read, and nothing is left of the copy."""

from __future__ import annotations

import json
import resource
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.database import execute, snapshot
from tests.support.inside.database import VERSION_TABLE
from tests.support.inside.sandbox import Request
from tests.support.ledger import contents, value
from tests.support.process import COMMAND, environment, repoledger, start_repoledger
from tests.support.runs import fill

pytestmark = pytest.mark.slow_on_servers

DRY_RUN = ("backfill", "--dry-run", "--json")


@pytest.fixture
def temporary(folder: Path) -> Path:
    """The folder for temporary files."""
    made = folder / "temporary"
    made.mkdir()
    return made


@pytest.fixture
def synced(github: Sandbox, folder: Path) -> list[int]:
    """The ids of repositories of two pages, which were synced; one is called otherwise now."""
    ids = fill(github, 150)
    assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
    github.rename(ids[0], "renamed")
    return ids


@contextmanager
def held(github: Sandbox, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield a dry run in the midst of its listing, which goes on after the block."""
    arrived, release = threading.Event(), threading.Event()

    def hold(request: Request) -> None:
        if request.query.get("page") == "2" and not arrived.is_set():
            arrived.set()
            release.wait(60)

    github.on_request = hold
    process = start_repoledger(*DRY_RUN, cwd=folder, TOKEN=TOKEN, TMPDIR=str(folder / "temporary"))
    try:
        assert arrived.wait(60)
        yield process
    finally:
        release.set()


def test_another_process_syncs_while_a_dry_run_goes_on(
    github: Sandbox, folder: Path, temporary: Path, synced: list[int]
) -> None:
    with held(github, folder) as dry_run:
        copies = list(temporary.iterdir())
        assert [copy.stat().st_mode & 0o777 for copy in copies] == [0o700]
        done = repoledger("backfill", "--json", cwd=folder, TOKEN=TOKEN)
        (outcome,) = json.loads(done.stdout)
        assert (outcome["status"], outcome["updated"]) == ("succeeded", 1)
        written = contents(folder / "ledger.db")
    told, _ = dry_run.communicate(timeout=60)
    assert dry_run.returncode == 0
    assert {(c["id"], c["action"]) for c in json.loads(told)} == {(synced[0], "update")}
    assert contents(folder / "ledger.db") == written
    assert list(temporary.iterdir()) == []


def test_a_dry_run_that_is_killed_leaves_the_ledger_as_it_was(
    github: Sandbox, folder: Path, temporary: Path, synced: list[int]
) -> None:
    assert synced
    before = snapshot(f"sqlite:///{folder / 'ledger.db'}")
    with held(github, folder) as dry_run:
        dry_run.kill()
        dry_run.communicate()
    assert snapshot(f"sqlite:///{folder / 'ledger.db'}") == before
    (copy,) = temporary.iterdir()
    assert copy.stat().st_mode & 0o777 == 0o700
    assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_dry_run_that_is_stopped_tells_what_it_found_and_leaves_no_copy(
    github: Sandbox, folder: Path, temporary: Path, synced: list[int], number: signal.Signals
) -> None:
    with held(github, folder) as dry_run:
        dry_run.send_signal(number)
        told, errors = dry_run.communicate(timeout=60)
    assert dry_run.returncode == 130
    assert {c["id"] for c in json.loads(told)} <= {synced[0]}
    assert "error: account me: " in errors
    assert list(temporary.iterdir()) == []


def test_no_copy_is_left_of_a_dry_run_that_a_second_signal_ends_at_once(
    github: Sandbox, folder: Path, temporary: Path, synced: list[int]
) -> None:
    assert synced
    with held(github, folder) as dry_run:
        dry_run.send_signal(signal.SIGINT)
        dry_run.send_signal(signal.SIGTERM)
        dry_run.communicate(timeout=60)
    assert dry_run.returncode == 130
    assert list(temporary.iterdir()) == []


def test_a_dry_run_without_room_for_its_copy_says_so_in_a_sentence(
    folder: Path, temporary: Path, synced: list[int]
) -> None:
    assert synced
    blocks = (folder / "ledger.db").stat().st_size // 2 // 512
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f "$0" && exec "$@"', str(blocks), *COMMAND, *DRY_RUN],
        cwd=folder,
        env=environment(folder, TOKEN=TOKEN, TMPDIR=str(temporary)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: the ledger cannot be copied for the dry run: ")
    assert "make room in the folder for temporary files" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(temporary.iterdir()) == []


def test_a_dry_run_whose_disk_is_full_in_the_midst_fails_with_a_sentence(
    github: Sandbox, folder: Path, temporary: Path, synced: list[int]
) -> None:
    before = contents(folder / "ledger.db")
    github.edit(synced[-1], description="new")
    with held(github, folder) as dry_run:
        resource.prlimit(dry_run.pid, resource.RLIMIT_FSIZE, (0, 0))
    told, errors = dry_run.communicate(timeout=60)
    assert dry_run.returncode == 1
    assert {c["id"] for c in json.loads(told)} <= {synced[0]}  # page 1 may not be stored yet
    assert errors.splitlines()[-1].startswith(f"error: account me: {temporary}")
    assert list(temporary.iterdir()) == []
    assert contents(folder / "ledger.db") == before


def test_a_ledger_of_an_older_schema_is_named_with_the_way_out(
    folder: Path, synced: list[int]
) -> None:
    assert synced
    execute(f"sqlite:///{folder / 'ledger.db'}", f"UPDATE {VERSION_TABLE} SET version_num = '0001'")
    done = repoledger(*DRY_RUN, cwd=folder, TOKEN=TOKEN)
    assert done.returncode == 2
    assert "0001 is older than this program's" in done.stderr
    assert "run `repoledger migrate`" in done.stderr
    version = f"SELECT version_num FROM {VERSION_TABLE}"
    assert value(folder / "ledger.db", version) == "0001"


def test_a_dry_run_logs_requests_and_nothing_that_has_not_happened(
    github: Sandbox, folder: Path, synced: list[int]
) -> None:
    github.delete(synced[1])
    arguments = ("--log-level", "debug", *DRY_RUN)
    done = repoledger(*arguments, cwd=folder, TOKEN=TOKEN)
    events = {json.loads(line)["event"].partition(".")[0] for line in done.stderr.splitlines()}
    assert events == {"http"}
    actions = {(c["id"], c["action"]) for c in json.loads(done.stdout)}
    assert actions == {(synced[0], "update"), (synced[1], "remove")}


def test_pages_that_are_remembered_cost_a_dry_run_no_quota(
    github: Sandbox, folder: Path, synced: list[int]
) -> None:
    assert synced
    asked = len(github.requests)
    assert repoledger(*DRY_RUN, cwd=folder, TOKEN=TOKEN).returncode == 0
    assert 304 in {request.status for request in github.requests[asked:]}


def test_a_trigger_of_the_users_that_refuses_a_removal_is_foretold(
    github: Sandbox, folder: Path, synced: list[int]
) -> None:
    with closing(sqlite3.connect(folder / "ledger.db")) as database:
        database.execute(
            "CREATE TRIGGER kept BEFORE UPDATE ON repositories WHEN new.removed_at IS NOT NULL "
            "BEGIN SELECT RAISE(ABORT, 'mine stay'); END"
        )
    github.delete(synced[1])
    done = repoledger(*DRY_RUN, cwd=folder, TOKEN=TOKEN)
    withheld = [c for c in json.loads(done.stdout) if c["action"] == "withhold"]
    assert [(c["id"], c["new_value"]) for c in withheld] == [(synced[1], "mine stay")]
    assert done.returncode == 3


def test_a_dry_run_tells_the_same_on_every_database(
    github: Sandbox, folder: Path, new_database: Callable[[], str]
) -> None:
    url = new_database()
    config = folder / "config.toml"
    config.write_text(config.read_text().replace("sqlite:///ledger.db", url))
    ids = fill(github, 10)
    secret = github.add_repository("octo", "secret", description="plans")
    github.set_scopes(TOKEN, ("repo",))
    assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
    github.delete(ids[0])
    github.rename(ids[1], "renamed")
    github.make_private(secret)
    github.add_repository("octo", "added")
    before = snapshot(url)
    done = repoledger(*DRY_RUN, cwd=folder, TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    assert snapshot(url) == before
    told = {(c["repository"], c["action"]) for c in json.loads(done.stdout)}
    assert told == {
        ("octo/added", "insert"),
        ("octo/repo-0000", "remove"),
        ("octo/renamed", "update"),
        ("octo/secret", "remove"),
    }
    blanked = [c for c in json.loads(done.stdout) if c["field"] == "description"]
    assert [(c["old_value"], c["new_value"]) for c in blanked if c["id"] == secret] == [
        ("plans", None)
    ]
