"""Pipes that do not block, as some programs leave them to those that they start."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.daemon import wait_until
from tests.support.process import COMMAND, STARTED, environment, repoledger


@pytest.fixture
def long_ledger(github: Sandbox, folder: Path) -> Path:
    for number in range(100):
        github.add_repository("octo", f"long-{number}", description="x" * 900)
    assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
    return folder


def started(folder: Path, *arguments: str, stdin: int, stdout: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(folder),
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )
    STARTED.append(process)
    return process


def waiting_in(pipe: int) -> int:
    """Return how many bytes nobody has read yet."""
    size = bytearray(4)
    fcntl.ioctl(pipe, termios.FIONREAD, size)
    return int.from_bytes(size, sys.byteorder)


@pytest.mark.parametrize("fmt", ["json", "csv", "table"])
def test_all_of_a_result_arrives_through_a_pipe_that_does_not_block(
    long_ledger: Path, fmt: str
) -> None:
    expected = repoledger("repos", "--format", fmt, cwd=long_ledger).stdout
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    arguments = ("repos", "--format", fmt)
    process = started(long_ledger, *arguments, stdin=subprocess.DEVNULL, stdout=writer)
    os.close(writer)
    wait_until(lambda: waiting_in(reader) > 50_000)  # it is full, and holds half of it
    with os.fdopen(reader, encoding="utf-8", newline="") as stream:
        assert stream.read() == expected
    assert process.stderr is not None
    with process.stderr:
        assert (process.wait(), process.stderr.read()) == (0, "")


def test_a_query_is_waited_for_in_a_pipe_that_does_not_block(long_ledger: Path) -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    arguments = ("query", "-", "--format", "json")
    process = started(long_ledger, *arguments, stdin=reader, stdout=subprocess.PIPE)
    os.write(writer, b"SELECT count(*) AS n ")
    wait_until(lambda: waiting_in(reader) == 0)
    os.write(writer, b"FROM repositories")
    os.close(writer)
    os.close(reader)
    said, error = process.communicate()
    assert (process.returncode, error) == (0, "")
    assert json.loads(said) == [{"n": 100}]
