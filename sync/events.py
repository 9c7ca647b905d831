"""What a run logs of pages and repositories: what is odd at warning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sync.absence import Absence
from sync.database.kinds import Kind
from sync.database.logged import kind_of
from sync.database.rows import Rejection, RepositoryWrite
from sync.database.tables import FIELDS
from sync.forecast import Forecast
from sync.github.answers import Page
from sync.loggers import get_logger
from sync.settling import Settled

log = get_logger("sync.runner")


def log_forecast(forecast: Forecast) -> None:
    """Log what a listing will cost; at warning if the quota does not suffice for it."""
    say = log.info if forecast.resets == 0 else log.warning
    enough_at = forecast.quota_enough_at
    say(
        "sync.forecast",
        pages=forecast.pages,
        requests=forecast.requests,
        seconds=round(forecast.seconds),
        available=forecast.available,
        hourly=forecast.hourly,
        reset=forecast.reset.isoformat() if forecast.reset else None,
        resets=forecast.resets,
        enough_at=enough_at.isoformat() if enough_at else None,
    )


_REJECTIONS_SHOWN = 10  # of a page; all are in the table


def log_page(page: Page, number: int, expected: int | None) -> None:
    """Log a page that was stored, and what had to be set aside or mended on it."""
    log.debug(
        "sync.page_stored",
        page=number,
        of=expected,
        not_modified=page.not_modified,
        items=page.item_count,
    )
    if page.skipped and not page.sifted:
        log.warning("item.skipped", reason="private in a public listing", items=page.skipped)
    if page.replaced:
        log.warning("text.replaced", characters=page.replaced, page=number)
    for item in page.items:
        for warning in item.warnings:
            log.warning("item.mended", repository=item.record.full_name, reason=warning)


def log_rejections(rejections: Sequence[Rejection]) -> None:
    """Log items that were not stored."""
    for rejection in rejections[:_REJECTIONS_SHOWN]:
        log.warning("item.rejected", position=rejection.position, reason=rejection.reason)
    if len(rejections) > _REJECTIONS_SHOWN:
        log.warning("item.rejected", more=len(rejections) - _REJECTIONS_SHOWN)


_EVENTS = {
    Kind.renamed: "repository.renamed",
    Kind.transferred: "repository.transferred",
    Kind.restored: "repository.restored",
}


def log_writes(writes: Iterable[RepositoryWrite]) -> None:
    """Log repositories that are called otherwise, belong to another owner, or are back."""
    for write in writes:
        if write.is_new:
            continue
        full_name = write.values[FIELDS.index("full_name")]
        before = next((c.old_value for c in write.changes if c.field == "full_name"), full_name)
        for kind in dict.fromkeys(kind_of(*change) for change in write.changes):
            if kind in _EVENTS:
                log.info(_EVENTS[kind], id=write.id, repository=full_name, before=before)


def log_settled(settled: Settled) -> None:
    """Log what was removed, and what the answers told."""
    log_rejections(settled.stored.rejections)
    log_writes(settled.stored.writes)
    for gone in settled.departures:
        # Of what is private now and not to be kept, not even the name.
        name = None if gone.secret else settled.names[gone.id]
        if gone.reason is None:
            log.info("repository.left", id=gone.id, repository=name)
        else:
            log.info("repository.removed", id=gone.id, repository=name, reason=gone.reason)
    for id_, reason in settled.refused.items():
        log.warning("repository.removal_refused", id=id_, reason=reason)
    for id_, reason in settled.unpurged.items():
        log.warning("repository.purge_refused", id=id_, reason=reason)


def log_withheld(absence: Absence, undecided: int | None = None) -> None:
    """Log that missing repositories were not removed; all of them, unless `undecided` says."""
    log.warning(
        "sync.removals_withheld",
        missing=len(absence.missing),
        members=absence.members,
        withheld=len(absence.missing) if undecided is None else undecided,
        reason=absence.objection or "not decided yet",
    )
