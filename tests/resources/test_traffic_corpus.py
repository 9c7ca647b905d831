"""Four years of real readings of one repository's traffic, replayed in their own time."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.resources.visits import DAY, Value, Visits, answer
from tests.stand_in import StandIn
from tests.support.database import HandClock, rows, values
from tests.support.inside.database import RunCounts, Store
from tests.support.inside.github import Limits, Pace
from tests.support.inside.load import Choice, RunWriter, load_resources
from tests.support.inside.resources import TRAFFIC, TRAFFIC_POPULAR

_BESIDE = Path(__file__).parents[3] / "shared" / "corpus"
FILE = Path(os.environ.get("REPOLEDGER_TEST_CORPUS", _BESIDE)) / "traffic.jsonl.gz"
KINDS, LISTS = ("views", "clones"), {"referrers": "referrer", "paths": "path"}

# This answer began with 1 February: it left out the five days before without any sign of it.
# Who has read nothing else of these days cannot know that they were no zeros.
CUT_SHORT = date(2022, 2, 9)
LEFT_OUT = {date(2022, 1, 27) + number * DAY for number in range(5)}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        not FILE.exists(), reason="no corpus of real readings; $REPOLEDGER_TEST_CORPUS names it"
    ),
]

Days = dict[date, Value]
Replay = Callable[[Iterable[dict[str, Any]]], Visits]


@pytest.fixture(scope="module")
def readings() -> list[dict[str, Any]]:
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture
def replay(github: StandIn, new_sqlite_ledger: Path, tmp_path: Path) -> Replay:
    """Return what reads each of these readings at its time, into a new ledger."""

    def play(given: Iterable[dict[str, Any]]) -> Visits:
        given = list(given)
        file = shutil.copyfile(new_sqlite_ledger, tmp_path / "ledger.db")
        clock = HandClock(datetime.fromisoformat(given[0]["read_at"]) - timedelta(hours=1))
        visits = Visits(github, f"sqlite:///{file}", clock)
        limits = Limits()
        limits.keep_pace(Pace(points=10**9, seconds=1e9, window=60.0))
        with Store(visits.url, clock=clock) as store, visits.client() as client:
            client.limits = limits
            for each in given:
                clock.now = datetime.fromisoformat(each["read_at"])
                serve(visits, each)
                run = store.start_run("me", client.host, "test")
                resources = [TRAFFIC, TRAFFIC_POPULAR] if "paths" in each else [TRAFFIC]
                every = timedelta(minutes=10)
                load_resources(
                    RunWriter(run, store, client.stats),
                    client,
                    [Choice(resource=resource, every=every) for resource in resources],
                    full=True,
                )
                store.finish_run(run, status="succeeded", counts=RunCounts(), complete=False)
        github.clear_requests()
        return visits

    return play


def serve(visits: Visits, reading: dict[str, Any]) -> None:
    for kind in KINDS:
        days = {date.fromisoformat(day): (c, u) for day, c, u in reading[kind]}
        visits.github.set_child(visits.rid, f"traffic/{kind}", answer(kind, days))
    for name, field in LISTS.items():
        told = [
            dict(zip((field, "count", "uniques"), r, strict=True)) for r in reading.get(name, ())
        ]
        visits.github.set_child(visits.rid, f"traffic/popular/{name}", told)


def largest(given: Iterable[dict[str, Any]], kind: str) -> Days:
    """Return the largest values that these readings tell of each day."""
    found: Days = {}
    for each in given:
        for text, count, uniques in each[kind]:
            day = date.fromisoformat(text)
            before = found.get(day, (0, 0))
            found[day] = (max(count, before[0]), max(uniques, before[1]))
    return found


def sums(days: Days) -> tuple[int, int, int]:
    return sum(c for c, _ in days.values()), sum(u for _, u in days.values()), len(days)


def test_every_reading_is_stored_and_the_days_that_vanished_in_september_2021_stay(
    replay: Replay, readings: list[dict[str, Any]]
) -> None:
    visits = replay(readings)
    assert sums(visits.stored("views")) == (41341, 9828, 1283)
    assert sums(visits.stored("clones")) == (12822, 5552, 1193)
    for kind in KINDS:
        assert visits.stored(kind) == largest(readings, kind)
        check_known(visits, readings, readings, kind)
    (before, *gone) = [r for r in readings if "2021-09-21" <= r["read_at"] < "2021-09-24"]
    vanished = set(largest([before], "views")) - set(largest(gone, "views"))
    assert len(vanished) >= 2
    assert all(visits.known("views")[day][0] > 0 for day in vanished)
    for name, field in LISTS.items():
        assert held(visits, name, field) == {
            datetime.fromisoformat(each["read_at"]).date(): [tuple(row) for row in each[name]]
            for each in readings
            if name in each
        }


@pytest.mark.parametrize(
    ("kept", "seed"), [(0.5, 0), (0.2, 0), (0.2, 1), *((0.05, seed) for seed in range(6))]
)
def test_with_readings_left_out_days_are_unknown_and_never_wrong(
    replay: Replay, readings: list[dict[str, Any]], kept: float, seed: int
) -> None:
    rng = Random(seed)
    given = [each for each in readings if rng.random() < kept]
    visits = replay(given)
    for kind in KINDS:
        check_known(visits, given, readings, kind)


def test_what_one_cut_short_answer_leaves_out_is_unknown_to_who_has_read_those_days(
    replay: Replay, readings: list[dict[str, Any]]
) -> None:
    """The day 28 January was read; the three after it, with the cut answer alone."""
    days = {datetime.fromisoformat(each["read_at"]).date(): each for each in readings}
    visits = replay([days[date(2022, 1, 28)], days[CUT_SHORT], days[date(2022, 2, 15)]])
    for kind in KINDS:
        known = visits.known(kind)
        assert [day for day, value in known.items() if value == (0, 0)] == []
        assert LEFT_OUT.isdisjoint(day for day in known if day > date(2022, 1, 27))


def check_known(
    visits: Visits, given: list[dict[str, Any]], every: list[dict[str, Any]], kind: str
) -> None:
    """What is known is what the given readings tell; no 0 where any reading tells more."""
    told, known, ever = largest(given, kind), visits.known(kind), largest(every, kind)
    assert {day: value for day, value in known.items() if value != told.get(day, (0, 0))} == {}
    zeros = {day for day, value in known.items() if value == (0, 0)}
    assert zeros & set(ever) <= LEFT_OUT
    assert not (zeros & set(ever)) or not (zeros & set(told))
    assert provable(given, kind) == set(known)
    assert in_view(visits, kind) == known


def in_view(visits: Visits, kind: str) -> Days:
    """Return the days that `traffic_daily` shows a value of."""
    columns = f"day, {kind}, {kind.removesuffix('s')}_uniques"
    shown = values(visits.url, f"SELECT {columns} FROM traffic_daily WHERE {kind} IS NOT NULL")
    return {date.fromisoformat(str(day)): (count, uniques) for day, count, uniques in shown}


def provable(given: list[dict[str, Any]], kind: str) -> set[date]:
    """Return the days that a later reading covers, unless it leaves out what was told before."""
    found: set[date] = set()
    before: set[date] = set()
    for each in given:
        read_on = datetime.fromisoformat(each["read_at"]).date()
        here = set(largest([each], kind))
        first = read_on - 13 * DAY
        newest = max(here, default=first - DAY)
        if not any(first <= day < newest for day in before - here):
            found |= {first + n * DAY for n in range(13) if first + n * DAY <= newest}
        before |= here
    return found


def held(visits: Visits, name: str, field: str) -> dict[date, list[tuple[str, int, int]]]:
    """Return the set that held on each day of a reading."""
    sets: dict[str, list[tuple[str, int, int]]] = {}
    for row in rows(visits.url, f"SELECT * FROM traffic_{name} ORDER BY read_on, position"):
        sets.setdefault(str(row["read_on"]), []).append((row[field], row["count"], row["uniques"]))
    return {
        day: sets.get(str(window["newest_day"]), []) for day, window in visits.windows(name).items()
    }
