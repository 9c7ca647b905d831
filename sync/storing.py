"""Pages and items into the ledger, within a transaction: look, plan, write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sync.database.page import PageTransaction
from sync.database.rows import Refusal, Rejection, RepositoryWrite, RunCounts
from sync.github.answers import Page
from sync.github.records import Item
from sync.planning import Hashed, differing, hash_items, make_plan, page_entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What became of items: each repository once, how many were what, what was rejected."""

    items: tuple[Hashed, ...]
    writes: tuple[RepositoryWrite, ...]
    counts: RunCounts
    rejections: tuple[Rejection, ...]


def store_page(transaction: PageTransaction, page: Page, *, position: int) -> Stored:
    """Write a page; `position` is that of its first item in the listing."""
    unreadable = [Rejection(position + r.position, r.reason, r.payload) for r in page.rejected]
    transaction.reject(unreadable)
    stored = store_items(transaction, page.items, position=position)
    rejections = (*unreadable, *stored.rejections)
    entry = page_entry(page, stored.items)
    if entry is None or rejections or page.partial or (page.skipped and not page.sifted):
        # Asked for whole next time, so that what is wrong with it is seen again.
        transaction.forget_page(page.key)
    else:
        transaction.remember_page(entry)
    odd = RunCounts(pages=1, rejected=len(unreadable), skipped=page.skipped)
    return replace(stored, counts=stored.counts + odd, rejections=rejections)


def store_items(transaction: PageTransaction, items: Sequence[Item], *, position: int) -> Stored:
    """Write what differs from the ledger, and keep what the database refuses."""
    hashed = hash_items(items)
    known = transaction.known([item.id for item in hashed])
    stored = transaction.values(differing(hashed, known))
    plan = make_plan(hashed, known, stored, seen=len(items))
    refusals = transaction.write(plan.writes)
    transaction.join(plan.joins)
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
    return Stored(items=hashed, writes=writes, counts=counts, rejections=rejections)


def _rejections(
    refusals: Iterable[Refusal], items: Iterable[Item], position: int
) -> Iterator[Rejection]:
    positions = {item.record.id: item.position for item in items}
    for write, reason in refusals:
        yield Rejection(position + positions[write.id], f"id {write.id}: {reason}", write.payload)
