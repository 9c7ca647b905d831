"""The recording that the README shows: its commands still work, and it leads nowhere else."""

from __future__ import annotations

import re
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.demo_cast import COMMANDS, ENTER, PICTURE, ROWS, Line, drawn, paced
from tests.support.process import PROJECT, repoledger


def typed(picture: str) -> list[str]:
    """Return the commands that a recording shows."""
    texts = ET.fromstring(picture).iterfind(".//{*}text[@class='typed']")
    return [(text.text or "").removeprefix("$ ") for text in texts]


def test_the_readme_shows_the_recording_of_the_commands_that_are_recorded_now() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert "](docs/demo.svg)" in readme.partition("\n## ")[0]
    picture = PICTURE.read_text(encoding="utf-8")
    assert typed(picture) == list(COMMANDS)
    assert "href" not in picture
    assert "url(" not in picture


def test_every_recorded_command_and_its_options_still_exist(tmp_path: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for command in COMMANDS:
        program, *words = shlex.split(command)
        if program == "make":
            assert re.search(rf"^{words[0]}:", makefile, re.MULTILINE)
        elif program == "repoledger":
            done = repoledger(*words, "--help", cwd=tmp_path)
            assert (done.returncode, done.stderr) == (0, ""), command
            name, *options = (word for word in words if word.startswith("--") or word == words[0])
            assert f"repoledger {name}" in done.stdout
            for option in options:
                assert option in done.stdout
        else:
            assert command == ENTER


def test_a_recording_rolls_shows_colours_and_keeps_text_that_looks_like_markup() -> None:
    lines = [Line(0.0, "$ repoledger repos", typed=True)]
    lines += [Line(9.0 + at, f"<row {at}> \x1b[32mgood\x1b[0m") for at in range(ROWS + 5)]
    picture = drawn(paced(lines))
    texts = [text.text for text in ET.fromstring(picture).iterfind(".//{*}text")]
    assert f"<row {ROWS + 4}> " in texts
    assert "good" in texts
    assert picture.count("translateY") == 1 + 6  # the beginning, and each line below the window
    assert "#7ee787" in picture
    assert paced(lines)[1].at < 2  # however long it took
