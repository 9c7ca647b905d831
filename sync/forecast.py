"""Pure: what a listing will cost, before most of it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, floor

from sync.github.protocol import RateLimit

# Up to so many pages there is nothing to foretell: it is done in a moment.
_FEW = 10
_HOUR = timedelta(hours=1)
_BEFORE = 2  # requests before anything is foretold: who it is, and the first page


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a run will need, as its first page tells.

    `pages` GitHub has announced; `requests` are those that will cost quota, unless
    more has changed than is known. `seconds` is how long they take at the pace of
    the first page, without waits for quota. `available` is how many requests may be
    made until `reset` (UTC), `hourly` in each hour after that; both leave the
    reserve alone, and are None if the server sets no limit. A run that quota cut
    short is `resumable` if the next one does not pay again for what is stored.
    """

    pages: int
    requests: int
    seconds: float
    available: int | None = None
    hourly: int | None = None
    reset: datetime | None = None
    resumable: bool = True

    @property
    def is_large(self) -> bool:
        """Whether it is worth telling."""
        return self.requests > _FEW or self.resets != 0

    @property
    def resets(self) -> int | None:
        """How often the quota has to start anew before it is done; None if that never helps."""
        if self.available is None or self.hourly is None or self.requests <= self.available:
            return 0
        if not self.resumable:
            return 1 if self.requests + _BEFORE <= self.hourly else None
        return ceil((self.requests - self.available) / self.hourly) if self.hourly else None

    @property
    def quota_enough_at(self) -> datetime | None:
        """When the quota will suffice, if it does not now; UTC."""
        if not self.resets or self.reset is None:
            return None
        return self.reset + (self.resets - 1) * _HOUR


def foretell(
    *,
    pages: int,
    remembered: int,
    conditional_is_free: bool,
    quota: RateLimit | None,
    reserve: float,
    fetching: float,
    storing: float,
    concurrency: int,
) -> Forecast:
    """Return what the pages behind the first one will need.

    Of `pages`, `remembered` can be asked for conditionally, which is free with a
    token if they are as they were. `fetching` and `storing` the first page took so
    many seconds; `concurrency` pages are fetched at a time, and stored one by one.
    """
    left = max(pages - 1, 0)
    new = max(left - remembered, 0) if conditional_is_free else left
    seconds = max(ceil(new / concurrency) * fetching, new * storing)
    if quota is None:
        return Forecast(pages=pages, requests=new, seconds=seconds)
    kept = quota.limit * reserve
    return Forecast(
        pages=pages,
        requests=new,
        seconds=seconds,
        available=max(floor(quota.remaining - kept), 0),
        hourly=floor(quota.limit - kept),
        reset=quota.reset,
        resumable=conditional_is_free,
    )
