"""What to request now of the repositories, in order of urgency. No I/O here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil, floor
from typing import Any, NamedTuple

from sync.core.clock import earliest
from sync.forges.limits import RateLimit
from sync.load.due import (
    Candidate,
    ResourcePlan,
    State,
    awaits_proof,
    due_at,
    has_status,
    is_done,
    is_of_run,
    is_refused,
    is_wanted,
    next_of,
)

_SOON_LOST = timedelta(days=3)
# Of an owner's repositories, after which its others are not requested; and of owners who have
# nothing there, after which nobody's are.
REFUSALS = 3


class Task(NamedTuple):
    """A request to make: the number of its resource in the plan, and a repository's id.

    `urgency`: the smallest comes first. `cost`: requests.
    """

    urgency: tuple[float, ...]
    resource: int
    repository_id: int
    cost: int
    lost_at: datetime | None


@dataclass(slots=True)
class Agenda:
    """The requests of this run, in order, and what waits for a later one.

    `waiting`: numbers of repositories, by resource. `lost_at`: when the first of what waits is
    lost. `next_at`: when something is due next. `paused`: repositories that are not requested
    because others of the same owner were refused, by resource. `refused`: those whose refusal
    still holds, `reasons`: its words.
    """

    tasks: list[Task] = field(default_factory=list)
    waiting: Counter[int] = field(default_factory=Counter)
    lost_at: datetime | None = None
    next_at: datetime | None = None
    paused: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    reasons: dict[int, str | None] = field(default_factory=dict)

    def note_refusal(self, resource: int, state: State) -> None:
        """Count a repository whose refusal still holds."""
        if state.status == "refused":
            self.refused[resource] += 1
            self.reasons[resource] = state.detail


def agenda(
    plans: Sequence[ResourcePlan],
    candidates: Callable[[ResourcePlan], Iterable[Candidate]],
    *,
    now: datetime,
    budget: int | None,
    rights: str,
    eager: bool = False,
    forced: bool = False,
    run_began: datetime | None = None,
    paused: Collection[tuple[int, str]] = (),
    listed: bool = True,
) -> Agenda:
    """Return what is due: what is lost first, what was never read, what is overdue, first loads.

    Where the budget does not suffice for all of it, what loses something comes before the rest.
    `budget`: the largest number of requests; None for no limit. `rights`: who asks, by
    `Forge.key_of_rights`. `eager`: a run by hand, which also reads what is nearly due. `forced`:
    the candidates are named by a user, and are read whether or not they are due.
    `run_began`: what was read since is not read again in this run. `paused`: resources and
    owners, whose repositories are left out. `listed`: whether the run has loaded the listing,
    after which what was missing is requested again.
    """
    made = Agenda()
    for plan in plans:
        of_plan = _OfPlan(plan)
        for each in candidates(plan):
            of_plan.note_answer(each, made, rights, now)
            if not is_wanted(plan, each):
                continue
            missed = has_status(each, "missing")
            if is_done(plan, each.state, run_began) or (missed and not (listed or forced)):
                if not missed:  # that waits for the next listing
                    made.next_at = earliest(made.next_at, next_of(plan, each))
                continue
            if (plan.number, each.owner) in paused:
                made.paused[plan.number] += 1
                continue
            since = due_at(plan, each, now, rights=rights, eager=eager)
            if forced and not is_of_run(each.state, run_began):
                since = now
            if since is None or since > now:
                made.next_at = earliest(made.next_at, since)
                continue
            of_plan.due.append((each, _task(plan, each, since, now)))
        of_plan.take_over(made, forced=forced)
    made.tasks.sort()
    if budget is not None and budget < sum(task.cost for task in made.tasks):
        loses = {plan.number for plan in plans if plan.due.lost_after is not None}
        made.tasks.sort(key=lambda task: _in_shortage(task, task.resource in loses))
    _cut(made, budget)
    return made


class _OfPlan:
    """The due repositories of one resource, and the owners whose repositories are refused."""

    def __init__(self, plan: ResourcePlan) -> None:
        self.due: list[tuple[Candidate, Task]] = []
        self._plan = plan
        self._refused: Counter[str] = Counter()  # repositories by owner
        self._answered: set[str] = set()  # owners
        self._missing: set[str] = set()

    def note_answer(self, each: Candidate, made: Agenda, rights: str, now: datetime) -> None:
        """Note a refusal that still holds, or that the owner's repositories are answered."""
        if each.state is None:
            return
        if is_refused(each.state, rights, now):
            self._refused[each.owner] += 1
            made.note_refusal(self._plan.number, each.state)
            if each.state.status == "missing":
                self._missing.add(each.owner)
        elif each.state.status == "complete":
            self._answered.add(each.owner)

    def take_over(self, made: Agenda, *, forced: bool) -> None:
        """Add what is due to the agenda, but what would only be refused like its neighbours."""
        # The server does not seem to have the resource.
        rests = len(self._missing) >= REFUSALS and not self._answered
        for each, task in self.due:
            unread = each.state is None or each.state.checked_at is None
            unread = unread or has_status(each, "missing")
            refused = self._refused[each.owner] >= REFUSALS and each.owner not in self._answered
            if unread and not forced and (rests or refused):
                made.paused[self._plan.number] += 1
            else:
                made.tasks.append(task)


def _task(plan: ResourcePlan, each: Candidate, since: datetime, now: datetime) -> Task:
    lost_at = each.state.lost_at if each.state else None
    return Task(_urgency(plan, each, since, now), plan.number, each.id, plan.cost, lost_at)


def _in_shortage(task: Task, loses: bool) -> tuple[Any, ...]:
    """Return the key by which tasks are ordered where the budget is too small for all.

    What `loses` something if it waits comes before what does not, and what is lost first comes
    before what is overdue for longer.
    """
    lost_at = task.lost_at.timestamp() if task.lost_at else 0.0
    rank = task.urgency[0]
    return (not loses, rank, lost_at if rank else task.urgency[1], task.urgency)


def _cut(made: Agenda, budget: int | None) -> None:
    """Leave what is too much for the budget for a later run."""
    left, kept = budget, len(made.tasks)
    if left is None:
        return
    for at, task in enumerate(made.tasks):
        left -= task.cost
        if left < 0:
            kept = at
            break
    for task in made.tasks[kept:]:
        made.waiting[task.resource] += 1
        made.lost_at = earliest(made.lost_at, task.lost_at)
    del made.tasks[kept:]


def requests_left(quota: RateLimit, reserve: float, listing: int = 0) -> int:
    """Return the quota left above the reserve and the cost of the next listing, in requests."""
    return floor(quota.remaining - ceil(quota.limit * reserve)) - listing


def _urgency(
    plan: ResourcePlan, each: Candidate, since: datetime, now: datetime
) -> tuple[float, ...]:
    """Return the key by which tasks are ordered."""
    state = each.state
    if state is not None and awaits_proof(plan, state):  # mostly a 304, which costs nothing
        return (0, 0.0, plan.number)
    if state is not None and state.lost_at is not None and state.lost_at - now < _SOON_LOST:
        return (0, state.lost_at.timestamp(), plan.number)
    if state is None or state.checked_at is None:
        return (1, plan.number, each.id)
    if state.memory.get("next"):  # the youngest repositories have the fewest pages
        created = each.listed.get("created_at")
        return (3, -created.timestamp() if created else 0.0, each.id)
    interval = plan.interval(state.memory) or plan.due.at_most_every
    return (2, -max((now - since) / interval, 0.0), plan.number)
