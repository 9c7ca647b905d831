"""Records a run in the ledger: its waits while it goes on, its outcome when it ends."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from structlog import get_logger

from sync.core.deadline import Deadline
from sync.core.errors import (
    DatabaseError,
    ForeignOrigin,
    Interrupted,
    InvalidRequest,
    NotFound,
    RepoledgerError,
    TooLarge,
    UnexpectedAnswer,
)
from sync.core.memory import EXHAUSTED, is_exhausted
from sync.database.pruning import Pruned, prune
from sync.database.run_transaction import RunTransaction
from sync.database.store import Store
from sync.database.traceless import forget_run
from sync.database.writes import GOOD, Run
from sync.forges.forge import Forge
from sync.load.loading import Loaded
from sync.load.scan import ListingScan
from sync.load.writer import RunWriter
from sync.run.options import RunOptions
from sync.run.outcome import RunOutcome, judge, log_outcome
from sync.run.progress import Progress

log = get_logger("sync.runner")

# Errors that a stale `page_cache` entry can cause: after one, the account's cache is cleared.
_MISLED = (ForeignOrigin, InvalidRequest, NotFound, TooLarge, UnexpectedAnswer)


class RunRecord:
    """Records a run in the ledger and in the log, however it ends.

    Set as the run goes on: `complete`, whether every page arrived; `missing_digest`, a hash
    of the ids missing from the listing, if their removal was withheld; `loaded`, what was
    loaded of the resources. `lists`: whether the listing is loaded.
    """

    def __init__(
        self,
        writer: RunWriter,
        scan: ListingScan,
        client: Forge,
        progress: Progress,
        options: RunOptions,
    ) -> None:
        self.complete = False
        self.loaded = Loaded()
        self._options = options
        self.missing_digest: str | None = None
        self._writer = writer
        self._scan = scan
        self._client = client
        self.progress = progress
        self._began = time.monotonic()
        self._asked_to_wait: Deadline | None = None
        client.on_wait = self._note_wait

    def finish(self, error: BaseException | None) -> RunOutcome:
        """Record the end of the run: by `error`, or with all done."""
        if error is not None and not isinstance(error, RepoledgerError):
            unexpected = f"unexpected error: {type(error).__name__}"
            error = RepoledgerError(EXHAUSTED if is_exhausted(error) else unexpected)
        outcome = self._outcome(error)
        try:
            if self._options.quiet and outcome.is_unchanged and self._forget(outcome):
                outcome = replace(outcome, forgotten=True)
            else:
                self._store_outcome(outcome)
        except (DatabaseError, Interrupted) as failure:
            # The first error says more than the second, which may follow from it.
            outcome = self._outcome(error or failure)
        if not outcome.forgotten:
            log_outcome(outcome)
        return outcome

    def _note_wait(self, until: datetime) -> None:
        self.progress.waiting(until)
        store = self._writer.store
        now = store.clock()
        if until - now > self._left_to_wait(now):
            self._asked_to_wait = Deadline(until, now)
        # For `repoledger status` only. A database error will show again at the next write.
        with suppress(DatabaseError, Interrupted):
            store.note_wait(self._writer.run, until)

    def _left_to_wait(self, now: datetime) -> timedelta:
        """Return how much longer GitHub has asked to wait."""
        return self._asked_to_wait.left(now) if self._asked_to_wait else timedelta()

    def _outcome(self, error: RepoledgerError | None) -> RunOutcome:
        writer, now = self._writer, self._writer.store.clock()
        loaded = self.loaded
        flawed = writer.counts.rejected > 0 or self._scan.partial
        flawed = flawed or loaded.is_flawed
        status, not_before = judge(error, flawed=flawed, now=now)
        if not_before is None and status not in GOOD and (left := self._left_to_wait(now)):
            not_before = now + left
        quota = self._client.rate_limit
        return RunOutcome(
            run_id=writer.run.id,
            account=writer.run.account,
            status=status,
            complete=self.complete,
            counts=writer.counts,
            seconds=time.monotonic() - self._began,
            rate_limit_remaining=quota.remaining if quota else None,
            error=error,
            not_before=not_before,
            loaded=loaded,
        )

    def _store_outcome(self, outcome: RunOutcome) -> None:
        self._writer.store.finish_run(
            self._writer.run,
            status=outcome.status,
            counts=outcome.counts,
            complete=outcome.complete,
            rate_limit_remaining=outcome.rate_limit_remaining,
            error=outcome.error,
            not_before=outcome.not_before,
            keep_pages=self._pages_to_keep(outcome),
            missing_digest=self.missing_digest,
            lists=self._options.lists,
        )

    def _forget(self, outcome: RunOutcome) -> bool:
        writer = self._writer
        return forget_run(writer.store, writer.run, self._pages_to_keep(outcome))

    def _pages_to_keep(self, outcome: RunOutcome) -> list[str] | None:
        """Return the keys of the pages to keep in `page_cache`; None for all."""
        if isinstance(outcome.error, _MISLED):
            return []
        return self._writer.kept_pages if outcome.complete else None


def record_refusal(
    store: Store, account: str, host: str, trigger: str, error: RepoledgerError
) -> RunOutcome:
    """Record a run that the configuration keeps from beginning: `repoledger status` shows it.

    The account stays with the host that the ledger has it of; `host` is for a new one.
    """
    outcome = RunOutcome.not_begun(account, error)
    log_outcome(outcome)
    with suppress(RepoledgerError), store.lock(account):
        run = store.start_run(account, store.account(account).get("host", host), trigger)
        store.finish_run(
            run, status=outcome.status, counts=outcome.counts, complete=False, error=error
        )
    return outcome


def tidy(store: Store, run: Run, options: RunOptions, *, prunes: bool) -> None:
    """Delete rows older than `options.retention`, if `prunes`; give unused disk space back.

    An error ends it without failing the run: the next run tries again.
    """
    if prunes:
        _prune(store, run, options)
    with suppress(RepoledgerError):
        store.shrink()


def _prune(store: Store, run: Run, options: RunOptions) -> None:
    agreeing_runs = options.removals.agreeing_runs
    start = random.random()  # noqa: S311  # no secret
    now = min(run.started_at, store.clock())  # the clock may have been set back meanwhile

    def work(transaction: RunTransaction) -> Pruned:
        return prune(transaction, options.retention, now, agreeing_runs=agreeing_runs, start=start)

    try:
        done = store.transact(run, work)
    except RepoledgerError as error:
        log.debug("ledger.not_pruned", message=str(error))
    else:
        if any(done):
            log.debug("ledger.pruned", **done._asdict())
