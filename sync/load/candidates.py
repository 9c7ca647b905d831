"""The repositories that a resource may be requested of."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial

from sync.database import child_reader
from sync.database.child_reader import SIGNALS, STATE, StateRow
from sync.database.run_reader import RunReader
from sync.forges.answers import CachedPage
from sync.load.agenda import Task
from sync.load.due import Candidate, ResourcePlan, State
from sync.load.loading import Loading
from sync.load.page_cache import cached_pages
from sync.load.writer import RunWriter


def plan_of(loading: Loading, reader: RunReader, loadings: Mapping[str, Loading]) -> ResourcePlan:
    """Return when a resource is due. `loadings`: those of the run, by name."""
    choice, due = loading.choice, loading.resource.due
    idle: set[int] = set()
    shows = choice.covers
    if due.active_by is not None and due.active_by[0] in loadings:
        idle = child_reader.inactive(reader, *due.active_by)
        shows = loadings[due.active_by[0]].choice.covers
    return ResourcePlan(
        number=loading.number,
        due=due,
        cost=len(loading.resource.endpoints),
        covers=choice.covers,
        every=choice.every,
        inactive=idle,
        shows=shows,
        counted=loading.newest.keys(),
    )


def candidates(
    reader: RunReader, resource: str, ids: Collection[int] | None = None
) -> Iterator[Candidate]:
    """Yield the repositories that the account lists, in order of ids. `ids`: these alone."""
    return map(_candidate, child_reader.state_rows(reader, resource, ids))


def details(
    writer: RunWriter, loading: Sequence[Loading], tasks: Sequence[Task], *, full: bool
) -> Iterator[tuple[Task, Candidate, dict[str, CachedPage]]]:
    """Yield tasks with the repository's state and its remembered pages; with `full` without."""
    ids: dict[int, list[int]] = {}
    for task in tasks:
        ids.setdefault(task.resource, []).append(task.repository_id)
    found = {
        number: writer.read(partial(_read, loading[number].resource.name, theirs, full=full))
        for number, theirs in ids.items()
    }
    for task in tasks:
        repositories, pages = found[task.resource]
        if task.repository_id in repositories:  # still listed
            known = pages.get(task.repository_id, {})
            yield task, repositories[task.repository_id], cached_pages(known)


def _read(
    resource: str, ids: Sequence[int], reader: RunReader, *, full: bool
) -> tuple[dict[int, Candidate], dict[int, dict[str, dict[str, object]]]]:
    found = {each.id: each for each in candidates(reader, resource, ids)}
    asked = [id_ for id_, each in found.items() if each.state and not full]
    return found, child_reader.remembered(reader, resource, asked) if asked else {}


def _candidate(row: StateRow) -> Candidate:
    state = None
    if row.state is not None:
        told = dict(zip(STATE, row.state, strict=True))
        state = State(memory=child_reader.memory_of(told.pop("cursor")), **told)
    listed = dict(zip(SIGNALS, row.signals, strict=True))
    return Candidate(row.id, row.full_name, row.push, listed, state)
