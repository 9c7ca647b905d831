"""Before a SQLite file's schema is changed, the file is copied: whole, or nothing is changed."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import tempfile
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import TOKEN
from tests.support.database_processes import attempt, spawned
from tests.support.inside.core import DatabaseUnusable
from tests.support.inside.database import migrate
from tests.support.ledger import rows
from tests.support.migrating import assert_old_rows_kept, assert_usable, mortal, old_ledger
from tests.support.process import repoledger, write_config

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sync.sandbox import Sandbox

NEWEST = migrate.revisions()[-1]
BAK = "ledger.db.0001.bak"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A ledger of an older program, with rows and with things of its user's."""
    file = tmp_path / "ledger.db"
    old_ledger(f"sqlite:///{file}")
    return file


def copies(folder: Path) -> list[str]:
    """Return the names of all that looks like a copy, half ones included."""
    return sorted(file.name for file in folder.iterdir() if "bak" in file.name)


def assert_whole(copy: Path) -> None:
    """Assert that a copy is the ledger as it was."""
    assert rows(copy, "PRAGMA integrity_check") == [("ok",)]
    assert rows(copy, "SELECT version_num FROM repoledger_schema") == [("0001",)]
    assert_old_rows_kept(f"sqlite:///{copy}")


def test_migrate_keeps_a_copy_of_an_older_ledger_and_tells_where(
    github: Sandbox, old: Path
) -> None:
    write_config(old.parent, github.url)
    done = repoledger("migrate", cwd=old.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"Migrated the schema from 0001 to {NEWEST}.",
        f"A copy from before is in {BAK}; delete it when you no longer need it.",
    ]
    assert copies(old.parent) == [BAK]
    assert_whole(old.with_name(BAK))


def test_a_copy_put_in_the_ledgers_place_is_the_ledger_as_it_was(old: Path) -> None:
    url = f"sqlite:///{old}"
    copy = migrate.upgrade(url).copy
    assert copy == old.with_name(BAK)
    assert_usable(url)
    for file in old.parent.glob("ledger.db-*"):
        file.unlink()
    copy.replace(old)
    assert migrate.check(url) == "0001"
    assert migrate.upgrade(url).before == "0001"
    assert_old_rows_kept(url)


@pytest.mark.parametrize("command", [("backfill",), ("--log-level", "warning", "backfill")])
def test_an_automatic_migration_logs_where_the_copy_is(
    github: Sandbox, old: Path, command: tuple[str, ...]
) -> None:
    write_config(old.parent, github.url)
    done = repoledger(*command, cwd=old.parent, TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stderr.splitlines()]
    (event,) = [event for event in events if event["event"] == "schema.migrated"]
    assert (event["before"], event["after"], event["copy"]) == ("0001", NEWEST, BAK)
    assert_whole(old.with_name(BAK))


def test_a_new_ledger_and_a_current_one_are_not_copied(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    migrate.upgrade(url)
    migrate.upgrade(url)
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.db"]


def test_rows_that_are_still_in_the_write_ahead_log_are_in_the_copy(old: Path) -> None:
    with closing(sqlite3.connect(old)) as reader:  # so that nobody tidies up the log
        reader.execute("SELECT * FROM accounts").fetchall()
        with closing(sqlite3.connect(old)) as writer, writer:
            writer.execute("PRAGMA wal_autocheckpoint = 0")
            writer.execute("INSERT INTO my_table VALUES (6)")
        migrate.upgrade(f"sqlite:///{old}")
    assert rows(old.with_name(BAK), "SELECT x FROM my_table ORDER BY x") == [(5,), (6,)]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_copy_may_be_read_by_those_who_may_read_the_ledger_and_by_nobody_else(
    old: Path, mode: int
) -> None:
    old.chmod(mode)
    copy = migrate.upgrade(f"sqlite:///{old}").copy
    assert copy is not None
    assert copy.stat().st_mode & 0o7777 == mode
    assert (copy.stat().st_uid, copy.stat().st_gid) == (old.stat().st_uid, old.stat().st_gid)


def test_an_earlier_copy_of_something_else_is_never_overwritten(old: Path) -> None:
    old.with_name(BAK).write_text("precious")
    old.with_name("ledger.db.0001.2.bak").symlink_to("nowhere")
    copy = migrate.upgrade(f"sqlite:///{old}").copy
    assert copy == old.with_name("ledger.db.0001.3.bak")
    assert_whole(copy)
    assert old.with_name(BAK).read_text() == "precious"
    assert not old.with_name("nowhere").exists()


def test_a_migration_that_fails_leaves_neither_a_change_nor_a_copy(old: Path) -> None:
    with closing(sqlite3.connect(old)) as user, user:
        user.execute("ALTER TABLE accounts ADD COLUMN next_run_at INTEGER")
    for _ in range(2):
        with pytest.raises(DatabaseUnusable, match=r"accounts\.next_run_at is not repoledger's"):
            migrate.upgrade(f"sqlite:///{old}")
    assert copies(old.parent) == []
    assert migrate.check(f"sqlite:///{old}") == "0001"
    assert_old_rows_kept(f"sqlite:///{old}")


def test_a_migration_killed_at_any_use_of_a_file_leaves_a_whole_copy_or_none(
    tmp_path: Path,
) -> None:
    template = tmp_path / "template.db"
    old_ledger(f"sqlite:///{template}")
    with mortal() as process:
        for number in count(1):
            folder = tmp_path / str(number)
            folder.mkdir()
            file = folder / "ledger.db"
            shutil.copyfile(template, file)
            if not process.killed(f"sqlite:///{file}", "file", number):
                break
            for name in copies(folder):
                if not name.endswith(".partial"):
                    assert_whole(folder / name)
            assert migrate.upgrade(f"sqlite:///{file}").copy == folder / BAK
            assert copies(folder) == [BAK]
            assert_whole(folder / BAK)
            assert_old_rows_kept(f"sqlite:///{file}")
    assert number > 5


# Where a copy cannot be made


def _migrates_with_small_files(pipe: Any, url: str, limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    pipe.send(attempt("migrate", url))


@pytest.mark.matrix("database.full")
def test_where_there_is_no_room_for_a_copy_the_migration_is_refused(old: Path) -> None:
    with spawned(_migrates_with_small_files, f"sqlite:///{old}", 50_000) as child:
        told = child.receive()
    assert told.startswith(f"DatabaseUnusable: {old}: cannot be copied to this folder before its ")
    assert "nothing was changed; make room for a copy" in told
    assert copies(old.parent) == []
    assert migrate.check(f"sqlite:///{old}") == "0001"
    assert migrate.upgrade(f"sqlite:///{old}").copy == old.with_name(BAK)


def _migrates_without_rights(pipe: Any, url: str) -> None:
    if os.geteuid() == 0:  # whom no file's mode stops
        os.seteuid(65534)
    pipe.send(attempt("migrate", url))


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user can get to."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def test_where_no_file_may_be_made_the_migration_is_refused(public_folder: Path) -> None:
    file = public_folder / "ledger.db"
    old_ledger(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as other:  # which keeps the files beside it there
        other.execute("SELECT * FROM accounts").fetchall()
        for name in public_folder.iterdir():
            name.chmod(0o666)
        public_folder.chmod(0o555)
        with spawned(_migrates_without_rights, f"sqlite:///{file}") as child:
            told = child.receive()
    assert told.startswith(f"DatabaseUnusable: {file}: cannot be copied to this folder before its ")
    assert "Permission denied; nothing was changed" in told
    assert migrate.check(f"sqlite:///{file}") == "0001"
    assert copies(public_folder) == []
