"""Memory does not grow with the number of repositories, and little of it is enough."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.inside.core import require_room
from tests.support.ledger import rows, value
from tests.support.process import write_config
from tests.support.usage import Ended, measured

pytestmark = [pytest.mark.slow, pytest.mark.matrix("process.memory")]

MIB = 1024 * 1024
# As `ulimit -v` limits them; measured, with Python 3.11: 134 MiB.
ENOUGH = 200 * MIB
STORED = "SELECT count(*) FROM repositories"


def backfill(folder: Path, addresses: int = 0) -> Ended:
    """Run a backfill in `folder` that may use so many bytes of addresses."""
    return measured("backfill", cwd=folder, addresses=addresses, TOKEN=TOKEN)


def promises_no_more_than_it_has() -> bool:
    setting = Path("/proc/sys/vm/overcommit_memory")
    return setting.exists() and setting.read_text().strip() == "2"


def place(folder: Path, github: Sandbox) -> Path:
    folder.mkdir()
    write_config(folder, github.url)
    return folder


@pytest.mark.skipif(promises_no_more_than_it_has(), reason="vm.overcommit_memory is 2")
def test_threads_need_addresses_and_not_as_much_memory_as_their_stacks_could_grow_to() -> None:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    require_room(memory // (10 * MIB) + 200)


def test_ten_thousand_repositories_fit_and_need_little_more_memory_than_one_thousand(
    github: Sandbox, tmp_path: Path
) -> None:
    for n in range(1_000):
        github.add_repository("octo", f"r{n}", description="x" * 200)
    small = backfill(place(tmp_path / "small", github))
    for n in range(1_000, 10_000):
        github.add_repository("octo", f"r{n}", description="x" * 200)
    large = backfill(place(tmp_path / "large", github), ENOUGH)
    assert (small.code, large.code) == (0, 0), small.shown + large.shown
    assert value(tmp_path / "large" / "ledger.db", STORED) == 10_000
    assert large.peak - small.peak < 60 * MIB


@pytest.mark.matrix("always.converges")
@pytest.mark.parametrize("addresses", [30 * MIB, 100 * MIB])
def test_too_little_memory_is_told_in_a_sentence_and_one_more_run_converges(
    github: Sandbox, tmp_path: Path, addresses: int
) -> None:
    for n in range(1_000):
        github.add_repository("octo", f"r{n}")
    folder = place(tmp_path / "little", github)
    little = backfill(folder, addresses)
    assert little.code == 1
    assert "error: out of memory: " in little.shown
    assert "Traceback" not in little.shown
    assert backfill(folder).code == 0
    assert value(folder / "ledger.db", STORED) == 1_000
    assert rows(folder / "ledger.db", "SELECT id FROM sync_runs WHERE status = 'running'") == []
