"""Memory does not grow with the number of repositories."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from sync.github.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.ledger import value
from tests.support.process import start_repoledger, write_config

_UNIT = 1024  # ru_maxrss is in KiB on Linux


def peak_memory(folder: Path, github: Sandbox) -> int:
    """Return the peak resident memory of one backfill process, in bytes."""
    folder.mkdir()
    write_config(folder, github.url)
    process = start_repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        process.stdout.read()
        process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert isinstance(usage, resource.struct_rusage)
    return usage.ru_maxrss * _UNIT


def test_ten_thousand_repositories_need_little_more_memory_than_one_thousand(
    github: Sandbox, tmp_path: Path
) -> None:
    for n in range(1_000):
        github.add_repository("octo", f"r{n}", description="x" * 200)
    small = peak_memory(tmp_path / "small", github)
    for n in range(1_000, 10_000):
        github.add_repository("octo", f"r{n}", description="x" * 200)
    large = peak_memory(tmp_path / "large", github)
    assert value(tmp_path / "large" / "ledger.db", "SELECT count(*) FROM repositories") == 10_000
    assert large - small < 60 * 1024 * 1024
