"""Each small fault that is put into the core on purpose is noticed by a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.long.mutants import MUTANTS
from tests.support.mutants import Mutant, outcome_of_tests

NOTICED = 1  # pytest's exit code when tests ran and some failed


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "mutant", MUTANTS, ids=lambda it: f"{Path(it.file).stem}: {it.old.strip()}"
)
def test_a_fault_in_the_core_fails_a_test(mutant: Mutant, tmp_path: Path) -> None:
    done = outcome_of_tests(mutant, tmp_path)
    assert done.returncode == NOTICED, done.stdout[-3000:]
