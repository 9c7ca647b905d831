"""Stores a page in the ledger, in one transaction: read, plan, write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from sync.database.run_transaction import RunTransaction
from sync.database.writes import Refusal, Rejection, RepositoryWrite, RunCounts
from sync.forges.answers import Page
from sync.forges.records import Item
from sync.load.page_log import log_page, log_rejections, log_writes
from sync.load.page_plan import (
    Hashed,
    appearing,
    differing,
    hash_items,
    make_plan,
    page_entry,
    recall,
)
from sync.load.scan import ListingScan
from sync.load.writer import RunWriter

# Numbers of new rows in a run after which the database's planner statistics are updated.
_STATISTICS_AT = (1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The result of storing items: each repository once, the counts, the rejections.

    `outdated`: ids not written because the ledger had newer data.
    """

    items: tuple[Hashed, ...] = ()
    writes: tuple[RepositoryWrite, ...] = ()
    counts: RunCounts = field(default_factory=RunCounts)
    rejections: tuple[Rejection, ...] = ()
    outdated: tuple[int, ...] = ()


def load_page(page: Page, scan: ListingScan, writer: RunWriter) -> None:
    """Store a page; only count it if it has not changed."""
    writer.kept_pages.append(page.key)
    position, pages = scan.items, int(not scan.marks_end(page))
    scan.take(page)
    writer.announced_pages = scan.announced_pages
    before = writer.counts
    if page.not_modified:
        writer.count(RunCounts(pages=pages, unchanged=page.item_count))
        writer.note_progress()
    else:
        stored = writer.write(
            lambda transaction: store_page(transaction, page, position=position, pages=pages),
            lambda stored: stored.counts,
        )
        if any(before.inserted < size <= writer.counts.inserted for size in _STATISTICS_AT):
            writer.store.gather_statistics()
        log_rejections(stored.rejections)
        log_writes(stored.writes)
    if writer.counts.pages > before.pages:
        log_page(page, writer.counts.pages, scan.announced_pages)


def store_page(transaction: RunTransaction, page: Page, *, position: int, pages: int = 1) -> Stored:
    """Write a page; `position` is the place of its first item in the listing, from 0.

    It counts as so many `pages`: none if it only marks the end.
    """
    unreadable = [
        Rejection(position + r.position, r.reason, r.payload, r.id, r.full_name)
        for r in page.rejected
    ]
    transaction.reject(unreadable)
    stored = store_items(transaction, page.items, position=position)
    rejections = (*unreadable, *stored.rejections)
    entry = page_entry(page, stored.items)
    if (
        entry is None
        or rejections
        or stored.outdated
        or page.partial
        or (page.skipped and not page.sifted)
    ):
        # The next run downloads it again, since it was not stored as a whole.
        transaction.forget_page(page.key)
    else:
        transaction.remember_page(entry)
    odd = RunCounts(pages=pages, rejected=len(unreadable), skipped=page.skipped)
    return replace(stored, counts=stored.counts + odd, rejections=rejections)


def store_items(transaction: RunTransaction, items: Sequence[Item], *, position: int) -> Stored:
    """Write the items that differ from the ledger; keep refused ones in `rejected_items`."""
    hashed = hash_items(items)
    known = transaction.known([item.id for item in hashed])
    stored = transaction.values(differing(hashed, known))
    recalled = recall(stored, transaction.payloads(appearing(hashed, stored)))
    newer = transaction.outdated(known)
    plan = make_plan(hashed, known, stored, seen=len(items), recalled=recalled, newer=newer)
    refusals = transaction.write(plan.writes)
    transaction.join(plan.joins)
    transaction.grant(plan.grants)
    rejections = tuple(_rejections(refusals, items, position))
    transaction.reject(rejections)
    refused = {refusal.write.id for refusal in refusals}
    writes = tuple(write for write in plan.writes if write.id not in refused)
    inserted = sum(write.is_new for write in writes)
    counts = RunCounts(
        inserted=inserted,
        updated=len(writes) - inserted,
        restored=sum(write.restores for write in writes),
        unchanged=plan.unchanged,
        rejected=len(rejections),
    )
    return Stored(
        items=hashed,
        writes=writes,
        counts=counts,
        rejections=rejections,
        outdated=plan.outdated,
    )


def _rejections(
    refusals: Iterable[Refusal], items: Iterable[Item], position: int
) -> Iterator[Rejection]:
    found = {item.record.id: item for item in items}
    for write, reason in refusals:
        item = found[write.id]
        yield Rejection(
            position + item.position,
            f"id {write.id}: {reason}",
            write.payload,
            write.id,
            item.record.full_name,
        )
