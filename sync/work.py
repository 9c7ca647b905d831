"""What a run does between its beginning and its end: pages, then what they lack."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any

from sync.absence import Absence, Search
from sync.config.sections import Removals
from sync.database.page import PageTransaction
from sync.database.rows import PageEntry, Run, RunCounts
from sync.database.store import Store
from sync.errors import Interrupted, RemovalsWithheld, RestError
from sync.events import (
    log_forecast,
    log_page,
    log_rejections,
    log_settled,
    log_withheld,
    log_writes,
)
from sync.forecast import foretell
from sync.github.answers import CachedPage, Identity, Page
from sync.github.client import GitHubClient
from sync.github.limits import SharedLimits
from sync.github.protocol import is_entity_tag
from sync.loggers import get_logger
from sync.progress import Progress
from sync.redaction import scrub
from sync.settling import AT_ONCE, Settled, settle
from sync.storing import Stored, store_page
from sync.verdicts import Verdict, digest

log = get_logger("sync.runner")

# New rows of a run at which the database learns how large its tables are, to plan for that.
_NOTICED = (1_000, 10_000, 100_000, 1_000_000)


class Work:
    """The work of one run, and how far it has come: to be read when it ends, however it ends.

    `visited` are the keys of the pages that arrived. `complete` is whether all
    did. `missing_digest` tells of what the listing lacks, if nothing was done
    about it.
    """

    def __init__(
        self,
        run: Run,
        client: GitHubClient,
        store: Store,
        listing: Mapping[str, Any],
        removals: Removals,
        progress: Progress,
        limits: SharedLimits,
    ) -> None:
        self.visited: list[str] = []
        self.complete = False
        self.missing_digest: str | None = None
        self._run = run
        self._client = client
        self._store = store
        self._listing = listing
        self._removals = removals
        self._progress = progress
        self._limits = limits
        self._search = Search(client, partial(store.read, run), listing, self._remembered)
        self._counts = RunCounts()
        self._identity: Identity | None = None
        self._noted_at = time.monotonic()

    @property
    def counts(self) -> RunCounts:
        """What the run has done so far."""
        return self._with_requests(self._counts)

    @property
    def flawed(self) -> bool:
        """Whether items were rejected or organizations left out."""
        return self._counts.rejected > 0 or self._search.look.partial

    def do(self, *, full: bool, accept: bool) -> RemovalsWithheld | None:
        """Fetch and store the listing, and settle what it lacks; return what is withheld."""
        for page in self._pages(full=full):
            self._take(page)
        self.complete = not self._search.look.partial
        if not self.complete or self._identity is None:
            return None
        return self._settle(self._identity, accept=accept)

    # Fetching

    def _pages(self, *, full: bool) -> Iterator[Page]:
        """Yield the listing's pages, once it is known whose they are."""
        began, waited = time.monotonic(), self._client.stats.wait_seconds
        remembered = self._remembered()
        identity_key = self._client.page_key("identity")
        if (same := remembered.get(identity_key)) is not None:
            self._share_limits(same.ids[0])  # the same token, so the same user
        if full:
            remembered = {}
        pages = self._client.repository_pages(**self._listing, cached=remembered)
        known = remembered.get(identity_key)
        # Asked at the same time as the first page: it costs no extra round trip.
        identity = self._client.in_background(self._client.identify, known.etag if known else None)
        first = next(pages, None)
        self._note_identity(identity.result(), known, identity_key)
        if first is not None:
            fetched = time.monotonic()
            waited = self._client.stats.wait_seconds - waited
            yield first
            stored = time.monotonic()
            fetching = max(fetched - began - waited, 0.0)
            self._foretell(remembered, fetching=fetching, storing=stored - fetched)
        yield from pages

    def _foretell(
        self, remembered: Mapping[str, CachedPage], *, fetching: float, storing: float
    ) -> None:
        """Say what the listing will cost, now that its first page was fetched and stored."""
        client, pages = self._client, self._search.look.announced_pages
        if pages is None:
            return
        mine = client.page_key("")
        forecast = foretell(
            pages=pages,
            # But for the identity and the first page.
            remembered=max(sum(key.startswith(mine) for key in remembered) - 2, 0),
            # An ETag holds for one token, and an App has another in each run.
            conditional_is_free=client.signs_in and client.credentials.app is None,
            quota=client.rate_limit,
            reserve=client.reserve,
            fetching=fetching,
            storing=storing,
            concurrency=client.concurrency,
        )
        if forecast.is_large:
            log_forecast(forecast)
            self._progress.foreseen(forecast)

    def _remembered(self) -> dict[str, CachedPage]:
        rows = self._store.cached_pages(self._run.account)
        return {
            key: CachedPage(
                etag=row["etag"],
                item_count=row["item_count"],
                next_url=row["next_url"],
                ids=array("q", row["ids"]),
            )
            for key, row in rows.items()
            if is_entity_tag(row["etag"])
        }

    def _note_identity(self, identity: Identity, known: CachedPage | None, key: str) -> None:
        self.visited.append(key)
        before = self._store.account(self._run.account)
        if identity.user is None and known is not None and before.get("id") not in known.ids:
            # As it was, but another token's user has been noted in between.
            identity = self._client.identify()
        self._identity = identity
        user = identity.user
        if user is None:
            return
        self._share_limits(user.id)
        if before.get("id") not in (None, user.id):
            log.warning("account.identity_changed", before=before.get("login"), now=user.login)
            if before.get("listing_basis") is None:
                # Else nothing would tell later that what is stored was another user's.
                former = self._search.basis(identity, None).of_user(before["id"])
                self._store.note_basis(self._run, former.as_text())
        self._store.note_identity(self._run, user_id=user.id, login=scrub(user.login))
        if identity.etag:
            entry = PageEntry(key, identity.etag, (user.id,), 1, None)
            self._store.transact(self._run, lambda page: page.remember_page(entry))

    def _share_limits(self, user_id: int) -> None:
        """Have what is known of the user's limits hold here, and the other way round."""
        if not self._client.signs_in:
            return
        account, host = self._run.account, self._client.quota_host
        self._client.limits, others = self._limits.join(account, host, user_id, self._client.limits)
        for other in others:
            log.warning("account.quota_shared", other=other)

    # Storing

    def _take(self, page: Page) -> None:
        """Store a page, or note that it is as it was."""
        if self._client.stop.is_set():
            raise Interrupted("stopped between two pages")
        self.visited.append(page.key)
        position = self._search.look.items
        self._search.look.take(page)
        counts = self._counts
        if page.not_modified:
            self._counts += RunCounts(pages=1, unchanged=page.item_count)
            self._note_progress()
        else:
            stored = self._store.transact(
                self._run, lambda opened: self._write(opened, page, position), before=counts
            )
            self._counts += stored.counts
            if any(counts.inserted < size <= self._counts.inserted for size in _NOTICED):
                self._store.gather_statistics()
            log_rejections(stored.rejections)
            log_writes(stored.writes)
        log_page(page, self._counts.pages, self._search.look.announced_pages)
        self._progress.page_stored(self._counts, self._search.look.announced_pages)

    def _write(self, transaction: PageTransaction, page: Page, position: int) -> Stored:
        stored = store_page(transaction, page, position=position)
        self._record_progress(transaction, self._counts + stored.counts)
        return stored

    def _note_progress(self) -> None:
        """Let others see how far it has come; once a second, since nothing else is written."""
        if time.monotonic() < self._noted_at + 1.0:
            return
        self._noted_at = time.monotonic()
        self._store.transact(self._run, lambda page: self._record_progress(page, self._counts))

    def _record_progress(self, transaction: PageTransaction, counts: RunCounts) -> None:
        counts = self._with_requests(counts)
        transaction.progress(counts, self._search.look.announced_pages)

    def _with_requests(self, counts: RunCounts) -> RunCounts:
        stats = self._client.stats
        return replace(
            counts,
            requests=stats.requests,
            not_modified=stats.not_modified,
            wait_seconds=round(stats.wait_seconds, 3),
        )

    # Settling

    def _settle(self, identity: Identity, *, accept: bool) -> RemovalsWithheld | None:
        """Find out what became of what the listing lacks; return why not, if it is not to be."""
        absence = self._search.absent(identity, self._removals, accept=accept)
        if absence.error is not None:
            self._counts += RunCounts(withheld=len(absence.missing))
            self.missing_digest = digest(absence.missing)
            log_withheld(absence)
            return absence.error
        batch: list[Verdict] = []
        try:
            for verdict in self._search.verdicts(absence, limit=self._removals.max_probes):
                batch.append(verdict)
                if len(batch) == AT_ONCE:
                    self._settle_batch(batch, absence)
                    batch = []
        except (RestError, Interrupted):
            self._settle_batch(batch, absence)  # what was learned by then has cost quota
            raise
        self._settle_batch(batch, absence)
        undecided = self._counts.withheld
        if undecided:
            log_withheld(absence, undecided)
        self._note_basis(absence, undecided)
        return absence.undecided(undecided)

    def _settle_batch(self, verdicts: list[Verdict], absence: Absence) -> None:
        if not verdicts:
            return
        verdicts = sorted(verdicts, key=attrgetter("id"))
        before, position = self._counts, self._search.look.items

        def work(transaction: PageTransaction) -> Settled:
            settled = settle(
                transaction, verdicts, self._removals, former=absence.former, position=position
            )
            self._record_progress(transaction, before + settled.counts)
            return settled

        settled = self._store.transact(self._run, work, before=before)
        self._counts += settled.counts
        log_settled(settled)

    def _note_basis(self, absence: Absence, undecided: int) -> None:
        known = self._store.account(self._run.account).get("listing_basis")
        basis = absence.basis.as_text()
        # The first one only once everything is decided of what the account listed under a
        # former name: that is not looked for again.
        if basis != known and (known is not None or not undecided):
            self._store.note_basis(self._run, basis)
