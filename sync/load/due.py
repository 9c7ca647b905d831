"""When a resource of a repository is due. No I/O here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

import msgspec

from sync.core.clock import earliest
from sync.database.changelog import as_text
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

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
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
_COMPUTING_LATER = _HOUR
COMPUTING_FOR = timedelta(days=3)  # then it is unavailable
_LONGEST = timedelta(days=90)  # no next time is further away
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePlan:
    """A resource that is switched on, as the agenda needs it.

    `number`: its place in the order of resources. `covers`: whether a repository's name is
    among those that the configuration wants. `every`: the time between two requests, in place
    of the resource's own. `inactive`: repositories for which another resource showed that there
    is nothing to read. `shows`: whether that one is still read of a repository, by its name.
    `counted`: parts of which some answer shows how far GitHub has counted.
    """

    number: int
    due: Due
    cost: int
    covers: Callable[[str], bool] = lambda _: True
    every: timedelta | None = None
    inactive: Collection[int] = ()
    shows: Callable[[str], bool] = lambda _: True
    counted: Collection[str] = ()

    def interval(self, memory: Mapping[str, Any]) -> timedelta | None:
        """Return the time between two requests; None if only a change makes it due."""
        if self.every is not None:
            return self.every
        idle = memory.get("idle", 0) >= self.due.idle_after
        return self.due.idle_every if idle and self.due.idle_every else self.due.every


def basis_of(due: Due, listed: Mapping[str, Any]) -> str:
    """Return the fields that a resource depends on, as text for `resource_states.basis`."""
    return msgspec.json.encode([as_text(listed[name]) for name in due.when_changed]).decode()


def pushed_at(listed: Mapping[str, Any]) -> str | None:
    """Return the time of the last push, by which an empty repository is read again."""
    return as_text(listed["pushed_at"])


def next_check(
    plan: ResourcePlan,
    status: Status,
    *,
    repository_id: int,
    memory: Mapping[str, Any],
    failures: int,
    now: datetime,
    lost_at: datetime | None = None,
) -> datetime | None:
    """Return the time of the next request; None if only a change makes it due.

    `lost_at`: when something is lost that is not read by then.
    """
    interval = plan.interval(memory)
    if status == "computing":
        again = failures <= len(_COMPUTING)
        return now + (timedelta(seconds=_COMPUTING[failures - 1]) if again else _COMPUTING_LATER)
    if status == "failed":
        pause = min(timedelta(hours=2 ** min(failures - 1, 9)), interval or _DAY)
        return now + (pause if lost_at is None else min(pause, _patience(lost_at - now)))
    if status in _PAUSES:
        return now + _PAUSES[status]
    if status == "empty":
        return None
    at = None if interval is None else _slot(plan, repository_id, now + interval)
    if "again_at" in memory:
        at = earliest(at, datetime.fromisoformat(memory["again_at"]))
    return at


def _patience(left: timedelta) -> timedelta:
    """Return the longest pause after a failure: the shortest ones while something is being lost.

    Long after that time, a day is lost with each further day.
    """
    return min(max(abs(left) / 4, _HOUR), _DAY)


def _slot(plan: ResourcePlan, repository_id: int, at: datetime) -> datetime:
    """Return the time of day at which a repository is read, nearest to `at`.

    So the work of a day is spread over it. More frequent requests have no time of their own. One
    that is rarer than every week is not later than `at`: half a day may be what is lost then.
    """
    interval = plan.every or plan.due.every
    if interval is None or interval < _DAY:
        return at
    text = f"{plan.number} {repository_id}".encode()
    share = int.from_bytes(blake2b(text, digest_size=4).digest()) / 2**32
    midnight = datetime.combine(at.date(), time(), UTC)
    times = [midnight + (share + day) * _DAY for day in (-1, 0, 1)]
    if interval > 7 * _DAY:
        return max(moment for moment in times if moment <= at)
    return min(times, key=lambda moment: abs(moment - at))


def is_wanted(plan: ResourcePlan, each: Candidate) -> bool:
    """Return whether a resource of a repository is to be read at all."""
    due = plan.due
    if not plan.covers(each.full_name) or (due.needs_push and each.push is False):
        return False
    if each.id in plan.inactive and plan.shows(each.full_name):
        return False
    stored = each.state is not None and each.state.checked_at is not None
    return stored or due.not_if_zero is None or each.listed[due.not_if_zero] != 0


def has_status(each: Candidate, status: Status) -> bool:
    """Return whether the last answer has this status."""
    return each.state is not None and each.state.status == status


def is_done(plan: ResourcePlan, state: State | None, run_began: datetime | None) -> bool:
    """Return whether this run has read it, and is not to go on with it."""
    if state is None or not is_of_run(state, run_began):
        return False
    return not (goes_on(state) or awaits_proof(plan, state) or state.status == "computing")


def is_of_run(state: State | None, run_began: datetime | None) -> bool:
    """Return whether the state is the result of a request of this run."""
    if state is None or state.checked_at is None or run_began is None:
        return False
    return state.checked_at >= run_began


def goes_on(state: State) -> bool:
    """Return whether the last answer was good, and named a page that is still to be read."""
    return state.status == "complete" and bool(state.memory.get("next"))


def awaits_proof(plan: ResourcePlan, state: State) -> bool:
    """Return whether the last answer would be proof now that another one has shown a day.

    So it is after an outage: who is asked first shows nothing.
    """
    unproven = state.memory.get("unproven", ())
    return state.status == "complete" and any(each in plan.counted for each in unproven)


def is_refused(state: State, rights: str, now: datetime) -> bool:
    """Return whether a refusal still holds."""
    if state.status not in ("refused", "missing") or state.checked_at is None:
        return False
    is_recent = state.checked_at <= now < state.checked_at + _DAY
    return is_recent and state.memory.get("rights") == rights


def due_at(
    plan: ResourcePlan, each: Candidate, now: datetime, *, rights: str, eager: bool
) -> datetime | None:
    """Return since when a repository is due, or will be; None if only a change makes it due."""
    state = each.state
    if state is None or state.checked_at is None or state.checked_at > now:  # > now: wrong clock
        return datetime.min.replace(tzinfo=UTC)
    if goes_on(state) or awaits_proof(plan, state):
        return now
    if state.status == "refused" and state.memory.get("rights") != rights:
        return now
    at = next_of(plan, each)
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


def next_of(plan: ResourcePlan, each: Candidate) -> datetime | None:
    """Return the stored time of the next request, if it can be true."""
    state = each.state
    if state is None or state.next_at is None or state.checked_at is None:
        return None
    longest, interval = max(_LONGEST, plan.every or _DAY), plan.interval(state.memory)
    if state.status == "complete" and interval is not None:
        longest = interval + _DAY  # by its slot
    return min(state.next_at, state.checked_at + longest)
