"""Decides when an account's resources are read between two listings. No I/O here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from sync.core.deadline import believed
from sync.core.errors import kind_of
from sync.daemon.schedule import LONGEST_PAUSE
from sync.database.writes import GOOD
from sync.run.outcome import RunOutcome

# The shortest time between two readings, so that what becomes due meanwhile is read together.
BUNDLE = timedelta(minutes=10)
# Seconds after which a reading makes room for another account's, and after which a run that
# loads the listing too leaves the rest for a reading.
SLICE = 300.0
WITH_LISTING = 60.0
_FIRST_PAUSE = timedelta(minutes=1)  # after a failed reading, doubled after each further one


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The end of the last run that loaded resources of an account; times in UTC.

    `next_at`: when something is due next; None if nothing is known to be. `resume_at`: when a
    reading that ended early can go on. `failures`: failed runs in a row. `is_halted`: whether
    the last one failed in a way that only the next listing can tell the end of, such as a bad
    token.
    """

    ended_at: datetime | None = None
    next_at: datetime | None = None
    resume_at: datetime | None = None
    not_before: datetime | None = None
    failures: int = 0
    is_halted: bool = False

    def after(self, outcome: RunOutcome, now: datetime) -> Self:
        """Return what a run that ended `now`, with a listing or without, left."""
        if outcome.status in GOOD:
            loaded = outcome.loaded
            new = replace(self, next_at=loaded.next_at, resume_at=loaded.resume_at, failures=0)
        else:  # what it did not reach is due still
            failed = outcome.status == "failed"
            new = replace(self, next_at=now, resume_at=None, failures=self.failures + failed)
        error = outcome.error.code if outcome.error and outcome.status == "failed" else None
        return replace(
            new,
            ended_at=now,
            not_before=outcome.not_before,
            is_halted=error is not None and not kind_of(error).is_transient,
        )


class Wanted(NamedTuple):
    """What waits while an account's resources are read.

    `own_listing`: whether the account is to be listed. `listings`, `readings`: numbers of runs
    that wait for a free worker.
    """

    own_listing: bool
    listings: int
    readings: int


def next_reading(
    reading: Reading, now: datetime, *, synced: bool, listing_at: datetime | None
) -> datetime | None:
    """Return the time of the next reading; None if the next listing comes first, or none is due.

    `synced`: whether the account was ever listed. `listing_at`: when it is listed next, which
    reads its resources too.
    """
    if reading.is_halted or not synced:
        return None
    ended = None if reading.ended_at is None else min(reading.ended_at, now)  # a clock set back
    moments = [] if reading.resume_at is None else [reading.resume_at]
    if reading.next_at is not None:
        moments.append(reading.next_at if ended is None else max(reading.next_at, ended + BUNDLE))
    if not moments:
        return None
    at = min(moments)
    if reading.failures and ended is not None:
        doublings = min(reading.failures - 1, 32)
        at = max(at, ended + min(_FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE))
    asked = believed(reading.not_before, now, noted=(reading.ended_at,))
    at = at if asked is None else max(at, asked)
    return at if listing_at is None or at < listing_at else None


def has_read_enough(seconds: float, wanted: Wanted, *, lists: bool) -> bool:
    """Return whether a run that has loaded resources for so many `seconds` leaves the rest.

    `wanted`: what waits for its worker. `lists`: whether it also loaded the listing: it is to
    end soon, so that the account counts as synced.
    """
    if lists and seconds >= WITH_LISTING:
        return True
    own = wanted.own_listing and not lists
    return own or wanted.listings > 0 or (wanted.readings > 0 and seconds >= SLICE)
