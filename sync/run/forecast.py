"""The cost of a listing in requests and seconds, estimated from its first page. No I/O here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, floor

from sync.forges.limits import RateLimit

_FEW = 10  # requests that take so little time that no forecast is shown
_HOUR = timedelta(hours=1)
_BEFORE = 2  # requests before the forecast: the user and the first page


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The requests and the time that a run will need.

    `pages`: announced by GitHub. `requests`: those that cost quota; more if remembered
    pages have changed. `seconds`: their duration at the pace of the first page, without
    waits for quota. `available`: requests allowed until `reset` (UTC), `hourly`: in each
    hour after that; both without the reserve, and None if the server sets no limit.
    `resumable`: whether a run that the quota cut short need not pay again for stored pages.
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
        """Whether the forecast is worth showing."""
        return self.requests > _FEW or self.resets != 0

    @property
    def resets(self) -> int | None:
        """How many quota resets the run needs; None if no number of them is enough."""
        if self.available is None or self.hourly is None or self.requests <= self.available:
            return 0
        if not self.resumable:
            return 1 if self.requests + _BEFORE <= self.hourly else None
        return ceil((self.requests - self.available) / self.hourly) if self.hourly else None

    @property
    def quota_enough_at(self) -> datetime | None:
        """The UTC time from which the quota is enough; None if it is enough now."""
        if not self.resets or self.reset is None:
            return None
        return self.reset + (self.resets - 1) * _HOUR


def forecast_listing(
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
    """Return what the pages after the first one will need.

    `remembered`: how many of `pages` can be requested conditionally; with a token, an
    unchanged one is free. `fetching`, `storing`: seconds for the first page. Pages are
    fetched `concurrency` at a time, and stored one by one.
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
