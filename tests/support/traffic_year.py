"""A year of readings of traffic in virtual time: the agenda, and a GitHub in plain Python.

GitHub stalls, the daemon is off, and the quota is small, each now and then. No I/O.
"""

from __future__ import annotations

import json
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial
from operator import attrgetter
from typing import Any, NamedTuple, Self

from tests.support.inside.load import Candidate, ResourcePlan, State, agenda, next_check
from tests.support.inside.resources import DOWNLOADS, TRAFFIC, Answer, Asked, Told, lost_when

BEGIN = datetime(2025, 1, 1, 7, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WHOLE_DAYS = 13  # before today, which GitHub tells whole
EARLIEST, EARLIEST_IDLE = DAY / 2, 4.5 * DAY
LATEST, LATEST_IDLE = 1.5 * DAY, 5.5 * DAY  # between two readings, and half a day to spread them
AMPLE = 4_400  # requests of a run, of 5,000 an hour
_PLANS = (
    ResourcePlan(number=0, due=TRAFFIC.due, cost=2),
    ResourcePlan(number=1, due=DOWNLOADS.due, cost=1),
)
_LISTED = {"pushed_at": None, "created_at": None, "stargazers_count": 0, "forks_count": 0}
_QUORUM = 3  # repositories with traffic that show how far GitHub has counted
TRAFFIC_COST = len(TRAFFIC.endpoints)
_at = attrgetter("at")


class Span(NamedTuple):
    """From one time until another."""

    begin: datetime
    end: datetime

    @classmethod
    def drawn(
        cls, chance: random.Random, days: int, number: int, least: int, most: int
    ) -> tuple[Self, ...]:
        """Return so many spans within so many days, each of `least` to `most` days."""
        begins = [BEGIN + chance.random() * days * DAY for _ in range(number)]
        return tuple(cls(at, at + chance.uniform(least, most) * DAY) for at in sorted(begins))

    def holds(self, moment: datetime) -> bool:
        return self.begin <= moment < self.end


@dataclass(frozen=True)
class Troubles:
    """When GitHub counts nothing, when the daemon is off, when the quota of a run is small."""

    stalls: tuple[Span, ...]
    off: tuple[Span, ...]
    scarce: tuple[tuple[Span, int], ...]

    @classmethod
    def drawn(cls, chance: random.Random, days: int, repositories: int) -> Self:
        spans = partial(Span.drawn, chance, days)
        shares = [max(TRAFFIC_COST, repositories * each // 1000) for each in (20, 60, 200)]
        scarce = tuple((each, chance.choice(shares)) for each in spans(9, 1, 20))
        return cls(spans(12, 1, 7), spans(5, 3, 25), scarce)

    def newest(self, now: datetime) -> date:
        """Return the newest day that GitHub tells."""
        begun = [stall.begin.date() - DAY for stall in self.stalls if stall.holds(now)]
        return min(begun, default=now.date())

    def budget(self, now: datetime) -> int:
        return min((number for span, number in self.scarce if span.holds(now)), default=AMPLE)

    def runs(
        self, chance: random.Random, days: int, hours: tuple[int, int] = (2, 6)
    ) -> Iterator[datetime]:
        """Yield the times of the daemon's runs, every few hours while it is on."""
        now = BEGIN
        while now < BEGIN + days * DAY:
            if not any(span.holds(now) for span in self.off):
                yield now
            now += chance.uniform(*hours) * HOUR


class Reading(NamedTuple):
    """A reading of a repository's traffic; `lost_at` is when more would have been lost."""

    at: datetime
    newest: date
    lost_at: datetime | None

    def tells(self, day: date) -> bool:
        """Whether it tells a day that is over, and tells it whole."""
        today = self.at.date()
        return day <= self.newest and today - WHOLE_DAYS * DAY <= day < today


class Run(NamedTuple):
    """A run: what it spent for others than traffic, and what it had left.

    `safest`: the latest time of loss among what it has read.
    """

    at: datetime
    newest: date
    safest: datetime | None
    elsewhere: int
    left: int


@dataclass
class Year:
    """What came of a year.

    `told`: days that were said to be lost, by repository. `idle`: repositories without traffic.
    """

    idle: set[int]

    runs: list[Run] = field(default_factory=list)
    told: Counter[tuple[int, date]] = field(default_factory=Counter)
    readings: dict[int, list[Reading]] = field(default_factory=dict)

    @property
    def readings_made(self) -> int:
        """The number of readings."""
        return sum(map(len, self.readings.values()))

    def lost(self) -> set[tuple[int, date]]:
        """Return the days that no reading has told, and none can any more."""
        return {
            (id_, day)
            for id_, readings in self.readings.items()
            for day in days_between(
                readings[0].at.date(), readings[-1].at.date() - WHOLE_DAYS * DAY
            )
            if not any(each.tells(day) for each in readings)
        }

    def left_open(self) -> set[tuple[int, date]]:
        """Return days that were told as lost, although a reading told them."""
        return self.told.keys() - self.lost()

    def could_have_been_saved(self) -> dict[tuple[int, date], list[str]]:
        """Return lost days that a run could have read in time, with the first such runs."""
        could = {(id_, day): [*self.could_be_saved(id_, day)][:3] for id_, day in self.told}
        return {where: runs for where, runs in sorted(could.items()) if runs}

    def could_be_saved(self, id_: int, day: date) -> Iterator[str]:
        """Yield the runs that could have read a repository in time for a day; none if none could.

        They are those in which it was due by its rhythm and GitHub told the day, and that had
        quota left, or spent it where less was at stake: on what loses nothing, or on a repository
        whose days were all safe for longer.
        """
        mine = self.readings[id_]
        read_at = {each.at for each in mine}
        rhythm = LATEST_IDLE if id_ in self.idle else LATEST
        finished = datetime.combine(day + DAY, time(), UTC)
        ends = day + (WHOLE_DAYS + 1) * DAY
        for run in self.runs[bisect_left(self.runs, finished, key=_at) :]:
            if run.at.date() >= ends:
                return
            if run.at in read_at:
                continue  # it was read, and left open whether there was anything
            last = mine[bisect_left(mine, run.at, key=_at) - 1]
            was_due = last.at + rhythm <= run.at
            if not was_due or not Reading(run.at, run.newest, None).tells(day):
                continue
            if run.left >= TRAFFIC_COST:
                yield f"{run.at}: {run.left} requests were left"
            if run.elsewhere >= TRAFFIC_COST:
                yield f"{run.at}: {run.elsewhere} requests were for what loses nothing"
            if run.safest is not None and run.safest.date() > ends:
                yield f"{run.at}: days were read that were safe until {run.safest}"


def a_year(seed: int, *, repositories: int, days: int = 365) -> Year:
    """Have a daemon read the traffic of so many repositories, three of ten with any."""
    chance = random.Random(seed)
    troubles = Troubles.drawn(chance, days, repositories)
    rates = [chance.choice((0, 0, 0, 0, 0, 0, 0, 1, 3, 10)) for _ in range(repositories)]
    daemon = _Daemon(troubles, rates)
    for now in troubles.runs(chance, days):
        daemon.run(now)
    return daemon.year


class _Daemon:
    """Reads what is due. `known`: the states of traffic, and of downloads, which lose nothing."""

    def __init__(self, troubles: Troubles, rates: Sequence[int]) -> None:
        self._troubles = troubles
        self._rates = rates
        self._known = [
            [Candidate(id_, f"octo/{id_}", True, _LISTED, None) for id_ in range(len(rates))]
            for _ in _PLANS
        ]
        self._today: dict[int, date] = {}  # the newest day of repositories read today
        self.year = Year({id_ for id_, rate in enumerate(rates) if not rate})

    def run(self, now: datetime) -> None:
        budget, newest = self._troubles.budget(now), self._troubles.newest(now)
        made = agenda(
            _PLANS, lambda plan: self._known[plan.number], now=now, budget=budget, rights="token"
        )
        readings: dict[int, Reading] = {}
        if self.year.runs and self.year.runs[-1].at.date() < now.date():
            self._today.clear()
        counted: dict[str, date] = {}  # the newest day of any repository, by part
        for task in made.tasks:
            id_, memory, lost_at = task.repository_id, {"idle": 0}, None
            if task.resource == 0:
                told = self._read(id_, now, newest, counted)
                readings[id_] = Reading(now, newest, task.lost_at)
                self.year.readings.setdefault(id_, []).append(readings[id_])
                self.year.told.update((id_, day) for day in told.lost)
                memory, lost_at = dict(told.memory), told.lost_at
                if told.newest:
                    self._today[id_] = max(told.newest.values())
                for part, day in told.newest.items():
                    counted[part] = max(day, counted.get(part, day))
            self._note(task.resource, id_, now, memory, lost_at)
        if len(self._today) >= _QUORUM and max(self._today.values()) < now.date() - DAY:
            self._note_behind(now.date(), lost_when(max(self._today.values()) + DAY))
        spent = sum(task.cost for task in made.tasks)
        elsewhere = spent - TRAFFIC_COST * len(readings)
        losses = [each.lost_at for each in readings.values() if each.lost_at is not None]
        safest = max(losses, default=None)
        self.year.runs.append(Run(now, newest, safest, elsewhere, budget - spent))

    def _read(self, id_: int, now: datetime, newest: date, counted: dict[str, date]) -> Told:
        state, rate = self._known[0][id_].state, self._rates[id_]
        answers = [
            Answer("views", _body("views", rate, id_ % 7, now.date(), newest)),
            Answer("clones", _body("clones", rate, id_ % 7, now.date(), newest)),
        ]
        memory, lost_at = (state.memory, state.lost_at) if state else ({}, None)
        return TRAFFIC.read(answers, Asked(id_, now, now, _LISTED, memory, lost_at, dict(counted)))

    def _note(
        self, number: int, id_: int, now: datetime, memory: dict[str, Any], lost_at: datetime | None
    ) -> None:
        plan, known = _PLANS[number], self._known[number]
        at = next_check(plan, "complete", repository_id=id_, memory=memory, failures=0, now=now)
        state = State("complete", now, at, lost_at, None, memory, 0)
        known[id_] = known[id_]._replace(state=state)

    def _note_behind(self, today: date, lost_at: datetime) -> None:
        for id_, known in enumerate(self._known[0]):
            state = known.state
            if state is None or state.checked_at is None or state.lost_at is None:
                continue
            if state.checked_at.date() == today and state.lost_at > lost_at:
                self._known[0][id_] = known._replace(state=state._replace(lost_at=lost_at))


@cache
def _body(kind: str, rate: int, variant: int, today: date, newest: date) -> bytes:
    """Return GitHub's answer; the day that is cut by the window is left out, and so are zeros."""
    found = [
        (day, rate + (day.toordinal() * 7 + variant) % 5)
        for day in days_between(today - WHOLE_DAYS * DAY, min(today, newest) + DAY)
        if rate and (day.toordinal() + variant) % (12 - rate) != 0
    ]
    days = [{"timestamp": f"{day}T00:00:00Z", "count": count, "uniques": 1} for day, count in found]
    total = sum(count for _, count in found)
    return json.dumps({"count": total, "uniques": total and 1, kind: days}).encode()


def settled(readings: Sequence[Reading]) -> Iterator[date]:
    """Yield the days since the first reading that were told, or can be told no more."""
    yield from days_between(readings[0].at.date(), readings[-1].at.date() - WHOLE_DAYS * DAY)


def days_between(begin: date, end: date) -> Iterator[date]:
    """Yield the days from one until before another."""
    for number in range((end - begin).days):
        yield begin + number * DAY
