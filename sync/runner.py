"""One sync run of one account, from start to recorded outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars

from sync.database.page import PageTransaction
from sync.database.rows import PageEntry, Refusal, Rejection, Run, RunCounts
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
from sync.events import log_page, log_rejections
from sync.github.answers import CachedPage, Page
from sync.github.client import AFFILIATIONS, GitHubClient, Identity, Visibility
from sync.github.listing import page_number
from sync.github.protocol import is_entity_tag
from sync.outcome import RunOutcome, judge, log_outcome
from sync.planning import differing, hash_items, make_plan, page_entry
from sync.redaction import scrub

log = structlog.get_logger("sync.runner")

Progress = Callable[[RunCounts, int | None], None]

# Answers that what is remembered of the last run may have led to.
_MISLED = (ForeignOrigin, InvalidRequest, NotFound, TooLarge, UnexpectedAnswer)


@dataclass(slots=True)
class _Tally:
    """What a run has gathered so far; read when it ends, however it ends."""

    counts: RunCounts = field(default_factory=RunCounts)
    visited: list[str] = field(default_factory=list)
    seen: int = 0
    pages_expected: int | None = None
    partial_listing: bool = False
    complete: bool = False


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
    progress: Progress | None = None,
) -> RunOutcome:
    """Sync the repositories that `client` lists into `store`, and record how it went.

    `full` asks for every page whole, whatever is remembered. With `wait`,
    another run of the account is waited for. Returns the
    outcome, also of a run that failed. Raises RunInProgress, and DatabaseError
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
        run = store.start_run(account, client.host, trigger)
        with bound_contextvars(run_id=run.id, account=account):
            log.debug("sync.run_started", trigger=trigger, full=full)
            runner = _Runner(run, client, store, progress)
            return runner.execute({"visibility": visibility, "affiliation": affiliation}, full=full)


class _Runner:
    def __init__(
        self,
        run: Run,
        client: GitHubClient,
        store: Store,
        progress: Progress | None,
    ) -> None:
        self.run = run
        self.client = client
        self.store = store
        self.progress = progress
        self.tally = _Tally()
        self.noted_at = time.monotonic()

    def execute(self, listing: Mapping[str, Any], *, full: bool) -> RunOutcome:
        """Fetch and store `listing` (what `repository_pages` takes), and record how it went."""
        self.client.on_wait = self._note_wait
        try:
            for page in self._pages(listing, full=full):
                self._take(page)
        except RepoledgerError as error:
            return self._finish(error)
        except BaseException as error:
            self._finish(RepoledgerError(f"unforeseen: {type(error).__name__}"))
            raise
        self.tally.complete = not self.tally.partial_listing
        return self._finish(None)

    def _note_wait(self, until: datetime) -> None:
        # Only so that others can see it; what is wrong with the database will show elsewhere.
        with suppress(DatabaseError, Interrupted):
            self.store.note_wait(self.run, until)

    # Fetching

    def _pages(self, listing: Mapping[str, Any], *, full: bool) -> Iterator[Page]:
        """Yield the listing's pages, once it is known whose they are."""
        remembered = {} if full else self._remembered()
        pages = self.client.repository_pages(**listing, cached=remembered)
        identity_key = self.client.page_key("identity")
        known = remembered.get(identity_key)
        # Asked at the same time as the first page: it costs no extra round trip.
        identity = self.client.in_background(self.client.identify, known.etag if known else None)
        first = next(pages, None)
        self._note_identity(identity.result(), identity_key)
        if first is not None:
            yield first
        yield from pages

    def _remembered(self) -> dict[str, CachedPage]:
        rows = self.store.cached_pages(self.run.account)
        return {
            key: CachedPage(
                etag=row["etag"], item_count=row["item_count"], next_url=row["next_url"]
            )
            for key, row in rows.items()
            if is_entity_tag(row["etag"])
        }

    def _note_identity(self, identity: Identity, key: str) -> None:
        self.tally.visited.append(key)
        user = identity.user
        if user is None:
            return
        before = self.store.account(self.run.account)
        if before.get("id") not in (None, user.id):
            log.warning("account.identity_changed", before=before.get("login"), now=user.login)
        self.store.note_identity(self.run, user_id=user.id, login=scrub(user.login))
        if identity.etag:
            entry = PageEntry(key, identity.etag, (user.id,), 1, None)
            self.store.transact(self.run, lambda page: page.remember_page(entry))

    # Storing

    def _take(self, page: Page) -> None:
        """Store a page, or note that it is as it was."""
        if self.client.stop.is_set():
            raise Interrupted("stopped between two pages")
        tally = self.tally
        tally.visited.append(page.key)
        if page.last_url is not None:
            tally.pages_expected = page_number(page.last_url) or tally.pages_expected
        tally.partial_listing = tally.partial_listing or page.partial
        if page.not_modified:
            tally.counts += RunCounts(pages=1, unchanged=page.item_count)
            self._note_progress()
        else:
            tally.counts, rejections = self.store.transact(
                self.run, lambda opened: self._write(opened, page), pages=tally.counts.pages + 1
            )
            log_rejections(rejections)
        log_page(page, tally.counts.pages, tally.pages_expected)
        if self.progress is not None:
            self.progress(tally.counts, tally.pages_expected)
        tally.seen += page.item_count

    def _note_progress(self) -> None:
        """Let others see how far it has come; once a second, since nothing else is written."""
        if time.monotonic() < self.noted_at + 1.0:
            return
        self.noted_at = time.monotonic()
        counts = replace(self.tally.counts, **self._request_counts())
        self.store.transact(self.run, lambda page: page.progress(counts, self.tally.pages_expected))

    def _write(self, transaction: PageTransaction, page: Page) -> tuple[RunCounts, list[Rejection]]:
        """Write a page; return the run's counts with it, and what was rejected."""
        items = hash_items(page.items)
        known = transaction.known([hashed.id for hashed in items])
        stored = transaction.values(differing(items, known))
        plan = make_plan(items, known, stored, seen=len(page.items))
        refusals = transaction.write(plan.writes)
        transaction.join(plan.joins)
        refused_new = sum(refusal.write.is_new for refusal in refusals)
        rejections = [
            *(Rejection(self.tally.seen + r.position, r.reason, r.payload) for r in page.rejected),
            *self._refused(refusals, page),
        ]
        transaction.reject(rejections)
        flawed = rejections or page.partial or page.skipped
        entry = page_entry(page, items)
        if entry is not None and not flawed:
            transaction.remember_page(entry)
        else:
            # Asked for whole next time, so that what is wrong with it is seen again.
            transaction.forget_page(page.key)
        counts = self.tally.counts + RunCounts(
            pages=1,
            inserted=plan.inserted - refused_new,
            updated=plan.updated - (len(refusals) - refused_new),
            unchanged=plan.unchanged,
            rejected=len(rejections),
            skipped=page.skipped,
        )
        counts = replace(counts, **self._request_counts())
        transaction.progress(counts, self.tally.pages_expected)
        return counts, rejections

    def _refused(self, refusals: Iterable[Refusal], page: Page) -> Iterator[Rejection]:
        positions = {item.record.id: item.position for item in page.items}
        for write, reason in refusals:
            position = self.tally.seen + positions[write.id]
            yield Rejection(position, f"id {write.id}: {reason}", write.payload)

    # Ending

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
        flawed = self.tally.counts.rejected > 0 or self.tally.partial_listing
        status, not_before = judge(error, flawed=flawed, now=now)
        quota = self.client.rate_limit
        return RunOutcome(
            run_id=self.run.id,
            account=self.run.account,
            status=status,
            complete=self.tally.complete,
            counts=replace(self.tally.counts, **self._request_counts()),
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
        )

    def _pages_to_keep(self, outcome: RunOutcome) -> list[str] | None:
        """Return the keys of the pages worth remembering; None for all of them."""
        if isinstance(outcome.error, _MISLED):
            return []
        return self.tally.visited if outcome.complete else None

    def _request_counts(self) -> dict[str, Any]:
        stats = self.client.stats
        return {
            "requests": stats.requests,
            "not_modified": stats.not_modified,
            "wait_seconds": round(stats.wait_seconds, 3),
        }
