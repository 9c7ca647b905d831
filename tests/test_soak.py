"""A short soak; `tests/long/test_soak.py` has longer ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.soak import Soak

pytestmark = pytest.mark.slow


@pytest.mark.matrix("always.converges", "always.alive", "always.secret", "always.counts")
@pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)
def test_a_server_that_misbehaves_at_random_harms_nothing(ledger_url: str, tmp_path: Path) -> None:
    with Soak(ledger_url, tmp_path, seed=1) as soak:
        soak.go(30, peace_every=10)
    assert soak.counts["peaces"] >= 3
    assert soak.chaos.seen.total() - soak.chaos.seen["requests"] >= 10
