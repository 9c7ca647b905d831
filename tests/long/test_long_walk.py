"""The random walks of `tests/test_walk.py`, for longer, and with several requests at a time."""

from __future__ import annotations

import time
from typing import Literal

import pytest

from tests.support.inside.config import Removals
from tests.support.inside.github import Visibility
from tests.support.walk import Walk, seeds

pytestmark = pytest.mark.timeout(1800)

OnPrivate = Literal["keep", "redact", "purge"]


def walked(walk: Walk, steps: int) -> None:
    """Take so many steps, and say how it was."""
    began = time.monotonic()
    walk.go(steps)
    print(f"seed {walk.seed}, {steps:,} steps in {time.monotonic() - began:.0f} s: {walk.figures}")


@pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", seeds(101, 102, 103))
def test_a_long_walk(ledger_url: str, seed: int) -> None:
    with Walk(ledger_url, seed, Removals(max_share=1.0)) as walk:
        walked(walk, 1_500)


@pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", seeds(111, 112))
@pytest.mark.parametrize("on_private", ["keep", "purge"])
def test_a_long_walk_with_another_rule_for_private_repositories(
    ledger_url: str, seed: int, on_private: OnPrivate
) -> None:
    with Walk(ledger_url, seed, Removals(max_share=1.0, on_private=on_private)) as walk:
        walked(walk, 600)


@pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", seeds(121))
@pytest.mark.parametrize("on_private", ["redact", "purge"])
@pytest.mark.parametrize("other", ["all", "private"])
def test_a_long_walk_where_an_account_lists_private_repositories(
    ledger_url: str, seed: int, other: Visibility, on_private: OnPrivate
) -> None:
    with Walk(
        ledger_url, seed, Removals(max_share=1.0, on_private=on_private), other=other
    ) as walk:
        walked(walk, 500)


@pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", seeds(131, 132))
def test_a_long_walk_where_little_is_believed_or_asked_for_at_once(
    ledger_url: str, seed: int
) -> None:
    rules = Removals(max_share=0.02, agreeing_runs=3, max_probes=5)
    with Walk(ledger_url, seed, rules) as walk:
        walked(walk, 600)


@pytest.mark.parametrize("seed", seeds(141))
def test_a_long_walk_with_several_requests_at_a_time_on_any_database(
    ledger_url: str, seed: int
) -> None:
    with Walk(ledger_url, seed, Removals(max_share=1.0), concurrency=4) as walk:
        walked(walk, 1_000)
