"""What a run logs of its pages: the page at debug, what is odd about it at warning."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from sync.database.rows import Rejection
from sync.github.answers import Page

log = structlog.get_logger("sync.runner")

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
    if page.skipped:
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
