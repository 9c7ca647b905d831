"""Figures of repositories: by the day, from views, and what is known of each now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import BigInteger, Date, Select, case, cast, column, func, select, table

from sync.database.tables import CHILDREN, ROWS, repositories
from sync.resources.downloads import DOWNLOAD_READINGS, RELEASE_ASSETS
from sync.resources.traffic import TRAFFIC_WINDOWS

# The views with a row for each day and repository, and their figures.
VIEWS: Mapping[str, tuple[str, ...]] = {
    "traffic_daily": ("views", "view_uniques", "clones", "clone_uniques"),
    "star_totals": ("gained", "retained"),
    "downloads_daily": ("downloads", "total"),
}
# What `figures_now` tells.
FIGURES = ("views", "clones", "downloads")
_WINDOW = timedelta(days=14)


def figures_of(view: str, key: tuple[str, int], since: date, until: date) -> Select[Any]:
    """Return a query for the days of a repository in one of VIEWS."""
    names = ("host", "repository_id", *VIEWS[view])
    shown = table(view, column("day", Date), *map(column, names)).c
    return (
        select(shown.day, *(shown[name] for name in VIEWS[view]))
        .where(shown.host == key[0], shown.repository_id == key[1])
        .where(shown.day.between(since, until))
        .order_by(shown.day)
    )


def figures_now(today: date) -> dict[str, Any]:
    """Return columns, by name, for queries of `repositories`; null is unknown.

    `views`, `clones`: of 14 days, as told by the newest reading of the last 14 days.
    `downloads`: of all assets that there are or were.
    """
    known = repositories.c
    assets, readings = CHILDREN[RELEASE_ASSETS.name].c, ROWS[DOWNLOAD_READINGS].c
    total = (
        select(func.sum(assets.download_count))
        .where(assets.host == known.host, assets.repository_id == known.id)
        .scalar_subquery()
    )
    read = (
        select(readings.host)
        .where(readings.host == known.host, readings.repository_id == known.id)
        .exists()
    )
    counted = func.coalesce(cast(total, BigInteger), case((read, 0)))
    return {
        **{kind: _told(kind, today) for kind in ("views", "clones")},
        "downloads": counted,
    }


def _told(kind: str, today: date) -> Any:
    window = ROWS[TRAFFIC_WINDOWS].c
    return (
        select(window.count)
        .where(window.host == repositories.c.host, window.repository_id == repositories.c.id)
        .where(window.kind == kind, window.read_on.between(today - _WINDOW, today))
        .order_by(window.read_on.desc())
        .limit(1)
        .scalar_subquery()
    )
