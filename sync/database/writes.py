"""Plain values of writes to the ledger. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import Any, Literal, NamedTuple, Self

from sync.resources.repositories import REPOSITORIES

RunStatus = Literal["running", "succeeded", "partial", "failed", "deferred", "interrupted"]
# The statuses of a run after which the account counts as synced.
GOOD: tuple[RunStatus, ...] = ("succeeded", "partial")
# `trigger` of a run that reads resources without the listing: it does not sync the account.
RESOURCES_ONLY = "resources"


class Known(NamedTuple):
    """The hash and state of a stored repository, which a page's transaction reads first."""

    content_hash: str
    listed: bool  # by the account whose page it is
    removed_at: datetime | None = None
    removal_reason: str | None = None
    revision: int = 0  # of the transaction that last wrote it
    push: bool | None = None  # whether that account may push, as was last said


class Change(NamedTuple):
    """A change of one field of a repository; values as text, null as None."""

    field: str
    old_value: str | None
    new_value: str | None


class Membership(NamedTuple):
    """A repository that the account lists, and whether it may push; None if that is unknown."""

    id: int
    push: bool | None


class RepositoryWrite(NamedTuple):
    """A repository to insert or update.

    `values`: in the order of `tables.FIELDS`. `metrics`: whether a counter changed. `joins`:
    whether the account did not list it before. `restores`: whether no account did. `push`: as
    in `Membership`.
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
    push: bool | None = None


class Refusal(NamedTuple):
    """A row that the database refused when written on its own, with its reason."""

    write: RepositoryWrite
    reason: str


class PageEntry(NamedTuple):
    """A row of `page_cache`: a page remembered for the next run."""

    key: str
    etag: str
    ids: tuple[int, ...]
    item_count: int
    next_url: str | None


class Rejection(NamedTuple):
    """An item that was not stored. `position` counts from 0 within its listing.

    `id`, `full_name`: the item's own, as far as they can be read; with a `resource`, those of
    its repository.
    """

    position: int
    reason: str
    payload: str | None
    id: int | None = None
    full_name: str | None = None
    resource: str = REPOSITORIES.name


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCounts:
    """The counts of a run, for its row and its log line.

    `inserted + updated + unchanged + rejected + skipped` is the number of items seen, in the
    listing and in answers about missing repositories. `skipped`: private repositories in a
    public listing. `removed`: repositories that the account no longer lists. `restored`: those
    of `updated` that no account listed before. `withheld`: missing repositories that stay
    undecided.
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

    `configured`: the accounts configured at its start; None for all. `revision`: that of the
    last transaction before the run that wrote repositories. `written`: the revisions of the
    run's own transactions. `took_over`: whether it ended a run that had not ended itself.
    """

    id: int
    account: str
    host: str
    generation: int
    started_at: datetime
    configured: frozenset[str] | None = None
    revision: int = 0
    took_over: bool = False
    written: set[int] = field(default_factory=set, compare=False, repr=False)

    def is_outdated_by(self, revision: int) -> bool:
        """Return whether a row with this revision may be newer than GitHub's answers.

        It is, if another run wrote it after this run began.
        """
        return revision > self.revision and revision not in self.written


def filled_forward(
    rows: Sequence[Mapping[str, Any]],
    since: date,
    until: date,
    absences: Sequence[tuple[date, date]] = (),
) -> Iterator[dict[str, Any]]:
    """Yield a row for each day from `since` to `until`; a missing day repeats the one before.

    Except for days in `absences`, each from a removal to a return.
    """
    upcoming = iter([*rows, None])
    following = next(upcoming)
    current: Mapping[str, Any] | None = None
    day = max(since, rows[0]["day"]) if rows else until + timedelta(days=1)
    while day <= until:
        while following is not None and following["day"] <= day:
            current, following = following, next(upcoming)
        if current is not None and not any(
            current["day"] <= removed < day < returned for removed, returned in absences
        ):
            yield {**current, "day": day}
        day += timedelta(days=1)
