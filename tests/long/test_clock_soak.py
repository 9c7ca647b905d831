"""A soak of the daemon: a clock that jumps, by minutes to years, both ways; a server that fails.

`make slow` does 6 pauses. For more, set SOAK_PAUSES; SOAK_SEED names the seed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.clock_soak import ClockSoak

PAUSES = int(os.environ.get("SOAK_PAUSES", "6"))
SEED = int(os.environ.get("SOAK_SEED", "3"))


@pytest.mark.timeout(3600)
@pytest.mark.matrix("always.converges", "always.secret", "process.clock")
@pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)
def test_a_clock_that_jumps_at_random_leaves_nothing_that_is_not_true(
    ledger_url: str, tmp_path: Path
) -> None:
    with ClockSoak(ledger_url, tmp_path, SEED) as soak:
        try:
            soak.go(PAUSES)
        finally:
            print(f"seed {soak.seed}: {soak.figures}")
