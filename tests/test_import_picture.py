"""docs/imports.svg: every folder of the package with its sentence, and no import upwards."""

from __future__ import annotations

from tests.import_picture import FILE, floors, imports, render, sentence


def test_the_picture_is_drawn_from_the_imports_as_they_are() -> None:
    assert FILE.read_text(encoding="utf-8") == render(), "make picture draws it anew"


def test_each_folder_says_what_it_is_in_one_sentence() -> None:
    for name in (name for floor in floors() for name in floor):
        assert sentence(name).endswith("."), name


def test_no_folder_imports_from_a_floor_above_its_own_or_beside_it() -> None:
    level = {name: at for at, floor in enumerate(floors()) for name in floor}
    among_folders = [pair for pair in imports() if level.keys() >= set(pair)]
    assert len(among_folders) > len(level)
    assert [pair for pair in among_folders if level[pair[0]] >= level[pair[1]]] == []
