"""The counts of a run for each resource, in `resource_runs`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Self

from sqlalchemy import and_, bindparam, delete, func, insert, select

from sync.database.run_transaction import RunTransaction
from sync.database.tables import resource_runs
from sync.database.writes import RunCounts
from sync.resources.repositories import REPOSITORIES

_FORGET = delete(resource_runs).where(
    resource_runs.c.run_id == bindparam("of_run"), resource_runs.c.resource == bindparam("named")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceCounts:
    """The counts of a run for one resource.

    `asked`: requests, with retries. `not_modified`: answers with status 304. `stored`: items
    inserted, changed or marked as removed. `skipped`: items filtered out or unreadable.
    `deferred`, `refused`, `failed`: repositories left for a later run, without permission, or
    without a usable answer.
    """

    asked: int = 0
    not_modified: int = 0
    stored: int = 0
    skipped: int = 0
    deferred: int = 0
    refused: int = 0
    failed: int = 0
    lost_days: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )


def record(transaction: RunTransaction, resource: str, counts: ResourceCounts) -> None:
    """Record the run's counts for `resource` so far, replacing earlier ones."""
    mine = {"of_run": transaction.run.id, "named": resource}
    transaction.connection.execute(_FORGET, mine)
    row = {"run_id": transaction.run.id, "resource": resource, **asdict(counts)}
    transaction.connection.execute(insert(resource_runs), row)


def record_repositories(transaction: RunTransaction, counts: RunCounts) -> None:
    """Record the run's final counts for repositories, less those of other resources."""
    told = resource_runs.c
    others = and_(told.run_id == transaction.run.id, told.resource != REPOSITORIES.name)
    sums = select(func.sum(told.asked), func.sum(told.not_modified)).where(others)
    asked, not_modified = transaction.connection.execute(sums).one()
    mine = ResourceCounts(
        asked=counts.requests - int(asked or 0),
        not_modified=counts.not_modified - int(not_modified or 0),
        stored=counts.inserted + counts.updated + counts.removed,
        skipped=counts.skipped + counts.rejected,
    )
    record(transaction, REPOSITORIES.name, mine)
