"""How an account's resources stand: what is due, refused, and soon lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from sync.config.resources import ResourceSetting
from sync.core.clock import earliest
from sync.database.resource_groups import WITH_FIGURES, is_wanted, state_groups
from sync.database.tables import resource_runs, sync_runs
from sync.resources import BY_NAME

_RECENT = timedelta(days=1)


class ResourceStanding(NamedTuple):
    """How a resource of the repositories that it is read of stands.

    `refused`: numbers of repositories. `oldest_at`: the oldest of their last good readings.
    `next_at`: when one is due next. `lost_at`: when the first figures that were not read are
    gone.
    """

    refused: int = 0
    oldest_at: datetime | None = None
    next_at: datetime | None = None
    lost_at: datetime | None = None


def resource_standings(
    connection: Connection, account: str, settings: Mapping[str, ResourceSetting], now: datetime
) -> dict[str, ResourceStanding]:
    """Return how the resources in `settings` of an account stand, by name."""
    found: dict[str, ResourceStanding] = {}
    for row in state_groups(connection, {account: settings}, now, idle=False):
        if not is_wanted(BY_NAME[row.resource].due, row):
            continue
        before, status = found.get(row.resource, ResourceStanding()), row.status
        found[row.resource] = ResourceStanding(
            before.refused + (row.number if status == "refused" else 0),
            earliest(before.oldest_at, row.oldest if status == "complete" else None),
            earliest(before.next_at, row.next_at if status != "missing" else None),
            earliest(before.lost_at, row.lost_at if status in WITH_FIGURES else None),
        )
    return found


def days_lost(connection: Connection, account: str, now: datetime) -> int:
    """Return the number of days whose figures the runs of the last day found to be gone."""
    run, told = sync_runs.c, resource_runs.c
    statement = (
        select(func.coalesce(func.sum(told.lost_days), 0))
        .join_from(resource_runs, sync_runs, told.run_id == run.id)
        .where(run.account == account, run.started_at > now - _RECENT)
    )
    return int(connection.execute(statement).scalar_one())
