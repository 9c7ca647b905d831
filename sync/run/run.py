"""A sync run from start to end: one account's repositories, from GitHub into the ledger."""

from __future__ import annotations

from typing import Any

from structlog import get_logger
from structlog.contextvars import bound_contextvars

from sync.core.errors import DatabaseError, RemovalsWithheld, RepoledgerError
from sync.core.memory import require_room
from sync.database.store import Store
from sync.database.writes import Run
from sync.forges.forge import Forge
from sync.forges.limits import SharedLimits
from sync.load.page import load_page
from sync.load.resources import load_resources
from sync.load.writer import RunWriter
from sync.removals.decide import Removing
from sync.removals.judge import digest
from sync.run.listing import AccountListing
from sync.run.lock import account_lock
from sync.run.options import RunOptions
from sync.run.outcome import RunOutcome
from sync.run.progress import Progress
from sync.run.record import RunRecord, tidy

log = get_logger("sync.runner")


def run_account(
    options: RunOptions,
    client: Forge,
    store: Store,
    *,
    progress: Progress | None = None,
    limits: SharedLimits | None = None,
) -> RunOutcome:
    """Sync the repositories that `client` lists into `store`, and record the outcome.

    `progress` is called as the run goes on. `limits`: rate-limit state shared by accounts of
    the same GitHub user. Returns the outcome, also of a failed run. Raises RunInProgress, and
    DatabaseError or, for an account of another host, ConfigError if the run cannot begin; an
    unexpected exception is recorded and raised.
    """
    progress = progress or Progress()
    with account_lock(options, client, store):
        run = store.start_run(options.account, client.host, options.trigger, options.configured)
        with bound_contextvars(**_named(options, run)):
            log.debug("sync.run_started", trigger=options.trigger, full=options.full)
            writer = RunWriter(run, store, client.stats)
            limits = limits or SharedLimits()
            listing = AccountListing(client, options.listing, writer, progress, limits)
            record = RunRecord(writer, listing.scan, client, progress, options)
            try:
                # One thread for each request, one for its connection, one for the watchdog.
                require_room(threads=2 * client.concurrency + 1)
                withheld = _sync(options, listing, writer, record)
            except RepoledgerError as error:
                outcome = record.finish(error)
            except BaseException as error:
                record.finish(error)
                raise
            else:
                outcome = record.finish(withheld)
            failed = isinstance(outcome.error, DatabaseError)
            if not client.stop.is_set() and not failed and not outcome.forgotten:
                # Pruning goes by age: only with a clock that agrees with GitHub's.
                tidy(store, run, options, prunes=client.clock_check.agrees)
            return outcome


def _named(options: RunOptions, run: Run) -> dict[str, Any]:
    """Return the fields that every event of a run has."""
    told = {"run_id": run.id, "account": options.account}
    return told if options.lists else told | {"trigger": options.trigger}


def _sync(
    options: RunOptions, listing: AccountListing, writer: RunWriter, record: RunRecord
) -> RemovalsWithheld | None:
    """Load the listing, then each repository's resources; return why a removal was withheld."""
    if not options.lists:
        listing.identify()
        _load_resources(options, listing, writer, record)
        return None
    for page in listing.pages(full=options.full):
        load_page(page, listing.scan, writer)
        del page  # frees its memory while the next page is on its way
    withheld = None
    if not listing.scan.partial:
        record.complete = True
        withheld = _remove_missing(options, listing, writer, record)
    _load_resources(options, listing, writer, record)
    return withheld


def _load_resources(
    options: RunOptions, listing: AccountListing, writer: RunWriter, record: RunRecord
) -> None:
    """Load the due resources of the account's repositories."""
    load_resources(
        writer,
        listing.client,
        options.resources,
        full=options.full,
        eager=options.eager,
        only=_ids(writer, options),
        listed=options.lists,
        told=record.progress.resource_stored,
        enough=options.enough,
        loaded=record.loaded,
    )


def _ids(writer: RunWriter, options: RunOptions) -> set[int] | None:
    """Return the ids of the repositories that are asked for; None for all."""
    names = options.repositories
    return writer.store.ids_called(writer.run, names) if names else None


def _remove_missing(
    options: RunOptions, listing: AccountListing, writer: RunWriter, record: RunRecord
) -> RemovalsWithheld | None:
    """Decide about repositories that the listing lacks; return why a removal was withheld."""
    finder, rules = listing.missing_finder(), options.removals
    absence = finder.absent(listing.identity, rules, accept=options.accept_removals)
    removing = Removing(writer, finder, rules, record.progress.withheld)
    if absence.error is not None:
        record.missing_digest = digest(absence.missing)
        removing.withhold(absence)
        return absence.error
    return (
        removing.remove(absence, full=options.full)
        or removing.leave_former_hosts(absence)
        or removing.clear_due()
    )
