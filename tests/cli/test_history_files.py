"""The files that the command history writes."""

from __future__ import annotations

import csv
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.process import (
    COMMAND,
    environment,
    on_terminal,
    repoledger,
    repoledger_bytes,
)

pytestmark = pytest.mark.slow


def no_leftovers(folder: Path) -> bool:
    return not list(folder.glob("*.partial")) + list(folder.glob(".*.partial"))


@pytest.mark.parametrize("fmt", ["table", "csv", "json", "ndjson", "svg", "png"])
def test_a_file_gets_what_a_pipe_would(counted: Path, fmt: str) -> None:
    options = ("octo/alpha-two", "--format", fmt)
    piped = repoledger_bytes(counted, "history", *options)
    written = repoledger_bytes(counted, "history", *options, "--output", "result")
    assert (written.returncode, written.stdout, written.stderr) == (0, b"", b"")
    assert (counted / "result").read_bytes() == piped.stdout
    assert no_leftovers(counted)


def test_a_table_in_a_file_has_no_plot_even_if_it_is_written_from_a_terminal(counted: Path) -> None:
    options = ("octo/alpha-two", "--output", "result.txt")
    assert on_terminal("history", *options, cwd=counted, columns=80) == ""
    text = (counted / "result.txt").read_text(encoding="utf-8")
    assert (len(text.splitlines()), "stars of" in text) == (2 + 21, False)


def test_a_file_that_cannot_be_written_is_told_in_one_line(counted: Path) -> None:
    for file in ("missing/result.csv", "config.toml/result.csv", "."):
        options = ("octo/alpha-two", "--format", "csv", "--output", file)
        done = repoledger("history", *options, cwd=counted)
        assert done.returncode == 2
        assert done.stderr.startswith(f"error: {file}: cannot be written: ")
        assert len(done.stderr.splitlines()) == 1


def test_a_file_stays_as_it_was_unless_the_new_one_is_complete(counted: Path) -> None:
    file = counted / "result.csv"
    file.write_text("precious")
    wrong = repoledger("history", "octo/nothing", "--output", "result.csv", cwd=counted)
    assert (wrong.returncode, file.read_text()) == (2, "precious")
    # A disk that is full after 64 KiB.
    options = "octo/decade --since 3650d --format csv --output result.csv"
    full = subprocess.run(
        ["sh", "-c", f"ulimit -f 128; exec {' '.join(COMMAND)} history {options}"],
        cwd=counted,
        env=environment(counted),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (full.returncode, len(full.stderr.splitlines())) == (1, 1), full.stderr
    assert file.read_text() == "precious"
    assert no_leftovers(counted)


def test_a_link_stays_a_link_and_a_file_keeps_its_mode(counted: Path) -> None:
    file, link = counted / "result.csv", counted / "link.csv"
    file.touch(0o640)
    link.symlink_to("result.csv")
    options = ("octo/alpha-two", "--format", "csv", "--output", "link.csv")
    assert repoledger("history", *options, cwd=counted).returncode == 0
    assert link.is_symlink()
    assert len(list(csv.reader(file.read_text().splitlines()))) == 1 + 21
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_named_pipe_is_written_to_and_not_replaced(counted: Path) -> None:
    pipe = counted / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    options = ("octo/beta", "--format", "csv", "--output", "pipe")
    assert repoledger("history", *options, cwd=counted).returncode == 0
    assert os.read(reader, 65_536).startswith(b"day,stargazers_count")
    os.close(reader)
    assert pipe.is_fifo()
