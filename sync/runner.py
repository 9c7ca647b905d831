"""One sync run of one account, from start to recorded outcome."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack, suppress
from datetime import datetime

from sync.config.sections import Removals
from sync.database.rows import Run
from sync.database.store import Store
from sync.errors import (
    DatabaseError,
    Fenced,
    ForeignOrigin,
    Interrupted,
    InvalidRequest,
    NotFound,
    RepoledgerError,
    RunInProgress,
    TooLarge,
    UnexpectedAnswer,
)
from sync.github.client import AFFILIATIONS, GitHubClient, Visibility
from sync.github.limits import SharedLimits
from sync.loggers import bound_contextvars, get_logger
from sync.memory import EXHAUSTED, is_exhausted, require_room
from sync.outcome import RunOutcome, judge, log_outcome
from sync.progress import Progress
from sync.work import Work

log = get_logger("sync.runner")

_REMOVALS = Removals()

# Answers that what is remembered of the last run may have led to.
_MISLED = (ForeignOrigin, InvalidRequest, NotFound, TooLarge, UnexpectedAnswer)


def run_sync(
    *,
    account: str,
    client: GitHubClient,
    store: Store,
    trigger: str,
    visibility: Visibility = "public",
    affiliation: tuple[str, ...] = AFFILIATIONS,
    full: bool = False,
    wait: bool = False,
    removals: Removals = _REMOVALS,
    accept_removals: bool = False,
    configured: Collection[str] | None = None,
    progress: Progress | None = None,
    limits: SharedLimits | None = None,
) -> RunOutcome:
    """Sync the repositories that `client` lists into `store`, and record how it went.

    `full` asks for every page whole, whatever is remembered. With `wait`,
    another run of the account is waited for. `accept_removals` says that all
    that is missing may be missing. `configured` are the accounts whose listings
    keep a repository from being removed; None for all. `progress` hears how it
    goes. `limits` are those of other accounts' users, of which this one's may be
    one. Returns the outcome, also of a run that failed. Raises RunInProgress, and DatabaseError
    if the run cannot even begin; an exception that nobody foresaw is recorded,
    and raised.
    """
    with ExitStack() as held:
        try:
            held.enter_context(store.lock(account))
        except RunInProgress:
            if not wait:
                raise
            log.info("sync.run_waiting", account=account, reason="another run of the account")
            held.enter_context(store.lock(account, wait=True, stop=client.stop))
        run = store.start_run(account, client.host, trigger, configured)
        with bound_contextvars(run_id=run.id, account=account):
            log.debug("sync.run_started", trigger=trigger, full=full)
            listing = {"visibility": visibility, "affiliation": affiliation}
            progress = progress or Progress()
            limits = limits or SharedLimits()
            work = Work(run, client, store, listing, removals, progress, limits)
            runner = _Runner(run, client, store, work, progress)
            return runner.execute(full=full, accept=accept_removals)


class _Runner:
    def __init__(
        self, run: Run, client: GitHubClient, store: Store, work: Work, progress: Progress
    ) -> None:
        self.run = run
        self.client = client
        self.store = store
        self.work = work
        self.progress = progress

    def execute(self, *, full: bool, accept: bool) -> RunOutcome:
        """Do the work, and record how it went."""
        self.client.on_wait = self._note_wait
        try:
            require_room(threads=self.client.concurrency + 1)  # and the watchdog
            withheld = self.work.do(full=full, accept=accept)
        except RepoledgerError as error:
            return self._finish(error)
        except BaseException as error:
            unforeseen = f"unforeseen: {type(error).__name__}"
            self._finish(RepoledgerError(EXHAUSTED if is_exhausted(error) else unforeseen))
            raise
        return self._finish(withheld)

    def _note_wait(self, until: datetime) -> None:
        self.progress.waiting(until)
        # Only so that others can see it; what is wrong with the database will show elsewhere.
        with suppress(DatabaseError, Interrupted):
            self.store.note_wait(self.run, until)

    def _finish(self, error: RepoledgerError | None) -> RunOutcome:
        outcome = self._outcome(error)
        if not isinstance(error, Fenced):
            try:
                self._record(outcome)
            except (DatabaseError, Interrupted) as failure:
                # The first error says more than its consequence.
                outcome = self._outcome(error or failure)
        log_outcome(outcome)
        return outcome

    def _outcome(self, error: RepoledgerError | None) -> RunOutcome:
        now = self.store.clock()
        status, not_before = judge(error, flawed=self.work.flawed, now=now)
        quota = self.client.rate_limit
        return RunOutcome(
            run_id=self.run.id,
            account=self.run.account,
            status=status,
            complete=self.work.complete,
            counts=self.work.counts,
            seconds=(now - self.run.started_at).total_seconds(),
            rate_limit_remaining=quota.remaining if quota else None,
            error=error,
            not_before=not_before,
        )

    def _record(self, outcome: RunOutcome) -> None:
        self.store.finish_run(
            self.run,
            status=outcome.status,
            counts=outcome.counts,
            complete=outcome.complete,
            rate_limit_remaining=outcome.rate_limit_remaining,
            error=outcome.error,
            not_before=outcome.not_before,
            keep_pages=self._pages_to_keep(outcome),
            missing_digest=self.work.missing_digest,
        )

    def _pages_to_keep(self, outcome: RunOutcome) -> list[str] | None:
        """Return the keys of the pages worth remembering; None for all of them."""
        if isinstance(outcome.error, _MISLED):
            return []
        return self.work.visited if outcome.complete else None
