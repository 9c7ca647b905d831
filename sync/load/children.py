"""Loads the resources of repositories, such as releases: one repository a transaction."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import NamedTuple

from sync.core import errors
from sync.database import child_reader, child_writer
from sync.database.child_writer import NewState
from sync.database.resource_runs import ResourceCounts, record
from sync.database.run_transaction import RunTransaction
from sync.database.tables import LONGEST_KEY
from sync.database.writes import PageEntry
from sync.forges.answers import CachedPage, ChildPage
from sync.forges.forge import Forge
from sync.load.agenda import Status, Task, agenda, next_check, requests_left
from sync.load.child_page import store_items, store_set
from sync.load.page_cache import cached_pages
from sync.load.page_log import log_resource
from sync.load.writer import RunWriter
from sync.resources.resource import Due, Resource, Shape

_AT_ONCE = 500  # repositories whose remembered pages are read together
_IN_A_ROW = 5  # failures in a row after which the rest is deferred to the next run

# Errors that end the run: they do not depend on the repository.
_OF_THE_RUN = (errors.RateLimited, errors.BadCredentials, errors.ForeignOrigin)


class Fetched(NamedTuple):
    """The answer for a repository: its pages, or the status that stands for an error."""

    task: Task
    status: Status
    pages: tuple[ChildPage, ...] = ()
    detail: str | None = None


def load_children(
    writer: RunWriter, client: Forge, resources: Sequence[Resource], *, full: bool = False
) -> dict[str, ResourceCounts]:
    """Load `resources` for the due repositories that the run's account lists.

    Call it after the listing is loaded. It sends no more requests than the quota allows above
    the reserve. Each answer is one transaction: rows, changes, counters, remembered pages,
    state. `full` ignores remembered pages. An error about one repository becomes the
    repository's state; RateLimited, BadCredentials, ForeignOrigin, Interrupted and
    DatabaseErrors are raised, and stored answers stay. Returns the counts by resource name, as
    recorded in `resource_runs`.
    """
    done: dict[str, ResourceCounts] = {}
    for resource in resources:
        loading = _Loading(writer, client, resource)
        try:
            loading.load(full=full)
        finally:
            done[resource.name] = loading.finish()
    return done


class _Loading:
    """The loading of one resource in a run."""

    def __init__(self, writer: RunWriter, client: Forge, resource: Resource) -> None:
        self._writer = writer
        self._client = client
        self._resource = resource
        self._due = resource.due or Due()
        self._counts = ResourceCounts()
        self._before = client.stats.requests, client.stats.not_modified

    def load(self, *, full: bool) -> None:
        """Request and store the resource for each due repository."""
        resource, client = self._resource, self._client
        fields = self._due.when_changed
        listed = self._writer.read(lambda reader: child_reader.listed_repositories(reader, fields))
        states = self._writer.read(lambda reader: child_reader.states(reader, resource))
        budget = requests_left(client.rate_limit, client.reserve)
        due = agenda(self._due, listed, states, now=client.clock(), budget=budget)
        left, failed = len(due.tasks), 0
        try:
            for fetched in self._fetched(due.tasks, full=full):
                if client.stop.is_set():
                    raise errors.Interrupted("stopped between two repositories")
                self._counts += self._writer.transact(partial(self._store, fetched))
                left -= 1
                failed = failed + 1 if fetched.status == "failed" else 0
                if failed == _IN_A_ROW:
                    return
        finally:
            self._counts += ResourceCounts(deferred=due.deferred + left)

    def finish(self) -> ResourceCounts:
        """Record the counts, with the number of requests."""
        requests, not_modified = self._before
        stats = self._client.stats
        counts = replace(
            self._counts,
            asked=stats.requests - requests,
            not_modified=stats.not_modified - not_modified,
        )
        self._writer.transact(lambda page: record(page, self._resource.name, counts))
        log_resource(self._resource, counts)
        return counts

    def _fetched(self, tasks: Sequence[Task], *, full: bool) -> Iterator[Fetched]:
        """Yield the answers in the order of `tasks`, while later requests are in flight."""
        waiting: deque[Future[Fetched]] = deque()
        upcoming = iter(tasks)
        try:
            while some := list(islice(upcoming, _AT_ONCE)):
                known = {} if full else self._remembered(some)
                for task in some:
                    pages = known.get(task.repository_id, {})
                    waiting.append(self._client.in_background(self._fetch, task, pages))
                    if len(waiting) > self._client.concurrency:
                        yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def _remembered(self, tasks: Sequence[Task]) -> dict[int, dict[str, CachedPage]]:
        """Return the remembered pages, by repository id and key."""
        ids = [task.repository_id for task in tasks if task.state is not None]
        rows = self._writer.read(
            lambda reader: child_reader.remembered(reader, self._resource, ids)
        )
        return {id_: cached_pages(pages) for id_, pages in rows.items()}

    def _fetch(self, task: Task, known: dict[str, CachedPage]) -> Fetched:
        """Request one repository; docs/resources.md lists the meaning of each answer."""
        try:
            pages = self._client.children(self._resource, task.repository_id, known)
        except _OF_THE_RUN:
            raise
        except errors.RestError as error:
            return Fetched(task, _status_of(error), detail=error.code)
        return Fetched(task, "complete", pages)

    # In a transaction

    def _store(self, fetched: Fetched, transaction: RunTransaction) -> ResourceCounts:
        """Store an answer, unless the repository has been removed meanwhile."""
        task, resource = fetched.task, self._resource
        if not child_reader.is_current(transaction, task.repository_id):
            return ResourceCounts(skipped=1)
        failures = (task.state.failures if task.state else 0) + 1
        failures = failures if fetched.status == "failed" else 0
        counts, whole = ResourceCounts(), True
        if fetched.status in ("refused", "blocked"):
            counts = ResourceCounts(refused=1)
        elif fetched.status == "failed":
            counts = ResourceCounts(failed=1)
        elif fetched.status == "complete":
            counts, whole = self._store_pages(transaction, task.repository_id, fetched.pages)
        child_writer.note_state(
            transaction,
            resource,
            task.repository_id,
            NewState(
                status=fetched.status,
                next_at=next_check(self._due, fetched.status, failures, transaction.now),
                basis=task.basis,
                failures=failures,
                detail=fetched.detail,
                changed=counts.stored > 0,
            ),
        )
        if fetched.status == "complete":
            entries = _entries(fetched.pages) if whole else ()
            child_writer.remember_pages(transaction, resource, task.repository_id, entries)
        return counts

    def _store_pages(
        self, transaction: RunTransaction, repository_id: int, pages: Sequence[ChildPage]
    ) -> tuple[ResourceCounts, bool]:
        """Write the differences; return the counts, and whether the pages may be remembered."""
        resource = self._resource
        same = [id_ for each in pages if each.not_modified for id_ in each.ids]
        whole = child_reader.are_stored(transaction, resource, same)
        if all(each.not_modified for each in pages):
            return ResourceCounts(), whole
        if resource.shape is Shape.OBJECT:
            changed = store_set(transaction, resource, repository_id, pages[0])
            return ResourceCounts(stored=int(changed)), whole
        counts = store_items(transaction, resource, repository_id, pages)
        return counts, whole and not counts.skipped


def _entries(pages: Sequence[ChildPage]) -> tuple[PageEntry, ...]:
    """Return the `page_cache` entries of all pages; none if one page has no usable entry."""
    entries = tuple(
        PageEntry(each.key, each.etag, each.ids, len(each.ids), each.next_url)
        for each in pages
        if each.etag is not None and len(each.key) <= LONGEST_KEY
    )
    return entries if len(entries) == len(pages) else ()


def _status_of(error: errors.RestError) -> Status:
    """Return the status that stands for an error; see docs/resources.md."""
    match error:
        case errors.Blocked():
            return "blocked"
        case errors.Forbidden():
            return "blocked" if error.status == 451 else "refused"
        case errors.NotFound():
            return "off" if error.status == 410 else "missing"
        case errors.Conflict():
            return "empty"
    return "failed"
