"""One SQLite file is one ledger, by whatever path it is come by."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.database import HOST
from tests.support.inside.core import DatabaseUnusable, RunInProgress
from tests.support.inside.database import Ledger, Store, migrate
from tests.support.places import failures


def linked_file(file: Path) -> Path:
    link = file.with_name("link.db")
    link.symlink_to(file.name)
    return link


def linked_folder(file: Path) -> Path:
    folder = file.parent.parent / "elsewhere"
    folder.symlink_to(file.parent)
    return folder / file.name


def linked_from_another_folder(file: Path) -> Path:
    folder = file.parent.parent / "another"
    folder.mkdir()
    (folder / "mine.db").symlink_to(file)
    return folder / "mine.db"


def by_way_of_a_folder_above(file: Path) -> Path:
    return Path(f"{file.parent}/../{file.parent.name}/./{file.name}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    migrate.upgrade(f"sqlite:///{folder / 'ledger.db'}")
    return folder / "ledger.db"


@pytest.mark.parametrize(
    "other_path",
    [linked_file, linked_folder, linked_from_another_folder, by_way_of_a_folder_above],
)
def test_two_paths_to_one_file_have_one_lock(
    file: Path, other_path: Callable[[Path], Path]
) -> None:
    with Store(f"sqlite:///{file}") as store, Store(f"sqlite:///{other_path(file)}") as other:
        with store.lock("me"), pytest.raises(RunInProgress), other.lock("me"):
            pass
        with other.lock("me"), pytest.raises(RunInProgress), store.lock("me"):
            pass


def test_a_link_to_a_file_that_is_not_there_yet_leads_to_the_ledger_that_is_made(
    tmp_path: Path,
) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "ledger.db"
    link.symlink_to("real/ledger.db")
    migrate.upgrade(f"sqlite:///{link}")
    with Store(f"sqlite:///{link}") as store, store.lock("me"):
        store.start_run("me", HOST, "backfill")
        # What goes with it is beside it, and nothing beside the link.
        assert {path.name for path in tmp_path.iterdir()} == {"real", "ledger.db"}
    with Ledger(f"sqlite:///{link}") as ledger:
        assert [row["status"] for row in ledger.status()] == ["running"]


def test_a_file_with_two_names_is_refused_before_it_is_damaged_and_by_check_too(
    file: Path, tmp_path: Path
) -> None:
    os.link(file, tmp_path / "second.db")
    for path in (file, tmp_path / "second.db"):
        url = f"sqlite:///{path}"
        with Store(url) as store, pytest.raises(DatabaseUnusable, match="has 2 names"):
            store.start_run("me", HOST, "backfill")
        assert failures(url) != []
    (tmp_path / "second.db").unlink()
    with Store(f"sqlite:///{file}") as store:
        assert store.start_run("me", HOST, "backfill").id == 1
