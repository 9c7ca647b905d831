"""Queries for what repositories had in a time and in the one before: traffic and downloads."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Select, case, cast, func, select

from sync.database.tables import CHILDREN, COUNTED, ROWS
from sync.resources.downloads import DOWNLOAD_READINGS, RELEASE_ASSETS
from sync.resources.traffic import TRAFFIC_DAYS, TRAFFIC_WINDOWS

_DAY = timedelta(days=1)


class TwoTimes(NamedTuple):
    """Some days, `first` to `last`, and as many days before them."""

    first: date
    last: date

    @property
    def before(self) -> date:
        """The first day of the time before."""
        return self.first - (self.last - self.first) - _DAY


def traffic_in(kind: str, times: TwoTimes) -> Select[tuple[str, int, int, int]]:
    """Return a query for the views or clones in both times: host, id, now, before.

    A row for each repository that had any. `kind`: `views` or `clones`.
    """
    day = ROWS[TRAFFIC_DAYS].c
    now = func.sum(case((day.day >= times.first, day.count), else_=0))
    before = func.sum(case((day.day < times.first, day.count), else_=0))
    return (
        select(day.host, day.repository_id, cast(now, BigInteger), cast(before, BigInteger))
        .where(day.kind == kind, day.day.between(times.before, times.last))
        .group_by(day.host, day.repository_id)
    )


def traffic_read_since(kind: str) -> Select[tuple[date | None]]:
    """Return a query for the first day on which views or clones were read of any repository."""
    window = ROWS[TRAFFIC_WINDOWS].c
    return select(func.min(window.read_on)).where(window.kind == kind)


def downloads_in(times: TwoTimes) -> Select[tuple[str, int, int, int]]:
    """Return a query for the downloads in both times: host, id of the repository, now, before.

    What an asset had when it was first seen is a download of that time only if it is not older.
    """
    asset = CHILDREN[RELEASE_ASSETS.name].c
    begins = (times.before, times.first, times.last + _DAY)
    counts = [_downloaded_before(asset, begin) for begin in begins]
    known = [
        func.coalesce(count, case((asset.created_at >= as_moment(begin), 0)))
        for count, begin in zip(counts, begins, strict=True)
    ]
    gained = (func.sum(later - earlier) for earlier, later in pairwise(known))
    before, now = (cast(each, BigInteger) for each in gained)
    return (
        select(asset.host, asset.repository_id, now, before)
        .where(asset.removed_at.is_(None) | (asset.removed_at >= as_moment(times.before)))
        .group_by(asset.host, asset.repository_id)
    )


def _downloaded_before(asset: Any, day: date) -> Any:
    """Return how often an asset had been downloaded at the begin of a day, if that is known."""
    counted = COUNTED[RELEASE_ASSETS.name].alias().c
    mine = counted.host == asset.host, counted.asset_id == asset.id
    last = select(counted.download_count).where(*mine, counted.day < day)
    return last.order_by(counted.day.desc()).limit(1).scalar_subquery()


def downloads_read_since() -> Select[tuple[date | None]]:
    """Return a query for the first day on which downloads were read of any repository."""
    return select(func.min(ROWS[DOWNLOAD_READINGS].c.first_day))


def as_moment(day: date) -> datetime:
    """Return the begin of a day in UTC."""
    return datetime.combine(day, time.min, UTC)
