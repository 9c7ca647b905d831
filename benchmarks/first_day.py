"""A daemon's first day, hour by hour: `python -m benchmarks.first_day [REPOSITORIES [MS]]`.

In virtual time, with the program's agenda and pace, and a GitHub that takes so many milliseconds
for an answer, and allows 5,000 requests an hour, and 900 of them with 90 s of answers a minute.
"""

from __future__ import annotations

import random
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Any

from sync.config.resources import RESOURCES
from sync.forges.github import protocol
from sync.forges.limits import RateLimit
from sync.load.agenda import Task, agenda, requests_left
from sync.load.due import Candidate, ResourcePlan, State, basis_of, next_check
from sync.resources import BY_NAME, OF_REPOSITORIES

BEGIN = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_DEFAULT = {name for name, on_by_default in RESOURCES if on_by_default}
NAMES = [each.name for each in OF_REPOSITORIES if each.name in _DEFAULT]
_PLANS = [
    ResourcePlan(number=number, due=BY_NAME[name].due, cost=len(BY_NAME[name].endpoints))
    for number, name in enumerate(NAMES)
]
_QUOTA, _RESERVE, _CONCURRENCY = 5_000, 0.1, 4
_NETWORK = 0.03  # seconds
_POINTS, _ANSWERS, _MINUTE = 900, 90.0, 60.0
_PAUSE = timedelta(minutes=10)  # between two readings
# Shares of repositories: with views, with releases, with stars.
_VIEWED, _RELEASED, _STARRED = 0.3, 0.25, 0.4
_WEEKS = 30  # on a page of the history of stars


@dataclass
class Hour:
    """What happened in an hour. `waiting`: repositories at its end, by resource."""

    asked: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    busiest: int = 0
    longest: float = 0.0
    quota: int = _QUOTA
    waiting: Counter[str] = field(default_factory=Counter)


class GitHub:
    """Counts requests as GitHub does: by the hour, and by the last minute before each."""

    def __init__(self, answer: float) -> None:
        self.answer = answer
        self.remaining = _QUOTA
        self.reset = 3600.0
        self._minute: deque[float] = deque()

    def take(self, at: float, hour: Hour) -> None:
        """Take a request at a time in seconds."""
        self.renew(at)
        while self._minute and self._minute[0] <= at - _MINUTE:
            self._minute.popleft()
        self._minute.append(at)
        spent = len(self._minute) * self.answer
        hour.busiest = max(hour.busiest, len(self._minute))
        hour.longest = max(hour.longest, spent)
        hour.refused += len(self._minute) > _POINTS or spent > _ANSWERS or self.remaining == 0
        self.remaining -= 1

    def renew(self, at: float) -> None:
        """Begin the hour anew when it is over."""
        while at >= self.reset:
            self.remaining, self.reset = _QUOTA, self.reset + 3600


class FirstDay:
    """A daemon that begins with repositories of which nothing is stored."""

    def __init__(self, repositories: int, *, answer: float, seed: int = 1) -> None:
        chance = random.Random(seed)
        self._pages = [_pages(chance) for _ in range(repositories)]
        self._viewed = [chance.random() < _VIEWED for _ in range(repositories)]
        self._released = [chance.random() < _RELEASED for _ in range(repositories)]
        self._known = [[self._candidate(id_) for id_ in range(repositories)] for _ in NAMES]
        self._listing = -(-repositories // 100)
        self._pace = protocol.pace()
        self._github = GitHub(answer)
        self._flying: list[tuple[float, float]] = []  # end and duration
        self._now = 0.0
        self.hours = [Hour() for _ in range(24)]

    def _candidate(self, id_: int) -> Candidate:
        listed = {
            "pushed_at": BEGIN - DAY,
            "created_at": BEGIN - max(self._pages[id_], 1) * _WEEKS * 7 * DAY,
            "stargazers_count": self._pages[id_],
            "forks_count": 0,
        }
        return Candidate(id_, f"octo/{id_}", True, listed, None)

    def pass_by(self) -> list[Hour]:
        """Let 24 hours pass."""
        for _ in range(self._listing):
            self._send("listing")
        while self._now < 24 * 3600:
            self._read()
        return self.hours

    def _read(self) -> None:
        """Read what is due, as far as the quota lasts; then wait for more of either."""
        paused = self._now + _PAUSE.total_seconds()
        while True:
            self._github.renew(self._now)
            made = agenda(
                self._plans(),
                lambda plan: self._known[plan.number],
                now=self._time,
                budget=self._budget(),
                rights="token",
            )
            if not made.tasks:
                break
            for task in made.tasks:
                self._make(task)
                if self._now >= 24 * 3600:
                    return
        until = max(paused, self._github.reset if made.waiting else paused)
        while self._now < until:
            if self._now < 24 * 3600:
                hour = self.hours[int(self._now // 3600)]
                hour.quota = self._github.remaining
                hour.waiting = Counter({NAMES[n]: left for n, left in made.waiting.items()})
            self._now = min(until, (self._now // 3600 + 1) * 3600)

    @property
    def _time(self) -> datetime:
        return BEGIN + timedelta(seconds=self._now)

    def _plans(self) -> Sequence[ResourcePlan]:
        traffic = NAMES.index("traffic")
        idle = {
            each.id
            for each in self._known[traffic]
            if each.state is not None and not each.state.memory["viewed"]
        }
        return [replace(plan, inactive=idle) if plan.due.active_by else plan for plan in _PLANS]

    def _budget(self) -> int:
        quota = RateLimit(limit=_QUOTA, remaining=self._github.remaining, reset=self._time)
        return max(requests_left(quota, _RESERVE, listing=self._listing), 0)

    def _make(self, task: Task) -> None:
        """Send the requests of a task and note its answer."""
        number, id_ = task.resource, task.repository_id
        for _ in range(task.cost):
            self._send(NAMES[number])
        before, plan = self._known[number][id_], _PLANS[number]
        memory = self._memory(NAMES[number], before)
        now = self._time
        at = next_check(plan, "complete", repository_id=id_, memory=memory, failures=0, now=now)
        lost_at = now + plan.due.lost_after if plan.due.lost_after else None
        basis = basis_of(plan.due, before.listed)
        state = State("complete", now, at, lost_at, basis, memory, 0)
        self._known[number][id_] = before._replace(state=state)

    def _memory(self, name: str, before: Candidate) -> dict[str, Any]:
        """Return what an answer leaves for the next one."""
        old = before.state.memory if before.state else {}
        has = self._viewed if name == "traffic" else self._released
        idle = 0 if has[before.id] else old.get("idle", 0) + 1
        if name == "traffic":
            return {"idle": idle, "viewed": int(has[before.id])}
        page = old.get("page", 0) + 1
        if name == "stars" and page < self._pages[before.id]:
            return {"page": page, "next": "the address of a page"}
        return {"idle": idle if name == "downloads" else 0}

    def _send(self, name: str) -> None:
        """Send a request as soon as one more may be in flight and the pace allows it."""
        while True:
            while self._flying and self._flying[0][0] <= self._now:
                end, duration = heappop(self._flying)
                self._pace.note_answer(end, duration)
                self._pace.end()
            ends = self._flying[0][0] if self._flying else float("inf")
            if len(self._flying) >= _CONCURRENCY:
                self._now = ends
                continue
            wait = self._pace.wait(self._now)
            if wait <= 0:
                break
            self._now = min(self._now + wait, ends)
        self._pace.begin()
        hour = self.hours[min(int(self._now // 3600), 23)]
        self._github.take(self._now + _NETWORK / 2, hour)
        hour.asked[name] += 1
        hour.quota = self._github.remaining
        duration = self._github.answer + _NETWORK
        heappush(self._flying, (self._now + duration, duration))


def _pages(chance: random.Random) -> int:
    """Return the number of pages of the history of stars: none, or by the age in years."""
    if chance.random() >= _STARRED:
        return 0
    return -(-int(chance.uniform(0.1, 10) * 52.2) // _WEEKS)


def table(hours: Sequence[Hour]) -> Iterator[str]:
    """Yield the lines of a table of the hours."""
    columns = ("hour", "requests", *NAMES, "quota left", "most in a minute", "refused")
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for number, hour in enumerate(hours, start=1):
        told = (f"{hour.asked[name]:,} ({hour.waiting[name]:,})" for name in NAMES)
        busiest = f"{hour.busiest}, {hour.longest:.0f} s"
        yield (
            f"| {number} | {hour.asked.total():,} | {' | '.join(told)} | {hour.quota:,} "
            f"| {busiest} | {hour.refused} |"
        )


def main() -> None:
    given = [int(text) for text in sys.argv[1:]]
    repositories, milliseconds = (*given, *(10_000, 120)[len(given) :])
    print(f"{repositories:,} repositories, {milliseconds} ms an answer")
    print("In brackets: how many repositories wait at the end of the hour.")
    for line in table(FirstDay(repositories, answer=milliseconds / 1000).pass_by()):
        print(line)


if __name__ == "__main__":
    main()
