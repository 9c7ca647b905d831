"""What is written to a ledger, as plain values. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any, Literal, NamedTuple, Self

RunStatus = Literal["running", "succeeded", "partial", "failed", "deferred", "interrupted"]
# A run after which the account counts as synced.
GOOD: tuple[RunStatus, ...] = ("succeeded", "partial")


class Known(NamedTuple):
    """What a page's transaction first asks of a repository: as good as free to compare."""

    content_hash: str
    listed: bool  # by the account whose page it is
    removed_at: datetime | None = None
    removal_reason: str | None = None


class Change(NamedTuple):
    """One field of one repository changed; values as text, null as None."""

    field: str
    old_value: str | None
    new_value: str | None


class RepositoryWrite(NamedTuple):
    """A repository to insert or update.

    `values` are in the order of `tables.FIELDS`. `metrics` is whether a
    counter changed. `joins` is whether the account did not list it before,
    `restores` whether no account did.
    """

    id: int
    values: tuple[Any, ...]
    payload: str | None
    content_hash: str
    is_new: bool
    changes: tuple[Change, ...]
    metrics: bool
    joins: bool
    restores: bool = False


class Refusal(NamedTuple):
    """A write that the database refused, alone in its page, and why."""

    write: RepositoryWrite
    reason: str


class PageEntry(NamedTuple):
    """What is remembered of a page for the next run."""

    key: str
    etag: str
    ids: tuple[int, ...]
    item_count: int
    next_url: str | None


class Rejection(NamedTuple):
    """An item that was not stored. `position` counts from 0 within its listing."""

    position: int
    reason: str
    payload: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCounts:
    """What a run has done: the same value goes into its row and its log line.

    `inserted + updated + unchanged + rejected + skipped` is the number of
    items seen, in the listing and in answers about what it lacks. `skipped` are
    private ones in a public listing. `removed` are repositories that the
    account no longer lists, `restored` those among `updated` that no account
    listed before, `withheld` those that the listing lacked and of which nothing
    was decided.
    """

    pages: int = 0
    requests: int = 0
    not_modified: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    restored: int = 0
    withheld: int = 0
    rejected: int = 0
    skipped: int = 0
    wait_seconds: float = 0.0

    def __add__(self, other: Self) -> Self:
        return type(self)(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )

    @property
    def items(self) -> int:
        """The number of items seen."""
        return self.inserted + self.updated + self.unchanged + self.rejected + self.skipped

    @property
    def steps(self) -> int:
        """A number that grows with every transaction that counts something."""
        return self.pages + self.items + self.removed + self.withheld

    def as_dict(self) -> dict[str, Any]:
        """Return the counts by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that has begun. `generation` is its fence: a later run has a higher one.

    `configured` are the accounts that were configured then; None for all there are.
    """

    id: int
    account: str
    host: str
    generation: int
    started_at: datetime
    configured: frozenset[str] | None = None


def filled_forward(
    rows: Sequence[Mapping[str, Any]], since: date, until: date
) -> Iterator[dict[str, Any]]:
    """Yield a row for each day from `since` to `until`, each missing one like the day before."""
    upcoming = iter([*rows, None])
    following = next(upcoming)
    current: Mapping[str, Any] | None = None
    day = max(since, rows[0]["day"]) if rows else until + timedelta(days=1)
    while day <= until:
        while following is not None and following["day"] <= day:
            current, following = following, next(upcoming)
        if current is not None:
            yield {**current, "day": day}
        day += timedelta(days=1)
