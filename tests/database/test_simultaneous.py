"""Two backfills of one account at once, as processes: one works, and the others say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.support.simultaneous import (
    each_waits_for_the_one_before,
    one_writes_and_the_others_say_so,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine starts processes slowly


@pytest.mark.matrix("database.two-runs", "always.one-writer")
def test_of_two_backfills_at_once_one_writes_and_the_others_say_that_it_does(
    github: Sandbox, tmp_path: Path, database_url: str
) -> None:
    one_writes_and_the_others_say_so(github, tmp_path, database_url, 2)


@pytest.mark.matrix("database.two-runs")
def test_two_backfills_that_wait_for_each_other_all_end_well_and_one_stores_the_rows(
    github: Sandbox, tmp_path: Path, database_url: str
) -> None:
    each_waits_for_the_one_before(github, tmp_path, database_url, 2)
