"""The same year in a ledger: the program's own runs, against a stand-in in virtual time.

What GitHub was asked and what it could tell is noted apart from the ledger, to compare.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from structlog.testing import capture_logs

from sync.rest import RetryPolicy
from tests.conftest import TOKEN
from tests.stand_in import StandIn
from tests.support.database import HandClock, values
from tests.support.inside.config import ResourceSetting
from tests.support.inside.database import RESOURCES_ONLY, Ledger, Store
from tests.support.inside.github import GitHubClient, Limits, Pace
from tests.support.inside.load import Choice
from tests.support.inside.resources import BY_NAME, DOWNLOADS, TRAFFIC, lost_when
from tests.support.runs import fill, sync
from tests.support.traffic_year import (
    BEGIN,
    DAY,
    EARLIEST,
    EARLIEST_IDLE,
    HOUR,
    WHOLE_DAYS,
    Reading,
    Run,
    Span,
    Troubles,
    Year,
    days_between,
    settled,
)

KINDS = ("views", "clones")
DAYS = 365
_LIMIT, _RESERVE, _AMPLE = 5_000, 0.1, 4_400
_ON_A_PAGE = 100
_ASKED = re.compile(r"/repositories/(\d+)/(traffic/views|releases)")
Figure = tuple[int, int]  # count and uniques


class LedgerYear:
    """Runs of a daemon through a year, and what came of them."""

    def __init__(self, github: StandIn, url: str, *, repositories: int, seed: int) -> None:
        chance = random.Random(seed)
        self.url = url
        self.github, self.clock = github, HandClock(BEGIN)
        self.troubles = Troubles.drawn(chance, DAYS, repositories)
        longest = max(self.troubles.off, key=lambda off: off.end - off.begin).begin
        stalls = (*self.troubles.stalls, Span(longest - 5 * DAY, longest))
        self.troubles = replace(self.troubles, stalls=stalls)
        self._down = Span.drawn(chance, DAYS, 3, 1, 17)  # every answer is a 503
        self._broken = Span.drawn(chance, DAYS, 3, 1, 17)  # every answer about traffic is a 502
        github.now = self.clock
        github.keep_requests = False
        github.on_request = lambda request: self._note(request.path)
        github.set_scopes(TOKEN, ("public_repo",))
        self.ids = fill(github, repositories)
        rates = [chance.choice((0, 0, 0, 0, 0, 0, 0, 1, 3, 10)) for _ in self.ids]
        self.rates = dict(zip(self.ids, rates, strict=True))
        self._tell_the_truth()
        self._names = {f"octo/repo-{number:04}": id_ for number, id_ in enumerate(self.ids)}
        self._asked: list[tuple[int, str]] = []  # ids and routes, in the present run
        self.year = Year({id_ for id_, rate in self.rates.items() if not rate})
        self.moments = list(self.troubles.runs(chance, DAYS, hours=(4, 8)))
        self._lost_by_outcome = 0

    def _tell_the_truth(self) -> None:
        for id_, rate in self.rates.items():
            for kind in KINDS if rate else ():
                self.github.set_traffic(id_, kind, self.figures_of(id_, kind))

    def figures_of(self, id_: int, kind: str) -> Any:
        """Return the function of a day that says how often a repository was visited."""
        rate, shift = self.rates[id_], KINDS.index(kind) * 3 + id_

        def of(day: date) -> Figure:
            number = day.toordinal()
            if not rate or (number + shift) % (12 - rate) == 0:
                return (0, 0)
            count = 40 * rate + (number * 7 + shift) % 50
            return (count, count // 3)

        return of

    def pass_by(self) -> None:
        """Let the year pass, run by run."""
        choices = tuple(Choice(resource=each) for each in (TRAFFIC, DOWNLOADS))
        listed: date | None = None
        with Store(self.url, clock=self.clock) as store:
            for now in self.moments:
                lists = listed != now.date()
                if self._run(store, now, choices, lists=lists):
                    listed = now.date()

    def _run(
        self, store: Store, now: datetime, choices: tuple[Choice, ...], *, lists: bool
    ) -> bool:
        """Let the program run once; return whether it succeeded."""
        self.clock.now = now
        newest, budget = self.troubles.newest(now), self.troubles.budget(now)
        self._set_github(now, newest, budget, lists=lists)
        self._asked.clear()
        with self._client() as client, capture_logs() as events:
            outcome = sync(
                client,
                store,
                resources=choices,
                lists=lists,
                trigger="schedule" if lists else RESOURCES_ONLY,
            )
        self._lost_by_outcome += outcome.loaded.lost_days
        self.year.told.update(self._told_in(events))
        is_down = self._is_within(self._down, now)
        assert outcome.status == "failed" if is_down else outcome.status in ("succeeded", "partial")
        if not (is_down or self._is_within(self._broken, now)):
            self._note_run(now, newest, lists=lists)
        return not is_down

    def _client(self) -> GitHubClient:
        """Return a client whose pace does not hold it back: the hours between runs do not pass."""
        limits = Limits()
        limits.keep_pace(Pace(points=10**9, seconds=1e9, window=60.0))
        return GitHubClient(
            token=TOKEN,
            api_url=self.github.url,
            retry=RetryPolicy(attempts=1),
            clock=self.clock,
            reserve=_RESERVE,
            limits=limits,
        )

    def _kept(self, *, lists: bool) -> int:
        """Return the requests that a run leaves: the reserve, and the next listing."""
        pages = -(-len(self.ids) // _ON_A_PAGE) if lists else 1
        return int(_LIMIT * _RESERVE) + pages

    def _set_github(self, now: datetime, newest: date, budget: int, *, lists: bool) -> None:
        github = self.github
        github.stall_traffic(None if newest == now.date() else newest)
        remaining = self._kept(lists=lists) + budget if budget < _AMPLE else _LIMIT
        github.set_quota(TOKEN, limit=_LIMIT, remaining=remaining, reset=now + HOUR)
        github.forgive()
        if self._is_within(self._down, now):
            github.fail(10**9, 503)
        elif self._is_within(self._broken, now):
            github.fail(10**9, 502, "/repositories/*/traffic/*")

    @staticmethod
    def _is_within(given: Iterable[Span], now: datetime) -> bool:
        return any(each.holds(now) for each in given)

    def _note(self, path: str) -> None:
        if found := _ASKED.fullmatch(path):
            self._asked.append((int(found[1]), found[2]))

    def _note_run(self, now: datetime, newest: date, *, lists: bool) -> None:
        """Note what GitHub was asked, and what it had left."""
        asked = [id_ for id_, route in self._asked if route == "traffic/views"]
        read = dict.fromkeys(asked)
        losses = []
        for id_ in read:
            mine = self.year.readings.setdefault(id_, [])
            lost_at = None
            if mine:
                last = mine[-1]
                lost_at = lost_when(min(last.at.date(), last.newest + DAY))
                if now - last.at > (EARLIEST_IDLE if id_ in self.year.idle else EARLIEST):
                    losses.append(lost_at)  # else it is asked again for proof, with a free 304
            mine.append(Reading(now, newest, lost_at))
        left = self.github.quota(self.github.token(TOKEN)).remaining - self._kept(lists=lists)
        elsewhere = len(self._asked) - len(asked)
        self.year.runs.append(Run(now, newest, max(losses, default=None), elsewhere, left))

    def _told_in(self, events: Iterable[Any]) -> Iterator[tuple[int, date]]:
        """Yield the days that these events tell as lost."""
        for each in events:
            if each["event"] == "resource.lost":
                first, last = (date.fromisoformat(each[end]) for end in ("first", "last"))
                days = list(days_between(first, last + DAY))
                assert len(days) == each["days"]
                yield from ((self._names[each["repository"]], day) for day in days)

    # What must be true afterwards

    def counted_as_lost(self) -> dict[str, int]:
        """Return the number of lost days as each place tells it."""
        (stored,) = values(self.url, "SELECT sum(lost_days) FROM resource_runs")[0]
        settings = dict.fromkeys(BY_NAME, ResourceSetting(on=True, by_name=False))
        with Ledger(self.url, clock=self.clock) as ledger:
            found = ledger.resources({"me": settings})
        status = sum(each.lost_days for each in found)
        return {"outcomes": self._lost_by_outcome, "ledger": int(stored or 0), "status": status}

    def figures(self, id_: int, kind: str) -> Iterator[tuple[date, Figure | None]]:
        """Yield what the ledger says of each day that was either read or lost; None is unknown."""
        days = set(settled(self.year.readings[id_]))
        columns = f"day, {kind}, {kind.removesuffix('s')}_uniques"
        query = f"SELECT {columns} FROM traffic_daily WHERE repository_id = {id_} ORDER BY day"
        for text, count, uniques in values(self.url, query):
            day = date.fromisoformat(str(text))
            if day in days:
                yield day, None if count is None else (count, uniques)

    def cause_of(self, id_: int, day: date) -> str:
        """Return why no reading could tell a day."""
        chances = [at for at in self.moments if day < at.date() <= day + WHOLE_DAYS * DAY]
        if not chances:
            return "the daemon was off"
        if not (chances := [at for at in chances if self.troubles.newest(at) >= day]):
            return "GitHub was behind"
        if all(self._is_within((*self._down, *self._broken), at) for at in chances):
            return "GitHub was down"
        scarce = [span for span, _ in self.troubles.scarce]
        if any(self._is_within(scarce, at) for at in chances):
            return "the quota was short"
        return "an outage began before the next reading was due"

    def causes(self, lost: Iterable[tuple[int, date]]) -> Counter[str]:
        """Count lost days by their cause."""
        return Counter(self.cause_of(*each) for each in lost)
