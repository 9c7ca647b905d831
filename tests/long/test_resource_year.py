"""A year with outages of GitHub, of the daemon and of the quota: what is lost, and what is told."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.stand_in import StandIn
from tests.support.ledger_year import DAYS, KINDS, LedgerYear
from tests.support.traffic_year import Year, a_year

# In a real ledger; 1,000 take half an hour on a machine of one's own.
REPOSITORIES = int(os.environ.get("REPOLEDGER_TEST_YEAR_REPOSITORIES", "40"))

pytestmark = pytest.mark.timeout(1200 + 20 * REPOSITORIES)


@pytest.mark.parametrize("seed", [1])
def test_the_agenda_loses_what_no_reading_could_have_saved_and_tells_each_day_once(
    seed: int,
) -> None:
    year = a_year(seed, repositories=1000)
    lost = year.lost()
    print(f"{len(year.runs)} runs, {year.readings_made} readings, {len(lost)} days lost")
    check(year)


def test_a_ledger_loses_what_no_reading_could_have_saved_and_knows_every_other_day(
    github: StandIn, new_sqlite_ledger: Path, tmp_path: Path
) -> None:
    file = shutil.copyfile(new_sqlite_ledger, tmp_path / "ledger.db")
    scene = LedgerYear(github, f"sqlite:///{file}", repositories=REPOSITORIES, seed=1)
    scene.pass_by()
    year, lost = scene.year, scene.year.lost()
    causes = scene.causes(lost)
    print(f"{REPOSITORIES} repositories, {DAYS} days: {len(scene.moments)} runs,")
    print(f"{year.readings_made} readings, {len(lost)} days lost")
    print(*(f"{number} since {cause}" for cause, number in causes.most_common()), sep="\n")
    assert len(causes) == 5
    check(year)
    number = year.told.total()
    assert scene.counted_as_lost() == {"outcomes": number, "ledger": number, "status": number}
    unknown, wrong = set(), {}
    for kind in KINDS:
        for id_ in scene.ids:
            truth = scene.figures_of(id_, kind)
            for day, figure in scene.figures(id_, kind):
                if figure is None:
                    unknown.add((id_, day))
                elif figure != truth(day):
                    wrong[id_, day] = figure
    assert wrong == {}
    assert unknown == set(year.told)


def check(year: Year) -> None:
    """Every day is told once that is lost, or of which readings left open if it was zero."""
    lost, left_open = year.lost(), year.left_open()
    print(f"{len(left_open)} days were read, but not proven to be zero before an outage")
    assert lost <= set(year.told)
    assert len(left_open) < len(lost) / 100
    assert set(year.told.values()) == {1}
    assert year.could_have_been_saved() == {}
