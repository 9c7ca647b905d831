"""A scratch ledger holds what a run reads, and tells what was written to it."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.database import HOST, repository, snapshot, store_page
from tests.support.database_processes import spawned
from tests.support.inside.core import Interrupted
from tests.support.inside.database import COMPARED, Run, Store, migrate, scratch_ledger

_NAME = COMPARED.index("full_name")


def written(url: str, *objects: dict[str, Any]) -> list[tuple[int, Any, Any]]:
    """Write to a scratch ledger; return what was written: id, and names before and now."""
    with scratch_ledger(url, threading.Event()) as scratch, Store(scratch.url) as store:
        run = store.start_run("me", HOST, "dry-run")
        store_page(store, run, *objects)
        found = [
            (each.id, each.before and each.before[_NAME], each.now and each.now[_NAME])
            for each in scratch.written(run.id)
        ]
        assert list(scratch.written(run.id)) == []
        return found


def test_a_scratch_ledger_shows_written_rows_before_and_after_and_the_ledger_stays(
    store: Store, run: Run
) -> None:
    store_page(store, run, repository(1, "octo/one"), repository(2, "octo/two"))
    before = snapshot(store.url)
    changed = (repository(2, "octo/2"), repository(3, "octo/three"), repository(1, "octo/one"))
    assert written(store.url, *changed) == [
        (2, "octo/two", "octo/2"),
        (3, None, "octo/three"),
    ]
    assert snapshot(store.url) == before


def test_where_there_is_no_ledger_yet_all_is_new_and_none_is_made(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    assert written(f"sqlite:///{file}", repository(1, "octo/one")) == [(1, None, "octo/one")]
    assert list(tmp_path.iterdir()) == []


def test_the_copying_ends_when_it_is_stopped(store: Store, run: Run) -> None:
    store_page(store, run, repository(1))
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted), scratch_ledger(store.url, stop):
        pass


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """Yield a folder that every user can get to."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def _written_without_rights(pipe: Any, url: str) -> None:
    migrate.revisions()  # which are files that such a one may not be able to read
    if os.geteuid() == 0:  # whom no file's mode stops
        os.setuid(65534)
    pipe.send(written(url, repository(1, "octo/1")))


@pytest.mark.parametrize("mode", [0o555, 0o777], ids=["read_only_folder", "open_folder"])
def test_a_ledger_that_may_only_be_read_is_copied(public_folder: Path, mode: int) -> None:
    file = public_folder / "ledger.db"
    migrate.upgrade(f"sqlite:///{file}")
    with Store(f"sqlite:///{file}") as store:
        store_page(store, store.start_run("me", HOST, "test"), repository(1, "octo/one"))
    file.chmod(0o444)
    public_folder.chmod(mode)
    with spawned(_written_without_rights, f"sqlite:///{file}") as child:
        assert child.receive() == [(1, "octo/one", "octo/1")]
