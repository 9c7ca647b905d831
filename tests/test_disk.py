"""What is renamed or removed is so after a loss of power too."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.inside.cli import replacing
from tests.support.inside.core import flush_folder
from tests.support.inside.signin import TokenFile


def write_token(folder: Path) -> None:
    TokenFile("me", str(folder / "token")).write("secret")


def remove_token(folder: Path) -> None:
    TokenFile("me", str(folder / "token")).remove()


def replace_file(folder: Path) -> None:
    with replacing(folder / "token") as stream:
        stream.write(b"result")


@pytest.mark.parametrize("change", [write_token, remove_token, replace_file])
def test_a_changed_name_is_on_the_disk_before_it_counts_as_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object]
) -> None:
    (tmp_path / "token").write_text("old")
    flushed: list[tuple[str, list[str]]] = []
    flush = os.fsync

    def watch(handle: int) -> None:
        place = str(Path(f"/proc/self/fd/{handle}").readlink())
        names = [path.read_text() for path in tmp_path.iterdir()]
        flushed.append((place, names))
        flush(handle)

    monkeypatch.setattr(os, "fsync", watch)
    change(tmp_path)
    # The last is the folder, when it holds what it is to hold for good.
    assert flushed[-1] == (str(tmp_path), [path.read_text() for path in tmp_path.iterdir()])
    assert flushed[-1][1] != ["old"]


def test_a_file_system_that_cannot_flush_a_folder_keeps_nobody_from_writing(tmp_path: Path) -> None:
    flush_folder(tmp_path / "gone")
