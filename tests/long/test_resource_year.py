"""A year with outages of GitHub, of the daemon and of the quota: what is lost, and what is told."""

from __future__ import annotations

import pytest

from tests.support.traffic_year import a_year

pytestmark = pytest.mark.timeout(1200)


@pytest.mark.parametrize("seed", [1])
def test_the_agenda_loses_what_no_reading_could_have_saved_and_tells_each_day_once(
    seed: int,
) -> None:
    year = a_year(seed, repositories=1000)
    lost = year.lost()
    print(f"{len(year.runs)} runs, {year.readings_made} readings, {len(lost)} days lost")
    assert set(year.told) == lost
    assert set(year.told.values()) == {1}
    could = {(id_, day): [*year.could_be_saved(id_, day)][:3] for id_, day in sorted(lost)}
    assert {where: runs for where, runs in could.items() if runs} == {}
