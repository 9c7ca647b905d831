"""Runs that are killed at every point there is, and at random moments: the next one converges."""

from __future__ import annotations

import random
from itertools import count
from pathlib import Path

import pytest

from tests.support.crash_story import STEPS
from tests.support.crash_sweep import RESOURCES, swept

pytestmark = [
    pytest.mark.timeout(1200),
    pytest.mark.matrix("process.killed", "always.converges", "always.counts"),
]
NAMES = [step.name for step in STEPS]
SEED = 20261125
MOMENTS = {"sqlite": 12, "postgresql": 6, "mysql": 4}  # in each step


@pytest.mark.parametrize("name", NAMES)
def test_a_run_killed_at_any_point_leaves_whole_transactions_and_the_next_one_converges(
    name: str, tmp_path: Path
) -> None:
    with swept("sqlite", name, tmp_path) as sweep:
        for point in sweep.points:
            sweep.kill_at(point)
        print(f"sqlite, {name}: {sweep.figures}")
        assert sweep.missed == []
        assert sweep.differences == []


@pytest.mark.parametrize("name", NAMES)
def test_the_same_around_every_commit_and_at_every_third_other_point_on_postgresql(
    name: str, tmp_path: Path
) -> None:
    with swept("postgresql", name, tmp_path) as sweep:
        others = [point for point in sweep.points if point not in sweep.commits]
        for point in [*sweep.commits, *others[::3]]:
            sweep.kill_at(point)
        print(f"postgresql, {name}: {sweep.figures}")
        assert sweep.missed == []
        assert sweep.differences == []


@pytest.mark.parametrize("name", NAMES)
def test_the_same_around_every_commit_on_mariadb(name: str, tmp_path: Path) -> None:
    with swept("mysql", name, tmp_path) as sweep:
        for point in sweep.commits:
            sweep.kill_at(point)
        print(f"mysql, {name}: {sweep.figures}")
        assert sweep.missed == []
        assert sweep.differences == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", MOMENTS)
def test_runs_killed_at_random_moments_once_or_twice_in_a_row_are_made_good_for(
    kind: str, name: str, tmp_path: Path
) -> None:
    chance = random.Random(f"{SEED} {kind} {name}")
    with swept(kind, name, tmp_path) as sweep:
        while sweep.kills.total() < MOMENTS[kind]:
            sweep.kill_at_random(chance)
        print(f"{kind}, {name}: {sweep.figures}")
        assert sweep.differences == [], f"seed {SEED}"


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", ["the first load", "departures"])
def test_a_backfill_killed_at_any_answer_is_made_good_for_by_the_next_one(
    name: str, moment: str, tmp_path: Path
) -> None:
    with swept("sqlite", name, tmp_path) as sweep:
        for number in count(1):
            if not sweep.kill_command(moment, number, tmp_path):
                break
        print(f"repoledger backfill, {name}: {sweep.figures}")
        assert sweep.kills.total() >= sweep.undisturbed.counts.requests
        assert sweep.differences == []


@pytest.mark.parametrize("name", [step.name for step in RESOURCES.steps])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mysql"])
def test_a_run_killed_while_it_reads_resources_is_made_good_for_by_the_next_one(
    kind: str, name: str, tmp_path: Path
) -> None:
    with swept(kind, name, tmp_path, RESOURCES) as sweep:
        for point in sweep.kinds:
            if kind == "sqlite" or point.kind == "commit":
                sweep.kill_at(point)
        print(f"{kind}, {name}: {sweep.figures}")
        assert sweep.missed == []
        assert sweep.differences == []
