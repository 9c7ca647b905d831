"""A ledger follows a GitHub to which anything may happen; it neither loses nor invents anything.

`tests.support.walk` says what is walked and what is checked; `tests/long` walks further. With
`WALK_SEED=7` in the environment every walk begins with that seed.
"""

from __future__ import annotations

import pytest

from tests.support.inside.config import Removals
from tests.support.walk import Walk, seeds

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
on_sqlite = pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)
on_servers = pytest.mark.parametrize("new_database", ["postgresql", "mysql"], indirect=True)

ALL_AT_ONCE = 1.0  # nothing is withheld for its number alone


@pytest.mark.matrix("always.alive", "always.converges")
@on_sqlite
@pytest.mark.parametrize("seed", seeds(1, 2))
def test_the_ledger_follows_any_change_and_its_log_explains_it(ledger_url: str, seed: int) -> None:
    with Walk(ledger_url, seed, Removals(max_share=ALL_AT_ONCE)) as walk:
        walk.go(600)


@on_sqlite
@pytest.mark.parametrize("seed", seeds(3))
def test_so_it_does_where_private_repositories_are_kept(ledger_url: str, seed: int) -> None:
    with Walk(ledger_url, seed, Removals(max_share=ALL_AT_ONCE, on_private="keep")) as walk:
        walk.go(250)


@on_sqlite
@pytest.mark.parametrize("seed", seeds(4))
def test_so_it_does_where_private_repositories_are_purged(ledger_url: str, seed: int) -> None:
    with Walk(ledger_url, seed, Removals(max_share=ALL_AT_ONCE, on_private="purge")) as walk:
        walk.go(250)


@on_sqlite
@pytest.mark.parametrize("seed", seeds(5))
def test_so_it_does_where_the_other_account_lists_private_repositories_too(
    ledger_url: str, seed: int
) -> None:
    with Walk(ledger_url, seed, Removals(max_share=ALL_AT_ONCE), other="all") as walk:
        walk.go(250)


@on_sqlite
@pytest.mark.parametrize("seed", seeds(6))
def test_so_it_does_where_little_is_believed_or_asked_for_at_once(
    ledger_url: str, seed: int
) -> None:
    rules = Removals(max_share=0.02, agreeing_runs=3, max_probes=5)
    with Walk(ledger_url, seed, rules) as walk:
        walk.go(250)


@pytest.mark.matrix("always.alive", "always.converges")
@on_servers
@pytest.mark.parametrize("seed", seeds(7))
def test_so_it_does_on_a_server(ledger_url: str, seed: int) -> None:
    with Walk(ledger_url, seed, Removals(max_share=ALL_AT_ONCE)) as walk:
        walk.go(40)
