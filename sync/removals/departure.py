"""Plans the writes for a repository that an account no longer lists. No I/O here."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sync.database.changelog import ACCOUNT, REDACTED, as_text, document, redacted_name
from sync.database.tables import FIELDS
from sync.database.writes import Change, Known
from sync.load.page_plan import diff
from sync.removals.judge import Verdict
from sync.resources.fields import Owner
from sync.resources.repositories import REPOSITORIES

OnPrivate = Literal["keep", "redact", "purge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A repository that the accounts `leaving` no longer list.

    `reason`: of the removal; None if another account still lists it, so that it stays.
    `values`: new values in the order of `tables.FIELDS`, None for no change. `redacts`: its
    changes and payloads are cleared too. `purges`: all its rows are deleted. `postponed`: one
    of these waits until every other account has been listed. `unseen`: GitHub told the account
    that the repository does not exist, or is hidden. `changes`: for the change log.
    """

    id: int
    leaving: tuple[str, ...]
    reason: str | None
    changes: tuple[Change, ...]
    values: tuple[Any, ...] | None = None
    redacts: bool = False
    purges: bool = False
    postponed: bool = False
    unseen: bool = False

    @property
    def clears(self) -> bool:
        """Whether stored data is cleared."""
        return self.redacts or self.purges

    @property
    def secret(self) -> bool:
        """Whether its name must not be logged."""
        return self.clears or self.postponed


def make_departure(
    verdict: Verdict,
    known: Known,
    stored: tuple[Any, ...],
    *,
    leaving: Iterable[str],
    stays_with: Collection[str],
    on_private: OnPrivate,
    now: datetime,
    others: Collection[str] = (),
    departed: Collection[str] = (),
) -> Departure:
    """Return the writes for a repository with a "remove" verdict.

    `stored`: its values before the answer. `leaving`: names of the account that no longer
    lists it. `stays_with`: accounts that still do. `others`: other configured accounts; those
    not in `departed` may list it, so that its data is kept until they have been listed.
    """
    leaving = tuple(leaving)
    reason = _reason(verdict, stored)
    clears = reason == "private" and on_private != "keep" and not stays_with
    postponed = clears and not set(others) <= set(departed)
    unseen = verdict.item is None and on_private != "keep" and bool(others)
    if postponed:
        on_private = "keep"
    if clears and on_private == "purge":
        return Departure(id=verdict.id, leaving=leaving, reason=reason, changes=(), purges=True)
    changes = tuple(Change(ACCOUNT, name, None) for name in leaving)
    values: tuple[Any, ...] | None = None
    redacts = clears and on_private == "redact"
    if reason == "private":
        # Also if another account still lists it, so that a later removal knows that it is private.
        values = _with(stored, visibility="private")
        changes += tuple(diff(stored, values))
    if redacts and values is not None:
        values = _redacted(values, redacted_name(verdict.id))
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
        postponed=postponed,
        unseen=unseen,
    )


def _reason(verdict: Verdict, stored: tuple[Any, ...]) -> str:
    """Return why a repository left the listing, by the verdict and its stored values."""
    before = dict(zip(FIELDS, stored, strict=True))
    if verdict.reason == "not_found" and verdict.visibility == "public":
        # Another account may have stored that it is private.
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
    return _with(values, **dict.fromkeys(REPOSITORIES.private) | names)


def _with(values: tuple[Any, ...], **fields: Any) -> tuple[Any, ...]:
    return tuple(fields.get(name, value) for name, value in zip(FIELDS, values, strict=True))
