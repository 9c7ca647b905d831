"""The account's repository list at GitHub: its pages, its user, and its cost."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from sync.core.clock import ClockCheck
from sync.core.errors import Interrupted
from sync.core.redaction import MASK, as_kept
from sync.database.writes import PageEntry
from sync.forges.answers import CachedPage, Identity, Page
from sync.forges.forge import Forge
from sync.forges.limits import SharedLimits
from sync.load.page_cache import remembered_pages
from sync.load.scan import ListingScan
from sync.load.writer import RunWriter
from sync.removals.missing import MissingFinder, listing_identity
from sync.run.forecast import forecast_listing
from sync.run.listing_log import (
    log_clock,
    log_forecast,
    log_identity_changed,
    log_quota_shared,
)
from sync.run.progress import Progress


class AccountListing:
    """The repositories that `client` lists, with `arguments` of `repository_pages`.

    `scan` collects the pages that have arrived. `identity` is the user, known from the first
    page on.
    """

    def __init__(
        self,
        client: Forge,
        arguments: Mapping[str, Any],
        writer: RunWriter,
        progress: Progress,
        limits: SharedLimits,
    ) -> None:
        self.arguments = arguments
        self.scan = ListingScan(client.paging.size)
        self.identity: Identity
        self.client = client
        self._writer = writer
        self._progress = progress
        self._limits = limits
        client.clock_check = ClockCheck()

    def remembered(self) -> dict[str, CachedPage]:
        """Return the remembered pages, for conditional requests, by key."""
        return remembered_pages(self._writer.store, self._writer.run)

    def pages(self, *, full: bool) -> Iterator[Page]:
        """Yield the pages, several in flight, once the user is known.

        `full` ignores remembered pages. Raises RestErrors, and Interrupted between two pages.
        """
        client = self.client
        began, waited = time.monotonic(), client.stats.wait_seconds
        remembered = self.remembered()
        if (same := remembered.get(client.identity_key)) is not None:
            self._share_limits(same.ids[0])  # the key names the token: it is the same user
        if full:
            remembered = {}
        pages = client.repository_pages(**self.arguments, cached=remembered)
        known = remembered.get(client.identity_key)
        if MASK in (self._account().get("login") or ""):
            known = None  # version 0.1.0 masked a login that contained a password
        # In parallel with the first page, to save a round trip.
        identity = client.in_background(client.identify, known.etag if known else None)
        first = next(pages, None)
        self._note_identity(identity.result(), known)
        if first is None:
            return
        fetched = time.monotonic()
        waited = client.stats.wait_seconds - waited
        yield self._unless_stopped(first)
        del first  # frees its memory while the next page is on its way
        storing = time.monotonic() - fetched
        self._tell_stored()
        fetching = max(fetched - began - waited, 0.0)
        self._forecast(remembered, fetching=fetching, storing=storing)
        for page in pages:
            yield self._unless_stopped(page)
            del page
            self._tell_stored()

    def identify(self) -> None:
        """Learn the user without loading the listing. Raises RestErrors."""
        known = self.remembered().get(self.client.identity_key)
        self._note_identity(self.client.identify(known.etag if known else None), known)

    def missing_finder(self) -> MissingFinder:
        """Return the finder of repositories that are not in `scan`, which is complete by now."""
        writer = self._writer
        return MissingFinder(self.client, writer, self.arguments, self.scan, self.remembered)

    def _tell_stored(self) -> None:
        self._progress.page_stored(self._writer.counts, self.scan.announced_pages)

    def _unless_stopped(self, page: Page) -> Page:
        if self.client.stop.is_set():
            raise Interrupted("stopped between two pages")
        return page

    def _account(self) -> dict[str, Any]:
        return self._writer.store.account(self._writer.run.account)

    def _forecast(
        self, remembered: Mapping[str, CachedPage], *, fetching: float, storing: float
    ) -> None:
        """Report the cost of the listing, by the time that its first page took."""
        client, pages = self.client, self.scan.announced_pages
        if pages is None:
            return
        mine = client.page_key("http")
        forecast = forecast_listing(
            pages=pages,
            # Less the first page, which has arrived.
            remembered=max(sum(key.startswith(mine) for key in remembered) - 1, 0),
            # An ETag is valid for one token, and an App gets a new token for each run.
            conditional_is_free=client.signs_in and client.credentials.app is None,
            quota=client.rate_limit,
            reserve=client.reserve,
            fetching=fetching,
            storing=storing,
            concurrency=client.concurrency,
        )
        if forecast.is_large:
            log_forecast(forecast)
            self._progress.forecast_made(forecast)

    def _note_identity(self, identity: Identity, known: CachedPage | None) -> None:
        """Record the account's user; `known` is the remembered answer to the same token."""
        writer, client, key = self._writer, self.client, self.client.identity_key
        writer.kept_pages.append(key)
        log_clock(identity.clock_skew)
        if client.clock_check.agrees:  # by this answer and that of the first page
            writer.store.set_times_back(writer.run)
        before = self._account()
        if identity.user is None and known is not None and before.get("id") not in known.ids:
            # A 304, but the account's row names another user: a run with another token was here.
            identity = client.identify()
        self.identity = identity
        user = identity.user
        if user is None:
            return
        self._share_limits(user.id)
        if before.get("id") not in (None, user.id):
            log_identity_changed(before.get("login"), user.login)
            if before.get("listing_basis") is None:
                # So that later runs know whose the stored repositories are.
                former = listing_identity(client, self.arguments, identity).of_user(before["id"])
                writer.store.note_basis(writer.run, former.as_text())
        writer.store.note_identity(writer.run, user_id=user.id, login=as_kept(user.login))
        if identity.etag:
            entry = PageEntry(key, identity.etag, (user.id,), 1, None)
            writer.transact(lambda transaction: transaction.remember_page(entry))

    def _share_limits(self, user_id: int) -> None:
        """Share the rate-limit state with the other clients of the same user."""
        client = self.client
        if not client.signs_in:
            return
        account, host = self._writer.run.account, client.quota_host
        client.limits, others = self._limits.join(account, host, user_id, client.limits)
        for other in others:
            log_quota_shared(other)
