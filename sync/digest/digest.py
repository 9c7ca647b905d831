"""What a digest says. No I/O here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from sync.events.event import Event


class Counted(StrEnum):
    """A counter of a digest, by its word for people."""

    stars = "stars"
    forks = "forks"
    views = "views"
    clones = "clones"
    downloads = "downloads"


# Counters that say how many there are; the others are counted anew each day.
LEVELS = frozenset((Counted.stars, Counted.forks))


class Growth(Struct, frozen=True, kw_only=True):
    """What one repository, or all of them, gained of a counter, and in the time before.

    `before`: None where that time is not known. `total`: the count at the end; None of figures
    that are counted anew each day.
    """

    full_name: str
    html_url: str | None = None
    gained: int
    before: int | None = None
    total: int | None = None


class CounterGrowth(Struct, frozen=True, kw_only=True):
    """What all repositories gained of a counter, and those that gained and lost most.

    `others`: the number of repositories with a difference that are not listed.
    """

    counter: Counted
    all: Growth
    gained_most: Sequence[Growth] = ()
    lost_most: Sequence[Growth] = ()
    others: int = 0


class Section(Struct, frozen=True, kw_only=True):
    """Events of one sort: those shown, and the number of those left out."""

    title: str
    events: Sequence[Event]
    others: int = 0


class Quiet(Struct, frozen=True, kw_only=True):
    """A repository to which nobody has pushed for a year: since a day of this time."""

    full_name: str
    html_url: str | None
    pushed_at: datetime


class Digest(Struct, frozen=True, kw_only=True):
    """A digest of the time from `since` to `until`, in UTC.

    `days`: the number of whole days whose figures it sums up. `repositories`: how many there are
    at the end. `needs`: what waits for a person, in sentences.
    """

    since: datetime
    until: datetime
    days: int
    repositories: int
    growth: Sequence[CounterGrowth]
    sections: Sequence[Section]
    quiet: Sequence[Quiet] = ()
    needs: Sequence[str] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        moved = any(each.all.gained or each.gained_most or each.lost_most for each in self.growth)
        return not (moved or self.sections or self.quiet or self.needs)
