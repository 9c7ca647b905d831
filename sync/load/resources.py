"""Loads what repositories have, such as traffic and releases: one repository a transaction."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import NamedTuple

from sync.core import errors
from sync.database import child_writer
from sync.database.resource_runs import ResourceCounts
from sync.database.run_reader import RunReader
from sync.forges.forge import Forge
from sync.load.agenda import Agenda, Task, agenda, requests_left
from sync.load.candidates import candidates, details, plan_of
from sync.load.counted import note_behind, note_counted
from sync.load.due import Candidate, ResourcePlan
from sync.load.fetched import Fetched
from sync.load.fetching import fetch
from sync.load.loading import Choice, Loaded, Loading, recorded, stored
from sync.load.page_log import log_lost, log_mended, log_resource, log_waiting
from sync.load.writer import RunWriter

_AT_ONCE = 500  # repositories whose states and remembered pages are read together


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
    named = only is not None
    loading = [Loading(number, each, named=named) for number, each in enumerate(choices)]
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


class _Pending(NamedTuple):
    """A request in flight. `newest`: that of its resource when it was sent."""

    loading: Loading
    answer: Future[Fetched]
    newest: Mapping[str, date]


class _Loader:
    def __init__(
        self,
        writer: RunWriter,
        client: Forge,
        loading: Sequence[Loading],
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
        for loading in self._loading:
            note_counted(loading, self._writer)
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
            each.plan = plan_of(each, reader, named)
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
        return candidates(reader, self._loading[plan.number].resource.name, self._only)

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
        answers = 0
        self._left = Counter(task.resource for task in tasks)
        self._unread = {(task.resource, task.repository_id): task.lost_at for task in tasks}
        for loading, fetched, newest in self._fetched(tasks):
            if self._client.stop.is_set():
                raise errors.Interrupted("stopped between two repositories")
            self._store(loading, fetched, newest)
            answers += 1
            self._left[loading.number] -= 1
            self._unread.pop((loading.number, fetched.candidate.id), None)
            self._told(loading.resource.name, len(tasks) - answers)
        return answers

    def _store(self, loading: Loading, fetched: Fetched, newest: Mapping[str, date]) -> None:
        answered = self._writer.transact(
            partial(stored, loading, fetched, rights=self._client.key_of_rights, newest=newest)
        )
        loading.take(fetched, answered)
        if self._only is not None:
            self._loaded.note_named(fetched.candidate.id, answered.status)
        log_mended(loading.resource.name, fetched.candidate.full_name, fetched.pages)
        if answered.told is not None and answered.told.lost:
            log_lost(loading.resource.name, fetched.candidate.full_name, answered.told.lost)
        if answered.status == "computing" and answered.next_at is not None:
            soon = answered.next_at <= self._client.clock() + timedelta(minutes=2)
            if soon and (self._computing is None or answered.next_at < self._computing):
                self._computing = answered.next_at

    def _fetched(
        self, tasks: Sequence[Task]
    ) -> Iterator[tuple[Loading, Fetched, Mapping[str, date]]]:
        """Yield the answers in the order of `tasks`, while later requests are in flight."""
        waiting: deque[_Pending] = deque()
        upcoming = iter(tasks)
        try:
            while some := list(islice(upcoming, _AT_ONCE)):
                if self._enough() or self._budget() == 0:
                    break
                for task, candidate, pages in details(
                    self._writer, self._loading, some, full=self._full
                ):
                    if self._enough():
                        break
                    loading = self._loading[task.resource]
                    if loading.is_given_up:
                        continue
                    if loading.leaves_out(candidate.owner):
                        self._left[task.resource] -= 1  # it does not wait for quota
                        continue
                    future = self._client.in_background(
                        partial(fetch, self._client), loading.resource, candidate, pages
                    )
                    waiting.append(_Pending(loading, future, loading.newest))
                    while len(waiting) > self._client.concurrency:
                        yield from _answered(waiting.popleft())
            while waiting:
                yield from _answered(waiting.popleft())
        finally:
            for pending in waiting:
                pending.answer.cancel()

    # The end

    def _finish(self, made: Agenda) -> None:
        """Record and log the counts."""
        loaded = self._loaded
        lost = (at for at in (made.lost_at, *self._unread.values()) if at is not None)
        loaded.lost_at, loaded.next_at = min(lost, default=None), made.next_at
        counts = {each.resource.name: self._counts_of(each, made) for each in self._loading}
        self._writer.transact(partial(recorded, counts))
        loaded.counts.update(counts)
        for loading in self._loading:
            name = loading.resource.name
            loaded.tallies[name] = loading.tally
            loading.tally.note_others(loading.number, made)
            if counts[name].deferred:
                loaded.waiting[name] = counts[name].deferred
            log_resource(loading.resource, counts[name])
            if loading.newest and counts[name].asked:
                note_behind(loading, self._writer)
            if loading.is_given_up:
                self._writer.transact(partial(child_writer.note_outage, name))
        loaded.refused_by_name = tuple(
            each.resource.name
            for each in self._loading
            if each.choice.by_name and (each.counts.refused or each.tally.refused)
        )
        loaded.resume_at = self._resume_at()
        log_waiting(loaded.waiting, loaded.lost_at)

    def _counts_of(self, loading: Loading, made: Agenda) -> ResourceCounts:
        answers = self._client.stats.about(loading.resource.name)
        return replace(
            loading.counts,
            asked=answers.total(),
            not_modified=answers[304],
            deferred=max(made.waiting[loading.number], self._left[loading.number]),
        )

    def _resume_at(self) -> datetime | None:
        """Return when the rest of what is due can be loaded; None if nothing is."""
        if self._enough():
            return self._client.clock()
        quota = self._client.rate_limit
        return quota.reset if self._loaded.waiting and quota is not None else None


def _answered(pending: _Pending) -> Iterator[tuple[Loading, Fetched, Mapping[str, date]]]:
    """Yield the answer to a request, unless its resource was given up meanwhile."""
    fetched = pending.answer.result()
    if not pending.loading.is_given_up:
        yield pending.loading, fetched, pending.newest
