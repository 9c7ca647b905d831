"""Log events about loaded pages; at level warning for rejected or mended items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime

from structlog import get_logger

from sync.database.change_kinds import Kind
from sync.database.changelog import kind_of
from sync.database.resource_runs import ResourceCounts
from sync.database.tables import FIELDS
from sync.database.writes import Rejection, RepositoryWrite
from sync.forges.answers import ChildPage, Page
from sync.resources.figures import Figures
from sync.resources.resource import Resource

log = get_logger("sync.runner")

_REJECTIONS_SHOWN = 10  # per page; the table `rejected_items` has all


def log_page(page: Page, number: int, expected: int | None) -> None:
    """Log a stored page, with its skipped and mended items."""
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


def log_mended(resource: str, repository: str, pages: Iterable[ChildPage]) -> None:
    """Log the first mended items of a repository's resource, and the number of the rest."""
    warnings = [warning for page in pages for item in page.items for warning in item.warnings]
    for warning in warnings[:_REJECTIONS_SHOWN]:
        log.warning("item.mended", resource=resource, repository=repository, reason=warning)
    if (more := len(warnings) - _REJECTIONS_SHOWN) > 0:
        log.warning("item.mended", resource=resource, repository=repository, more=more)


def log_rejections(rejections: Sequence[Rejection]) -> None:
    """Log the first rejected items of a page, and the number of the rest."""
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
    """Log repositories that were renamed, transferred or restored."""
    for write in writes:
        if write.is_new:
            continue
        full_name = write.values[FIELDS.index("full_name")]
        before = next((c.old_value for c in write.changes if c.field == "full_name"), full_name)
        for kind in dict.fromkeys(kind_of(*change) for change in write.changes):
            if kind in _EVENTS:
                log.info(_EVENTS[kind], id=write.id, repository=full_name, before=before)


def log_resource(resource: Resource | Figures, counts: ResourceCounts) -> None:
    """Log the counts of a resource, and a warning if the token lacks the permission for it."""
    say = log.info if counts.stored else log.debug
    say("resource.loaded", resource=resource.name, **asdict(counts))
    if counts.refused:
        log.warning(
            "resource.refused",
            resource=resource.name,
            repositories=counts.refused,
            needs=resource.needs,
        )


def log_waiting(waiting: Mapping[str, int], lost_at: datetime | None) -> None:
    """Log what the quota leaves for a later run, and when the first of it is lost."""
    if waiting:
        until = lost_at.date().isoformat() if lost_at else None
        log.info("resource.waiting", **waiting, nothing_lost_before=until)


def log_lost(resource: str, repository: str, days: Sequence[date]) -> None:
    """Log the days of a repository whose figures are gone, since they were not read in time."""
    log.warning(
        "resource.lost",
        resource=resource,
        repository=repository,
        days=len(days),
        first=days[0].isoformat(),
        last=days[-1].isoformat(),
    )


def log_behind(resource: str, newest: date) -> None:
    """Log that GitHub has not counted the latest days of any repository yet."""
    log.warning(
        "resource.behind",
        resource=resource,
        newest_day=newest.isoformat(),
        message="GitHub is behind: it has no later day of any repository yet",
    )
