"""What is to be written of a repository that an account lists no longer. No I/O here."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sync.database.logged import ACCOUNT, REDACTED, REDACTED_NAME, as_text, document
from sync.database.rows import Change, Known
from sync.database.tables import FIELDS
from sync.github.records import Owner
from sync.planning import diff
from sync.verdicts import Verdict

OnPrivate = Literal["keep", "redact", "purge"]

# What a private repository's row and log tell no more; of its full name, the owner stays.
REDACTED_FIELDS = (
    *("name", "full_name", "html_url", "description", "homepage", "language"),
    *("license_spdx_id", "topics", "default_branch"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A repository that the accounts `leaving` list no longer.

    `reason` is None if another account still does; then it is not removed.
    `values`, in the order of `tables.FIELDS`, are those that stay, None if all
    of them do. `redacts` is whether its log and its payloads are cleared too,
    `purges` whether nothing stays at all. `changes` are for the log.
    """

    id: int
    leaving: tuple[str, ...]
    reason: str | None
    changes: tuple[Change, ...]
    values: tuple[Any, ...] | None = None
    redacts: bool = False
    purges: bool = False

    @property
    def secret(self) -> bool:
        """Whether nothing but its id may be told of it."""
        return self.redacts or self.purges


def make_departure(
    verdict: Verdict,
    known: Known,
    stored: tuple[Any, ...],
    *,
    leaving: Iterable[str],
    stays_with: Collection[str],
    on_private: OnPrivate,
    now: datetime,
) -> Departure:
    """Return what to write of what a verdict removes.

    `stored` holds its values before that answer. `leaving` are names of the
    account that lists it no longer, `stays_with` the accounts that still do.
    """
    leaving = tuple(leaving)
    reason = _reason(verdict, stored)
    if reason == "private" and on_private == "purge" and not stays_with:
        return Departure(id=verdict.id, leaving=leaving, reason=reason, changes=(), purges=True)
    changes = tuple(Change(ACCOUNT, name, None) for name in leaving)
    values: tuple[Any, ...] | None = None
    redacts = reason == "private" and on_private == "redact" and not stays_with
    if reason == "private":
        # Also where another account lists it still: what is known then is known for later.
        values = _with(stored, visibility="private")
        changes += tuple(diff(stored, values))
    if redacts and values is not None:
        values = _redacted(values, f"{REDACTED_NAME}{verdict.id}]")
        changes += (Change(REDACTED, None, document(values)),)
    removes = not stays_with and known.removed_at is None
    if removes:
        when = Change("removed_at", None, as_text(now))
        changes += (when, Change("removal_reason", None, reason))
    return Departure(
        id=verdict.id,
        leaving=leaving,
        reason=reason if removes else None,
        changes=changes,
        values=None if values == stored else values,
        redacts=redacts,
    )


def _reason(verdict: Verdict, stored: tuple[Any, ...]) -> str:
    """Return why a repository left the listing, given also what was known of it."""
    before = dict(zip(FIELDS, stored, strict=True))
    if verdict.reason == "not_found" and verdict.visibility == "public":
        # Another account may have been told that it is private.
        return "private" if before["visibility"] == "private" else verdict.reason
    if verdict.reason is not None:
        return verdict.reason
    record = verdict.item.record if verdict.item else None
    owner = record.owner.id if record and isinstance(record.owner, Owner) else None
    known = None not in (before["owner_id"], owner)
    return "transferred" if known and before["owner_id"] != owner else "unlisted"


def _redacted(values: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    owner = values[FIELDS.index("full_name")].partition("/")[0]
    names = {"name": name, "full_name": f"{owner}/{name}"}
    return _with(values, **dict.fromkeys(REDACTED_FIELDS) | names)


def _with(values: tuple[Any, ...], **fields: Any) -> tuple[Any, ...]:
    return tuple(fields.get(name, value) for name, value in zip(FIELDS, values, strict=True))
