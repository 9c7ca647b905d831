"""Loads what repositories have, such as traffic and releases: one repository a transaction."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import NamedTuple

from sync.core import errors
from sync.database import child_reader, child_writer
from sync.database.child_reader import SIGNALS, STATE, StateRow
from sync.database.resource_runs import ResourceCounts, record
from sync.database.run_reader import RunReader
from sync.database.run_transaction import RunTransaction
from sync.forges.answers import CachedPage
from sync.forges.forge import Forge
from sync.load.agenda import Agenda, Candidate, ResourcePlan, State, Task, agenda, requests_left
from sync.load.fetched import Fetched, detail_of, status_of
from sync.load.page_cache import cached_pages
from sync.load.page_log import log_behind, log_lost, log_mended, log_resource, log_waiting
from sync.load.resource_answer import Answered, store_answer
from sync.load.tally import Tally
from sync.load.writer import RunWriter
from sync.resources.figures import Figures
from sync.resources.resource import Due, Resource
from sync.resources.traffic import lost_when
from sync.rest.stats import counted_as

_AT_ONCE = 500  # repositories whose states and remembered pages are read together
_IN_A_ROW = 5  # failures in a row after which the rest of a resource is left for the next run
_REFUSALS = 3  # in a row for one owner, after which its others are left out; owners without any
_QUORUM = 3  # repositories with traffic that show how far GitHub has counted
_DAY = timedelta(days=1)

# Errors that end the run: they do not depend on the repository.
_OF_THE_RUN = (errors.RateLimited, errors.BadCredentials)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A resource to load.

    `by_name`: whether the configuration asks for it by its name. `covers`: whether a
    repository's name is among those wanted. `every`: the time between two requests, in place of
    the resource's own.
    """

    resource: Resource | Figures
    by_name: bool = False
    covers: Callable[[str], bool] = lambda _: True
    every: timedelta | None = None


@dataclass(slots=True)
class Loaded:
    """What a run loaded of the resources.

    `counts`, by resource: as in `resource_runs`. `waiting`: numbers of repositories left for a
    later run because of the quota, by resource. `lost_at`: when the first of what waits is
    lost. `next_at`: when something is due next. `resume_at`: when what is due now can be loaded:
    at once if the run ended early, or after the reset of the quota. `refused_by_name`: resources
    that were asked for by name, and refused. `tallies`: the repositories of each resource.
    """

    counts: dict[str, ResourceCounts] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    lost_at: datetime | None = None
    next_at: datetime | None = None
    resume_at: datetime | None = None
    refused_by_name: tuple[str, ...] = ()

    @property
    def lost_days(self) -> int:
        """The number of days whose figures are gone."""
        return sum(each.lost_days for each in self.counts.values())


def load_resources(
    writer: RunWriter,
    client: Forge,
    choices: Sequence[Choice],
    *,
    full: bool = False,
    eager: bool = False,
    only: Collection[int] | None = None,
    listed: bool = True,
    told: Callable[[str, int], None] = lambda *_: None,
    enough: Callable[[], bool] = lambda: False,
    loaded: Loaded | None = None,
) -> Loaded:
    """Load the due resources of the repositories that the run's account lists.

    Call it after the listing is loaded. It sends no more requests than the quota allows above
    the reserve and the next listing. Each answer is one transaction: rows, changes, counters,
    remembered pages, state. `full` ignores remembered pages. `eager`: a run by hand. `only`: ids
    of repositories, which are read whether or not they are due. `listed`: whether the listing has
    been loaded. `told` is called with the name of the resource after each answer, and the number
    of those to come. When `enough` returns true, no further request is sent. `loaded` is filled
    in and returned, also with what was loaded before an error. An error about one repository
    becomes its state; RateLimited, BadCredentials, Interrupted and DatabaseErrors are raised, and
    stored answers stay.
    """
    loading = [_Loading(number, each) for number, each in enumerate(choices)]
    loaded = Loaded() if loaded is None else loaded
    loader = _Loader(
        *(writer, client, loading, loaded),
        full=full,
        eager=eager,
        only=only,
        listed=listed,
        told=told,
        enough=enough,
    )
    if loading:
        loader.load()
    return loaded


@dataclass(slots=True)
class _Loading:
    """One resource in a run.

    `newest`: the newest day of each part so far. `failed`: failures in a row. `refused`:
    refusals in a row, by owner. `missing`: owners for one of whose repositories there is
    nothing. `found`: whether there is something for anyone.
    """

    number: int
    choice: Choice
    plan: ResourcePlan = field(default_factory=lambda: ResourcePlan(number=0, due=Due(), cost=0))
    counts: ResourceCounts = field(default_factory=ResourceCounts)
    tally: Tally = field(default_factory=Tally)
    newest: Mapping[str, date] = field(default_factory=dict)
    failed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    missing: set[str] = field(default_factory=set)
    found: bool = False

    @property
    def resource(self) -> Resource | Figures:
        return self.choice.resource

    @property
    def is_given_up(self) -> bool:
        """Whether it failed so often that the server seems to be unable to answer."""
        return self.failed >= _IN_A_ROW

    @property
    def is_absent(self) -> bool:
        """Whether the server seems not to have it at all, as an Enterprise Server may."""
        return len(self.missing) >= _REFUSALS and not self.found

    def leaves_out(self, owner: str) -> bool:
        """Return whether refusals of other repositories speak for those of this owner, too."""
        return self.is_absent or self.refused[owner] >= _REFUSALS

    @property
    def paused(self) -> set[tuple[int, str]]:
        """Its number with each owner whose repositories are left out."""
        return {(self.number, who) for who, times in self.refused.items() if times >= _REFUSALS}

    def take(self, fetched: Fetched, answered: Answered) -> None:
        """Count an answer."""
        candidate = fetched.candidate
        self.counts += answered.counts
        self.tally.take(answered, fetched.detail)
        self.failed = self.failed + 1 if answered.status == "failed" else 0
        if answered.status == "missing":
            self.missing.add(candidate.owner)
        before = candidate.state.status if candidate.state else None
        self.found = self.found or "complete" in (before, answered.status)
        refused = answered.status in ("refused", "missing")
        self.refused[candidate.owner] = self.refused[candidate.owner] + 1 if refused else 0
        told = answered.told
        if told is not None and told.newest:
            parts = {*self.newest, *told.newest}
            least = date.min
            self.newest = {
                part: max(self.newest.get(part, least), told.newest.get(part, least))
                for part in parts
            }


class _Pending(NamedTuple):
    """A request in flight. `newest`: that of its resource when it was sent."""

    loading: _Loading
    answer: Future[Fetched]
    newest: Mapping[str, date]


class _Loader:
    def __init__(
        self,
        writer: RunWriter,
        client: Forge,
        loading: Sequence[_Loading],
        loaded: Loaded,
        *,
        full: bool,
        eager: bool,
        only: Collection[int] | None,
        listed: bool,
        told: Callable[[str, int], None],
        enough: Callable[[], bool],
    ) -> None:
        self._writer = writer
        self._client = client
        self._loading = loading
        self._full = full
        self._eager = eager
        self._only = only
        self._listed = listed
        self._told = told
        self._enough = enough
        self._loaded = loaded
        self._computing: datetime | None = None  # when an answer may have been computed
        self._left: Counter[int] = Counter()  # requests still to be made, by resource
        self._unread: dict[tuple[int, int], datetime | None] = {}  # when they are lost

    def load(self) -> None:
        """Load what is due, until nothing is or it is enough."""
        made = Agenda()
        try:
            while not self._enough():
                made = self._agenda()
                if not made.tasks and not self._waits_for_answers():
                    break
                stored = self._load(made.tasks)
                if made.tasks and not stored:  # all that is left is paused
                    break
        finally:
            self._finish(made)

    # What to request

    def _agenda(self) -> Agenda:
        return self._writer.read(self._agenda_by)

    def _agenda_by(self, reader: RunReader) -> Agenda:
        client, named = self._client, {each.resource.name: each for each in self._loading}
        for each in self._loading:
            each.plan = _plan(each, reader, named)
        return agenda(
            [each.plan for each in self._loading if not (each.is_given_up or each.is_absent)],
            partial(self._candidates, reader),
            now=client.clock(),
            budget=self._budget(),
            rights=client.key_of_rights,
            eager=self._eager,
            forced=self._only is not None,
            run_began=self._writer.run.started_at,
            paused={pair for each in self._loading for pair in each.paused},
            listed=self._listed,
        )

    def _candidates(self, reader: RunReader, plan: ResourcePlan) -> Iterator[Candidate]:
        name = self._loading[plan.number].resource.name
        return map(_candidate, child_reader.state_rows(reader, name, self._only))

    def _budget(self) -> int | None:
        """Return the largest number of requests; None for no limit, or one that ends soon."""
        client = self._client
        quota = client.rate_limit
        if quota is None:
            return None
        patience = client.retry.max_wait - client.stats.wait_seconds
        if (quota.reset - client.clock()).total_seconds() <= patience:
            return None
        listing = self._writer.announced_pages or 1
        return max(requests_left(quota, client.reserve, listing=listing), 0)

    def _waits_for_answers(self) -> bool:
        """Wait until GitHub may have computed an answer; return whether there is one."""
        if self._computing is None:
            return False
        seconds = (self._computing - self._client.clock()).total_seconds()
        self._computing = None
        if self._client.stop.wait(max(seconds, 0.0)):
            raise errors.Interrupted("stopped while GitHub computes an answer")
        return True

    # Requests

    def _load(self, tasks: Sequence[Task]) -> int:
        """Request and store, as long as the quota lasts; return the number of answers."""
        stored = 0
        self._left = Counter(task.resource for task in tasks)
        self._unread = {(task.resource, task.repository_id): task.lost_at for task in tasks}
        for loading, fetched, newest in self._fetched(tasks):
            if self._client.stop.is_set():
                raise errors.Interrupted("stopped between two repositories")
            self._store(loading, fetched, newest)
            stored += 1
            self._left[loading.number] -= 1
            self._unread.pop((loading.number, fetched.candidate.id), None)
            self._told(loading.resource.name, len(tasks) - stored)
        return stored

    def _store(self, loading: _Loading, fetched: Fetched, newest: Mapping[str, date]) -> None:
        answered = self._writer.transact(
            partial(_stored, loading, fetched, rights=self._client.key_of_rights, newest=newest)
        )
        loading.take(fetched, answered)
        log_mended(loading.resource.name, fetched.candidate.full_name, fetched.pages)
        if answered.told is not None and answered.told.lost:
            log_lost(loading.resource.name, fetched.candidate.full_name, answered.told.lost)
        if answered.status == "computing" and answered.next_at is not None:
            soon = answered.next_at <= self._client.clock() + timedelta(minutes=2)
            if soon and (self._computing is None or answered.next_at < self._computing):
                self._computing = answered.next_at

    def _fetched(
        self, tasks: Sequence[Task]
    ) -> Iterator[tuple[_Loading, Fetched, Mapping[str, date]]]:
        """Yield the answers in the order of `tasks`, while later requests are in flight."""
        waiting: deque[_Pending] = deque()
        upcoming = iter(tasks)
        try:
            while some := list(islice(upcoming, _AT_ONCE)):
                if self._enough() or self._budget() == 0:
                    break
                for task, candidate, pages in self._details(some):
                    if self._enough():
                        break
                    loading = self._loading[task.resource]
                    if loading.is_given_up:
                        continue
                    if loading.leaves_out(candidate.owner):
                        self._left[task.resource] -= 1  # it does not wait for quota
                        continue
                    future = self._client.in_background(
                        self._fetch, loading.resource, candidate, pages
                    )
                    waiting.append(_Pending(loading, future, loading.newest))
                    while len(waiting) > self._client.concurrency:
                        yield from _answered(waiting.popleft())
            while waiting:
                yield from _answered(waiting.popleft())
        finally:
            for pending in waiting:
                pending.answer.cancel()

    def _details(
        self, tasks: Sequence[Task]
    ) -> Iterator[tuple[Task, Candidate, dict[str, CachedPage]]]:
        """Yield tasks with the repository's state and its remembered pages."""
        ids: dict[int, list[int]] = {}
        for task in tasks:
            ids.setdefault(task.resource, []).append(task.repository_id)
        found = {n: self._writer.read(partial(self._read, n, theirs)) for n, theirs in ids.items()}
        for task in tasks:
            candidates, pages = found[task.resource]
            if task.repository_id in candidates:  # still listed
                known = pages.get(task.repository_id, {})
                yield task, candidates[task.repository_id], cached_pages(known)

    def _read(
        self, number: int, ids: Sequence[int], reader: RunReader
    ) -> tuple[dict[int, Candidate], dict[int, dict[str, dict[str, object]]]]:
        name = self._loading[number].resource.name
        rows = map(_candidate, child_reader.state_rows(reader, name, ids))
        candidates = {each.id: each for each in rows}
        asked = [id_ for id_, each in candidates.items() if each.state and not self._full]
        return candidates, child_reader.remembered(reader, name, asked) if asked else {}

    def _fetch(
        self, resource: Resource | Figures, candidate: Candidate, known: dict[str, CachedPage]
    ) -> Fetched:
        """Request one repository; docs/resources.md lists the meaning of each answer."""
        url = candidate.state.memory.get("next") if candidate.state else None
        try:
            with counted_as(resource.name):
                if isinstance(resource, Resource):
                    pages = self._client.children(resource, candidate.id, known)
                    return Fetched(candidate, "complete", pages)
                parts, error = self._client.figures(resource, candidate.id, known, url)
        except _OF_THE_RUN:
            raise
        except errors.RestError as failure:
            detail = detail_of(failure, resource.needs)
            return Fetched(candidate, status_of(failure), detail=detail, url=url)
        if error is not None:
            detail = detail_of(error, resource.needs)
            return Fetched(candidate, status_of(error), (), parts, detail, url)
        return Fetched(candidate, "complete", parts=parts, url=url)

    # The end

    def _finish(self, made: Agenda) -> None:
        """Record and log the counts."""
        loaded = self._loaded
        lost = (at for at in (made.lost_at, *self._unread.values()) if at is not None)
        loaded.lost_at, loaded.next_at = min(lost, default=None), made.next_at
        for loading in self._loading:
            name = loading.resource.name
            waiting = max(made.waiting[loading.number], self._left[loading.number])
            answers = self._client.stats.about(name)
            counts = replace(
                loading.counts,
                asked=answers.total(),
                not_modified=answers[304],
                deferred=waiting,
            )
            self._writer.transact(partial(_recorded, name, counts))
            loaded.counts[name] = counts
            loaded.tallies[name] = loading.tally
            loading.tally.note_others(loading.number, made)
            if waiting:
                loaded.waiting[name] = waiting
            log_resource(loading.resource, counts)
            self._note_behind(loading)
        loaded.refused_by_name = tuple(
            each.resource.name
            for each in self._loading
            if each.choice.by_name and (each.counts.refused or each.tally.refused)
        )
        loaded.resume_at = self._resume_at()
        log_waiting(loaded.waiting, loaded.lost_at)

    def _resume_at(self) -> datetime | None:
        """Return when the rest of what is due can be loaded; None if nothing is."""
        if self._enough():
            return self._client.clock()
        quota = self._client.rate_limit
        return quota.reset if self._loaded.waiting and quota is not None else None

    def _note_behind(self, loading: _Loading) -> None:
        """Note that GitHub has not counted the latest days yet: their loss comes earlier.

        The answers of the whole day show it: a run may have few.
        """
        if not loading.newest:
            return
        begun = self._writer.run.started_at.date()
        kinds = [each.part for each in loading.resource.endpoints]
        name = loading.resource.name
        newest = self._writer.transact(partial(_behind, name, kinds, begun))
        if newest is not None:
            log_behind(name, newest)


def _answered(pending: _Pending) -> Iterator[tuple[_Loading, Fetched, Mapping[str, date]]]:
    """Yield the answer to a request, unless its resource was given up meanwhile."""
    fetched = pending.answer.result()
    if not pending.loading.is_given_up:
        yield pending.loading, fetched, pending.newest


def _stored(
    loading: _Loading,
    fetched: Fetched,
    transaction: RunTransaction,
    *,
    rights: str,
    newest: Mapping[str, date],
) -> Answered:
    """Store an answer, and what it tells as lost: a run that is killed later has told it."""
    answered = store_answer(
        *(transaction, loading.resource, loading.plan, fetched), rights=rights, newest=newest
    )
    if answered.counts.lost_days:
        record(transaction, loading.resource.name, loading.counts + answered.counts)
    return answered


def _recorded(name: str, counts: ResourceCounts, transaction: RunTransaction) -> None:
    record(transaction, name, counts)


def _behind(
    name: str, kinds: Sequence[str], begun: date, transaction: RunTransaction
) -> date | None:
    """Note when days that GitHub has not counted are lost; return the newest one that it has."""
    repositories, newest = child_reader.counted_since(transaction, name, kinds, begun)
    if newest is None or repositories < _QUORUM or newest >= begun - _DAY:
        return None
    child_writer.note_behind(transaction, name, begun, lost_when(newest + _DAY))
    return newest


def _plan(loading: _Loading, reader: RunReader, loadings: Mapping[str, _Loading]) -> ResourcePlan:
    choice, due = loading.choice, loading.resource.due
    idle: set[int] = set()
    if due.active_by is not None and due.active_by[0] in loadings:
        idle = child_reader.inactive(reader, *due.active_by)
    return ResourcePlan(
        number=loading.number,
        due=due,
        cost=len(loading.resource.endpoints),
        covers=choice.covers,
        every=choice.every,
        inactive=idle,
    )


def _candidate(row: StateRow) -> Candidate:
    state = None
    if row.state is not None:
        told = dict(zip(STATE, row.state, strict=True))
        state = State(memory=child_reader.memory_of(told.pop("cursor")), **told)
    listed = dict(zip(SIGNALS, row.signals, strict=True))
    return Candidate(row.id, row.full_name, row.push, listed, state)
