"""Stores the answer about a resource of a repository: rows and state, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec

from sync.database import child_reader, child_writer, row_writer
from sync.database.child_writer import NewState
from sync.database.resource_runs import ResourceCounts
from sync.database.run_transaction import RunTransaction
from sync.forges.answers import ChildPage
from sync.load.child_page import is_idle, store_items
from sync.load.due import (
    COMPUTING_FOR,
    Candidate,
    ResourcePlan,
    Status,
    basis_of,
    next_check,
    pushed_at,
)
from sync.load.fetched import Fetched, page_entries, part_entries
from sync.load.figures import asked_of, read_answers, store_answers
from sync.resources import READINGS
from sync.resources.figures import Figures, Told
from sync.resources.resource import Resource

# What an answer of another shape raises when it is read.
_UNREADABLE = (msgspec.DecodeError, LookupError, OverflowError, RecursionError, ValueError)
_FAILED_PAGES = 3  # in a row, after which the first page is requested again


class Answered(NamedTuple):
    """The result of storing an answer.

    `status`: as stored. `next_at`: the time of the next request. `goes_on`: whether another page
    is to be read right away. `told`: of figures, what the answer says.
    """

    status: Status
    counts: ResourceCounts
    next_at: datetime | None = None
    goes_on: bool = False
    told: Told | None = None


class _Written(NamedTuple):
    """Rows that were written. `whole`: whether the pages may be remembered."""

    counts: ResourceCounts
    memory: dict[str, Any]
    whole: bool = True
    lost_at: datetime | None = None
    told: Told | None = None


def store_answer(
    transaction: RunTransaction,
    resource: Resource | Figures,
    plan: ResourcePlan,
    fetched: Fetched,
    *,
    rights: str,
    newest: Mapping[str, date],
) -> Answered:
    """Store an answer, unless the repository has been removed meanwhile.

    `rights`: who asked. `newest`: the newest day of each part that was told before the request.
    """
    candidate, status, detail = fetched.candidate, fetched.status, fetched.detail
    if not child_reader.is_current(transaction, candidate.id):
        return Answered("missing", ResourceCounts(skipped=1))
    memory = _memory(candidate)
    written = _Written(ResourceCounts(), memory)
    try:
        if isinstance(resource, Resource):
            if status == "complete":
                written = _store_pages(transaction, resource, candidate, fetched.pages)
        elif fetched.parts:
            asked = asked_of(fetched, newest)
            told = read_answers(resource, fetched, asked)
            if status != "complete":  # a part is missing, and is still to be read in time
                told = told._replace(lost=(), lost_at=None)
            stored = store_answers(transaction, resource, asked, told)
            counts = ResourceCounts(
                stored=stored.written, skipped=len(told.oddities), lost_days=len(told.lost)
            )
            written = _Written(counts, stored.memory, not told.oddities, told.lost_at, told)
    except _UNREADABLE as error:
        status, detail = "failed", f"UnexpectedAnswer: {str(error)[:200]}"
    failures = _failures(candidate, status)
    memory = _noted(written.memory, status, candidate, rights=rights, now=transaction.now)
    if failures >= _FAILED_PAGES and status == "failed":
        memory.pop("next", None)
    if status == "computing" and _is_long_computing(memory, transaction.now):
        status = "unavailable"
    lost_at = written.lost_at or (candidate.state.lost_at if candidate.state else None)
    next_at = next_check(
        plan,
        status,
        repository_id=candidate.id,
        memory=memory,
        failures=failures,
        now=transaction.now,
        lost_at=lost_at,
    )
    state = NewState(
        status=status,
        next_at=next_at,
        lost_at=lost_at,
        basis=_basis(plan, fetched),
        cursor=msgspec.json.encode(memory).decode(),
        failures=failures,
        detail=detail,
    )
    name, counts = resource.name, written.counts + _refusal(status)
    child_writer.note_state(
        transaction, name, candidate.id, state, changed=written.counts.stored > 0
    )
    if status == "complete" and written.whole and name in READINGS:
        today = transaction.now.date()
        row_writer.note_reading(transaction, READINGS[name], candidate.id, today)
    is_new = not (written.whole and _is_same(fetched))
    if status == "complete" and fetched.url is None and is_new:
        entries = page_entries(fetched.pages) or part_entries(fetched.parts)
        child_writer.remember_pages(
            transaction, name, candidate.id, entries if written.whole else ()
        )
    return Answered(status, counts, next_at, bool(memory.get("next")), written.told)


def _basis(plan: ResourcePlan, fetched: Fetched) -> str:
    """Return the fields that the answer depends on; of a further page, those of the first."""
    before = fetched.candidate.state
    if fetched.url is not None and before is not None and before.basis is not None:
        return before.basis
    return basis_of(plan.due, fetched.candidate.listed)


def _memory(candidate: Candidate) -> dict[str, Any]:
    return dict(candidate.state.memory) if candidate.state else {}


def _store_pages(
    transaction: RunTransaction,
    resource: Resource,
    candidate: Candidate,
    pages: Sequence[ChildPage],
) -> _Written:
    """Write items that differ, and note whether there are none of those that matter."""
    same = [id_ for each in pages if each.not_modified for id_ in each.ids]
    whole, counts = child_reader.are_stored(transaction, resource, same), ResourceCounts()
    if not all(each.not_modified for each in pages):
        counts = store_items(transaction, resource, candidate.id, pages)
        whole = whole and not counts.skipped
    idle = is_idle(transaction, resource, candidate.id)
    return _Written(counts, {**_memory(candidate), "idle": int(idle and whole)}, whole)


def _failures(candidate: Candidate, status: Status) -> int:
    """Return the number of answers in a row with this status, if it is no good one."""
    before = candidate.state
    if status not in ("failed", "computing"):
        return 0
    return 1 + (before.failures if before is not None and before.status == status else 0)


def _noted(
    memory: dict[str, Any],
    status: Status,
    candidate: Candidate,
    *,
    rights: str,
    now: datetime,
) -> dict[str, Any]:
    """Return the memory with what tells later whether to ask again."""
    kept = {n: v for n, v in memory.items() if n not in ("rights", "pushed_at", "computing")}
    if status in ("refused", "missing"):
        return {**kept, "rights": rights}
    if status == "empty":
        return {**kept, "pushed_at": pushed_at(candidate.listed)}
    if status == "computing":
        return {**kept, "computing": memory.get("computing") or now.isoformat()}
    return kept


def _is_long_computing(memory: Mapping[str, Any], now: datetime) -> bool:
    return now - datetime.fromisoformat(memory["computing"]) >= COMPUTING_FOR


def _refusal(status: Status) -> ResourceCounts:
    return ResourceCounts(refused=int(status == "refused"), failed=int(status == "failed"))


def _is_same(fetched: Fetched) -> bool:
    """Return whether every page is the remembered one."""
    return all(each.not_modified for each in fetched.pages) and all(
        each.body is None for each in fetched.parts
    )
