"""SQLite files that cannot be used: each is named, and so is what is wrong with it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.database_processes import (
    attempt,
    spawned,
    without_rights,
)
from tests.support.inside.database import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENERS = ("migrate", "write", "read")


@pytest.mark.matrix("database.unusable")
@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("content", [b"not SQLite at all, but long enough\n" * 200, b"short"])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(
    tmp_path: Path, opener: str, content: bytes
) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(content)
    assert attempt(opener, f"sqlite:///{file}") == (
        f"DatabaseUnusable: {file}: file is not a database"
    )
    assert file.read_bytes() == content


@pytest.mark.matrix("database.unusable")
@pytest.mark.parametrize("opener", ["migrate", "write"])
def test_a_missing_folder_is_named_and_not_made(tmp_path: Path, opener: str) -> None:
    file = tmp_path / "no" / "such" / "ledger.db"
    assert attempt(opener, f"sqlite:///{file}") == (
        f"DatabaseUnusable: {file}: the folder {file.parent} does not exist; create it first"
    )
    assert list(tmp_path.iterdir()) == []


def test_reading_a_ledger_in_a_missing_folder_says_that_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "no" / "ledger.db"
    told = attempt("read", f"sqlite:///{file}")
    assert told.startswith(f"SchemaMissing: {file}: there is no ledger yet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("opener", OPENERS)
def test_a_folder_is_no_database(tmp_path: Path, opener: str) -> None:
    told = attempt(opener, f"sqlite:///{tmp_path}")
    assert told == f"DatabaseUnusable: {tmp_path}: is a folder, not a database"


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """Yield a folder that every user can get to."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


@pytest.mark.matrix("database.unusable")
@pytest.mark.parametrize("opener", ["migrate", "write"])
@pytest.mark.parametrize("folder_mode", [0o555, 0o777], ids=["read_only_folder", "open_folder"])
def test_a_file_that_may_only_be_read_is_named_before_anything_is_written(
    public_folder: Path, opener: str, folder_mode: int
) -> None:
    file = public_folder / "ledger.db"
    file.touch()
    if opener == "write":
        migrate.upgrade(f"sqlite:///{file}")
    file.chmod(0o444)
    public_folder.chmod(folder_mode)
    before = file.read_bytes()
    with spawned(without_rights, opener, f"sqlite:///{file}") as child:
        assert child.receive().startswith(f"DatabaseUnusable: {file}: ")
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named_when_a_run_asks_for_its_lock(
    public_folder: Path,
) -> None:
    public_folder.chmod(0o555)
    with spawned(without_rights, "lock", f"sqlite:///{public_folder / 'ledger.db'}") as child:
        assert child.receive().startswith(
            f"DatabaseUnusable: {public_folder}: cannot be written: Permission denied"
        )
