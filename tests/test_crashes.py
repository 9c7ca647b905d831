"""Runs that are killed around each of their commits: the next one converges.

`tests/long/test_crash_sweep.py` does it at every other point, too, and on servers.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.crash_sweep import swept

pytestmark = pytest.mark.slow


@pytest.mark.matrix("process.killed", "always.converges", "always.counts")
@pytest.mark.parametrize("name", ["the first load", "departures"])
def test_a_run_killed_before_or_after_any_commit_is_made_good_for_by_the_next_one(
    name: str, tmp_path: Path
) -> None:
    with swept("sqlite", name, tmp_path) as sweep:
        for point in sweep.commits:
            sweep.kill_at(point)
        assert sweep.missed == []
        assert sweep.differences == []
