"""The transactions of one run: each writes the run's counts along with its rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from sync.database.run_reader import RunReader
from sync.database.run_transaction import RunTransaction
from sync.database.store import Store
from sync.database.writes import Run, RunCounts
from sync.rest.stats import RequestStats

T = TypeVar("T")


class RunWriter:
    """Writes to the ledger on behalf of `run`, and counts.

    `stats`: those of the run's client. `kept_pages`: keys of `page_cache` that this run has
    confirmed or written. `announced_pages`: the length of the listing, None if GitHub does
    not announce it.
    """

    def __init__(self, run: Run, store: Store, stats: RequestStats) -> None:
        self.run = run
        self.store = store
        self.kept_pages: list[str] = []
        self.announced_pages: int | None = None
        self._stats = stats
        self._counts = RunCounts()
        self._noted_at = time.monotonic()

    @property
    def counts(self) -> RunCounts:
        """The counts of the run so far."""
        return self._with_requests(self._counts)

    def count(self, counts: RunCounts) -> None:
        """Add `counts` without a transaction of their own."""
        self._counts += counts

    def read(self, work: Callable[[RunReader], T], run: Run | None = None) -> T:
        """Do `work`, which only reads, in one transaction."""
        return self.store.read(run or self.run, work)

    def transact(self, work: Callable[[RunTransaction], T]) -> T:
        """Do `work` in one transaction that counts nothing."""
        return self.store.transact(self.run, work)

    def write(
        self,
        work: Callable[[RunTransaction], T],
        counts_of: Callable[[T], RunCounts],
        run: Run | None = None,
    ) -> T:
        """Do `work` in one transaction, and add the counts that `counts_of` reads from its result.

        `run`: given if `work` concerns another host than the run's own.
        """
        before = self._counts

        def recorded(transaction: RunTransaction) -> T:
            done = work(transaction)
            self._record(transaction, before + counts_of(done))
            return done

        done = self.store.transact(run or self.run, recorded, before=before)
        self._counts += counts_of(done)
        return done

    def note_progress(self) -> None:
        """Write the counts for other processes, at most once a second."""
        if time.monotonic() < self._noted_at + 1.0:
            return
        self._noted_at = time.monotonic()
        self.store.transact(self.run, lambda page: self._record(page, self._counts))

    def _record(self, transaction: RunTransaction, counts: RunCounts) -> None:
        transaction.progress(self._with_requests(counts), self.announced_pages)

    def _with_requests(self, counts: RunCounts) -> RunCounts:
        stats = self._stats
        return replace(
            counts,
            requests=stats.requests,
            not_modified=stats.not_modified,
            wait_seconds=round(stats.wait_seconds, 3),
        )
