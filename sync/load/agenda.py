"""What to request now of the repositories, in order of urgency. No I/O here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from hashlib import blake2b
from math import ceil, floor
from typing import Any, Literal, NamedTuple

import msgspec

from sync.database.changelog import as_text
from sync.forges.limits import RateLimit
from sync.resources.resource import Due

Status = Literal[
    "complete",
    "computing",
    "empty",
    "missing",
    "off",
    "refused",
    "too_large",
    "blocked",
    "failed",
    "unavailable",
]

_DAY = timedelta(days=1)
# How long to wait after these answers, unless something that they depend on changes.
_PAUSES: Mapping[Status, timedelta] = {
    "refused": _DAY,
    "blocked": _DAY,
    "off": timedelta(days=7),
    "too_large": timedelta(days=30),
    "unavailable": timedelta(days=7),
    "missing": timedelta(0),  # the next listing decides whether the repository is still there
}
_COMPUTING = (5, 20, 60)  # seconds before each request in the same run
_COMPUTING_LATER = timedelta(hours=1)
COMPUTING_FOR = timedelta(days=3)  # then it is unavailable
_LONGEST = timedelta(days=90)  # no next time is further away
_SOON_LOST = timedelta(days=3)
# Of an owner's repositories, after which its others are not requested; and of owners who have
# nothing there, after which nobody's are.
_REFUSALS = 3
_EAGER = 0.95  # share of the time between two requests after which a run by hand reads again


class State(NamedTuple):
    """The result of the last request for a resource of a repository."""

    status: str
    checked_at: datetime | None
    next_at: datetime | None
    lost_at: datetime | None
    basis: str | None
    memory: Mapping[str, Any]
    failures: int
    detail: str | None = None


class Candidate(NamedTuple):
    """A repository that the account lists, with the state of one of its resources.

    `push`: whether the user may push; None if GitHub has not said so. `listed`: the fields that
    resources depend on.
    """

    id: int
    full_name: str
    push: bool | None
    listed: Mapping[str, Any]
    state: State | None

    @property
    def owner(self) -> str:
        """The login of the repository's owner."""
        return self.full_name.partition("/")[0]


class Task(NamedTuple):
    """A request to make: the number of its resource in the plan, and a repository's id.

    `urgency`: the smallest comes first. `cost`: requests.
    """

    urgency: tuple[float, ...]
    resource: int
    repository_id: int
    cost: int
    lost_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePlan:
    """A resource that is switched on, as the agenda needs it.

    `number`: its place in the order of resources. `covers`: whether a repository's name is
    among those that the configuration wants. `every`: the time between two requests, in place
    of the resource's own. `inactive`: repositories for which another resource shows that there
    is nothing to read.
    """

    number: int
    due: Due
    cost: int
    covers: Callable[[str], bool] = lambda _: True
    every: timedelta | None = None
    inactive: Collection[int] = ()

    def interval(self, memory: Mapping[str, Any]) -> timedelta | None:
        """Return the time between two requests; None if only a change makes it due."""
        if self.every is not None:
            return self.every
        idle = memory.get("idle", 0) >= self.due.idle_after
        return self.due.idle_every if idle and self.due.idle_every else self.due.every


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
        found: list[tuple[Candidate, Task]] = []
        refused: Counter[str] = Counter()
        answered: set[str] = set()
        missing: set[str] = set()  # owners
        for each in candidates(plan):
            if each.state is not None:
                if _is_refused(each.state, rights, now):
                    refused[each.owner] += 1
                    made.note_refusal(plan.number, each.state)
                    if each.state.status == "missing":
                        missing.add(each.owner)
                elif each.state.status == "complete":
                    answered.add(each.owner)
            if not _is_wanted(plan, each):
                continue
            missed = _has_status(each, "missing")
            if _is_done(each.state, run_began) or (missed and not (listed or forced)):
                if not missed:  # that waits for the next listing
                    made.next_at = _earliest(made.next_at, _next_of(plan, each))
                continue
            if (plan.number, each.owner) in paused:
                made.paused[plan.number] += 1
                continue
            since = _due_at(plan, each, now, rights=rights, eager=eager)
            if forced and not _is_of_run(each.state, run_began):
                since = now
            if since is None or since > now:
                made.next_at = _earliest(made.next_at, since)
                continue
            lost_at = each.state.lost_at if each.state else None
            urgency = _urgency(plan, each, since, now)
            found.append((each, Task(urgency, plan.number, each.id, plan.cost, lost_at)))
        rests = len(missing) >= _REFUSALS and not answered  # the server does not have the resource
        for each, task in found:
            unread = each.state is None or each.state.checked_at is None
            unread = unread or _has_status(each, "missing")
            by_owner = refused[each.owner] >= _REFUSALS and each.owner not in answered
            if unread and not forced and (rests or by_owner):
                made.paused[plan.number] += 1
            else:
                made.tasks.append(task)
    made.tasks.sort()
    if budget is not None and budget < sum(task.cost for task in made.tasks):
        loses = {plan.number for plan in plans if plan.due.lost_after is not None}
        made.tasks.sort(key=lambda task: _in_shortage(task, task.resource in loses))
    _cut(made, budget)
    return made


def _in_shortage(task: Task, loses: bool) -> tuple[Any, ...]:
    """Return the key by which tasks are ordered where the budget is too small for all.

    What `loses` something if it waits comes before what does not, and what is lost first comes
    before what is overdue for longer.
    """
    lost_at = task.lost_at.timestamp() if task.lost_at else 0.0
    return (not loses, task.urgency[0], lost_at, task.urgency)


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
        made.lost_at = _earliest(made.lost_at, task.lost_at)
    del made.tasks[kept:]


def basis_of(due: Due, listed: Mapping[str, Any]) -> str:
    """Return the fields that a resource depends on, as text for `resource_states.basis`."""
    return msgspec.json.encode([as_text(listed[name]) for name in due.when_changed]).decode()


def pushed_at(listed: Mapping[str, Any]) -> str | None:
    """Return the time of the last push, by which an empty repository is read again."""
    return as_text(listed["pushed_at"])


def requests_left(quota: RateLimit, reserve: float, listing: int = 0) -> int:
    """Return the quota left above the reserve and the cost of the next listing, in requests."""
    return floor(quota.remaining - ceil(quota.limit * reserve)) - listing


def next_check(
    plan: ResourcePlan,
    status: Status,
    *,
    repository_id: int,
    memory: Mapping[str, Any],
    failures: int,
    now: datetime,
) -> datetime | None:
    """Return the time of the next request; None if only a change makes it due."""
    interval = plan.interval(memory)
    if status == "computing":
        again = failures <= len(_COMPUTING)
        return now + (timedelta(seconds=_COMPUTING[failures - 1]) if again else _COMPUTING_LATER)
    if status == "failed":
        return now + min(timedelta(hours=2 ** min(failures - 1, 9)), interval or _DAY)
    if status in _PAUSES:
        return now + _PAUSES[status]
    if status == "empty":
        return None
    at = None if interval is None else _slot(plan, repository_id, now + interval)
    if "again_at" in memory:
        at = _earliest(at, datetime.fromisoformat(memory["again_at"]))
    return at


def _slot(plan: ResourcePlan, repository_id: int, at: datetime) -> datetime:
    """Return the time of day at which a repository is read, nearest to `at`.

    So the work of a day is spread over it. More frequent requests have no time of their own.
    """
    interval = plan.every or plan.due.every
    if interval is None or interval < _DAY:
        return at
    text = f"{plan.number} {repository_id}".encode()
    share = int.from_bytes(blake2b(text, digest_size=4).digest()) / 2**32
    midnight = datetime.combine(at.date(), time(), UTC)
    times = (midnight + (share + day) * _DAY for day in (-1, 0, 1))
    return min(times, key=lambda moment: abs(moment - at))


def _is_wanted(plan: ResourcePlan, each: Candidate) -> bool:
    due = plan.due
    if not plan.covers(each.full_name) or (due.needs_push and each.push is False):
        return False
    if each.id in plan.inactive:
        return False
    stored = each.state is not None and each.state.checked_at is not None
    return stored or due.not_if_zero is None or each.listed[due.not_if_zero] != 0


def _has_status(each: Candidate, status: Status) -> bool:
    return each.state is not None and each.state.status == status


def _is_done(state: State | None, run_began: datetime | None) -> bool:
    """Return whether this run has read it, and is not to go on with it."""
    if state is None or not _is_of_run(state, run_began):
        return False
    return not (_goes_on(state) or state.status == "computing")


def _is_of_run(state: State | None, run_began: datetime | None) -> bool:
    """Return whether the state is the result of a request of this run."""
    if state is None or state.checked_at is None or run_began is None:
        return False
    return state.checked_at >= run_began


def _goes_on(state: State) -> bool:
    """Return whether the last answer was good, and named a page that is still to be read."""
    return state.status == "complete" and bool(state.memory.get("next"))


def _is_refused(state: State, rights: str, now: datetime) -> bool:
    """Return whether a refusal still holds."""
    if state.status not in ("refused", "missing") or state.checked_at is None:
        return False
    is_recent = state.checked_at <= now < state.checked_at + _DAY
    return is_recent and state.memory.get("rights") == rights


def _due_at(
    plan: ResourcePlan, each: Candidate, now: datetime, *, rights: str, eager: bool
) -> datetime | None:
    """Return since when a repository is due, or will be; None if only a change makes it due."""
    state = each.state
    if state is None or state.checked_at is None or state.checked_at > now:  # > now: wrong clock
        return datetime.min.replace(tzinfo=UTC)
    if _goes_on(state):
        return now
    if state.status == "refused" and state.memory.get("rights") != rights:
        return now
    at = _next_of(plan, each)
    if state.status == "complete":
        interval = plan.interval(state.memory)
        if eager and interval is not None:
            early = state.checked_at + _EAGER * interval
            at = early if at is None else min(at, early)
        if plan.due.when_changed and state.basis != basis_of(plan.due, each.listed):
            share = _EAGER if eager else 1.0
            at = state.checked_at + share * (plan.every or plan.due.at_most_every)
    elif state.status == "empty" and state.memory.get("pushed_at") != pushed_at(each.listed):
        at = now
    return at


def _next_of(plan: ResourcePlan, each: Candidate) -> datetime | None:
    """Return the stored time of the next request, if it can be true."""
    state = each.state
    if state is None or state.next_at is None or state.checked_at is None:
        return None
    longest, interval = max(_LONGEST, plan.every or _DAY), plan.interval(state.memory)
    if state.status == "complete" and interval is not None:
        longest = interval + _DAY  # by its slot
    return min(state.next_at, state.checked_at + longest)


def _urgency(
    plan: ResourcePlan, each: Candidate, since: datetime, now: datetime
) -> tuple[float, ...]:
    """Return the key by which tasks are ordered."""
    state = each.state
    if state is not None and state.lost_at is not None and state.lost_at - now < _SOON_LOST:
        return (0, state.lost_at.timestamp(), plan.number)
    if state is None or state.checked_at is None:
        return (1, plan.number, each.id)
    if state.memory.get("next"):  # the youngest repositories have the fewest pages
        created = each.listed.get("created_at")
        return (3, -created.timestamp() if created else 0.0, each.id)
    interval = plan.interval(state.memory) or plan.due.at_most_every
    return (2, -max((now - since) / interval, 0.0), plan.number)


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((each for each in (one, other) if each is not None), default=None)
