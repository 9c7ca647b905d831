"""How an account's resources stand: what is due, refused, and soon lost."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, and_, case, func, select

from sync.database.tables import (
    account_repositories,
    repositories,
    resource_runs,
    resource_states,
    sync_runs,
)

_RECENT = timedelta(days=1)
# The answers after which there are figures that may be lost.
WITH_FIGURES = ("complete", "computing", "failed")


class ResourceStanding(NamedTuple):
    """How a resource of the repositories that an account lists stands.

    `refused`: numbers of repositories. `oldest_at`: the oldest of their last good readings.
    `next_at`: when one is due next. `lost_at`: when the first figures that were not read are
    gone.
    """

    refused: int
    oldest_at: datetime | None
    next_at: datetime | None
    lost_at: datetime | None


def resource_standings(connection: Connection, account: str) -> dict[str, ResourceStanding]:
    """Return how each resource of an account stands, by name."""
    state, member, table = resource_states.c, account_repositories.c, repositories.c
    listed = and_(
        member.account == state.account,
        member.host == state.host,
        member.repository_id == state.repository_id,
        member.gone_at.is_(None),
    )
    present = and_(
        table.host == state.host, table.id == state.repository_id, table.removed_at.is_(None)
    )
    has_figures = state.status.in_(WITH_FIGURES)
    statement = (
        select(
            state.resource,
            func.sum(case((state.status == "refused", 1), else_=0)),
            func.min(case((state.status == "complete", state.checked_at))),
            func.min(case((state.status != "missing", state.next_at))),
            func.min(case((has_figures, state.lost_at))),
        )
        .select_from(resource_states)
        .join(account_repositories, listed)
        .join(repositories, present)
        .where(state.account == account)
        .group_by(state.resource)
    )
    return {
        name: ResourceStanding(int(refused), *times)
        for name, refused, *times in connection.execute(statement)
    }


def days_lost(connection: Connection, account: str, now: datetime) -> int:
    """Return the number of days whose figures the runs of the last day found to be gone."""
    run, told = sync_runs.c, resource_runs.c
    statement = (
        select(func.coalesce(func.sum(told.lost_days), 0))
        .join_from(resource_runs, sync_runs, told.run_id == run.id)
        .where(run.account == account, run.started_at > now - _RECENT)
    )
    return int(connection.execute(statement).scalar_one())
