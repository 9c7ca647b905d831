"""The repositories for which a resource is due, in order of urgency. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from math import ceil, floor
from typing import Literal, NamedTuple

import msgspec

from sync.database.changelog import as_text
from sync.database.child_reader import ListedRepository, ResourceState
from sync.forges.limits import RateLimit
from sync.resources.resource import Due

Status = Literal["complete", "empty", "missing", "off", "refused", "blocked", "failed"]

_DAY = timedelta(days=1)
# How long to wait after these answers, unless a field that the resource depends on changes.
_PAUSES: Mapping[Status, timedelta] = {
    "refused": _DAY,
    "blocked": _DAY,
    "off": timedelta(days=7),
    "missing": timedelta(0),  # the next listing decides whether the repository is still there
}


class Task(NamedTuple):
    """A repository to request, with the state of its last request."""

    repository_id: int
    basis: str
    state: ResourceState | None


class Agenda(NamedTuple):
    """The requests of this run, and the number of repositories deferred to a later one."""

    tasks: tuple[Task, ...]
    deferred: int


def agenda(
    due: Due,
    repositories: Iterable[ListedRepository],
    states: Mapping[int, ResourceState],
    *,
    now: datetime,
    budget: int | None,
) -> Agenda:
    """Return the due repositories: those never requested, then those requested longest ago.

    `states` are by repository id. `budget`: the largest number of requests; None for no limit.
    """
    tasks = [Task(each.id, basis_of(each), states.get(each.id)) for each in repositories]
    tasks = [task for task in tasks if _is_due(due, task, now)]
    tasks.sort(key=_urgency)
    kept = tasks if budget is None else tasks[: max(budget, 0)]
    return Agenda(tuple(kept), len(tasks) - len(kept))


def basis_of(repository: ListedRepository) -> str:
    """Return the fields that a resource depends on, as text for `resource_states.basis`."""
    return msgspec.json.encode([as_text(value) for value in repository.values]).decode()


def requests_left(quota: RateLimit | None, reserve: float) -> int | None:
    """Return the quota left above the reserve, in requests; None if no limit is known."""
    return None if quota is None else floor(quota.remaining - ceil(quota.limit * reserve))


def next_check(due: Due, status: Status, failures: int, now: datetime) -> datetime | None:
    """Return the time of the next request; None if only a changed field makes it due."""
    if status == "failed":
        longest = due.every or _DAY
        return now + min(timedelta(hours=2 ** min(failures - 1, 9)), longest)
    if status in _PAUSES:
        return now + _PAUSES[status]
    return None if due.every is None else now + due.every


def _is_due(due: Due, task: Task, now: datetime) -> bool:
    state = task.state
    if state is None or state.checked_at is None or state.checked_at > now:  # > now: wrong clock
        return True
    if due.when_changed and state.basis != task.basis:
        return True
    return state.next_at is not None and state.next_at <= now


def _urgency(task: Task) -> tuple[bool, datetime | None, int]:
    known = task.state is not None and task.state.checked_at is not None
    return known, task.state.checked_at if known and task.state else None, task.repository_id
