"""The state of each account's resources: the queries of `Ledger.resources`.

The states are counted by the database, in one statement for all accounts and resources.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    Table,
    and_,
    case,
    func,
    select,
)

from sync.core.clock import earliest
from sync.database.resource_groups import (
    WITH_FIGURES,
    Settings,
    is_wanted,
    names_of,
    state_groups,
    totals,
)
from sync.database.tables import (
    CHILDREN,
    COUNTED,
    ROWS,
    resource_runs,
    sync_runs,
)
from sync.resources import BY_NAME, RESOURCES
from sync.resources.figures import Figures
from sync.resources.resource import Resource

_DAY = timedelta(days=1)
_READ = ("complete", "empty")


@dataclass(slots=True, kw_only=True)
class ResourceStatus:
    """The state of a resource of an account.

    `wanted`: repositories that it is read of. `statuses`: numbers of repositories, by the status
    of the last answer. `oldest`, `newest`: readings. `due`: repositories whose time has come.
    `never_read`: repositories not yet asked about. `next_at`: when the next one is due. `lost_at`:
    when figures are lost that are not read until then. `reason`: GitHub's words for a refusal.
    `requests_of_day`, `requests_of_run`: in the last 24 hours, and in the last run that read it.
    `deferred`: repositories that run left for want of quota. `lost_days`: since `lost_since`.
    """

    account: str
    resource: str
    wanted: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    oldest: datetime | None = None
    newest: datetime | None = None
    due: int = 0
    never_read: int = 0
    next_at: datetime | None = None
    lost_at: datetime | None = None
    reason: str | None = None
    requests_of_day: int = 0
    requests_of_run: int = 0
    deferred: int = 0
    lost_days: int = 0
    lost_since: datetime | None = None

    @property
    def read(self) -> int:
        """The number of repositories whose last answer was a reading."""
        return sum(self.statuses[each] for each in _READ)

    @property
    def refused(self) -> int:
        """The number of repositories of which GitHub does not let the token read it."""
        return self.statuses["refused"] + self.statuses["blocked"]

    @property
    def is_absent(self) -> bool:
        """Whether every answer was 404, as from a server that does not have the resource."""
        return bool(self.statuses["missing"]) and self.statuses.keys() == {"missing"}

    @property
    def waiting(self) -> int:
        """The number of repositories that are due, or were never read."""
        if self.is_absent or (self.refused and not self.read):
            return 0  # no run asks about the others either
        return max(self.due + self.never_read, self.deferred)


def resource_status(
    connection: Connection, settings: Settings, now: datetime
) -> list[ResourceStatus]:
    """Return the state of each resource of each account in `settings`."""
    found = {
        (account, name): ResourceStatus(account=account, resource=name)
        for account in settings
        for name in BY_NAME
    }
    numbers = connection.execute(totals()).all()
    for status in found.values():
        setting = settings[status.account][status.resource]
        mine = [row for row in numbers if row.account == status.account]
        if setting.repositories:
            names = connection.execute(names_of(status.account))
            mine = [row for row in names if setting.covers(row.full_name)]
        due = BY_NAME[status.resource].due
        status.wanted = sum(row.number for row in mine if is_wanted(due, row))
        status.never_read = status.wanted if setting.on else 0
    for row in state_groups(connection, settings, now):
        if (row.account, row.resource) in found:
            _take(found, row)
    for run in connection.execute(_runs(now)):
        if (run.account, run.resource) in found:
            _take_runs(found[run.account, run.resource], run)
    for each in found.values():
        each.never_read = max(each.never_read, 0)
    return list(found.values())


def _take(found: Mapping[tuple[str, str], ResourceStatus], row: Any) -> None:
    """Add a group of states."""
    status, due = found[row.account, row.resource], BY_NAME[row.resource].due
    status.statuses[row.status] += row.number
    if row.status in _READ:
        status.oldest = earliest(status.oldest, row.oldest)
        status.newest = max(filter(None, (status.newest, row.newest)), default=None)
    if row.status in WITH_FIGURES and is_wanted(due, row):
        status.lost_at = earliest(status.lost_at, row.lost_at)
    if row.status in ("refused", "blocked"):
        status.reason = status.reason or row.detail
    follower = _followers().get(row.resource)
    if row.idle and row.status == "complete" and follower and (row.account, follower) in found:
        theirs = found[row.account, follower]
        if is_wanted(BY_NAME[follower].due, row):
            theirs.never_read -= row.number
            theirs.wanted -= row.number
    if is_wanted(due, row) and not (row.idle and due.active_by):
        status.never_read -= row.number
        if row.status != "missing":  # the next listing decides about these
            status.due += row.due
            status.next_at = earliest(status.next_at, row.next_at)


def _take_runs(status: ResourceStatus, run: Any) -> None:
    status.requests_of_day = int(run.of_day or 0)
    status.requests_of_run, status.deferred = run.asked, run.deferred
    status.lost_days, status.lost_since = int(run.lost_days or 0), run.lost_since


def _followers() -> dict[str, str]:
    """Return the resources that are only read while another one shows activity, by that one."""
    return {each.due.active_by[0]: name for name, each in BY_NAME.items() if each.due.active_by}


def _runs(now: datetime) -> Select[Any]:
    """Sum the counts of each account and resource, and find those of its last run."""
    run, told = sync_runs.c, resource_runs.c
    recent, lossy = run.started_at >= now - _DAY, told.lost_days > 0
    sums = (
        select(
            run.account,
            told.resource,
            func.max(told.run_id).label("last"),
            func.sum(case((recent, told.asked), else_=0)).label("of_day"),
            func.sum(told.lost_days).label("lost_days"),
            func.min(case((lossy, run.started_at))).label("lost_since"),
        )
        .join_from(resource_runs, sync_runs, run.id == told.run_id)
        .group_by(run.account, told.resource)
        .subquery()
    )
    latest = resource_runs.alias("latest")
    same = and_(latest.c.run_id == sums.c.last, latest.c.resource == sums.c.resource)
    return select(sums, latest.c.asked, latest.c.deferred).join_from(sums, latest, same)


def stored_rows(connection: Connection) -> dict[str, int]:
    """Count the rows of each resource; a table that two share is counted for the first."""
    counted: set[str] = set()
    found: dict[str, int] = {}
    for name, resource in BY_NAME.items():
        found[name] = 0
        for table in _tables_of(resource):
            if table.name not in counted:
                counted.add(table.name)
                number = select(func.count()).select_from(table)
                found[name] += connection.execute(number).scalar_one()
    return found


def _tables_of(resource: Resource | Figures) -> list[Table]:
    if isinstance(resource, Figures):
        return [ROWS[each] for each in resource.tables]
    family = [each for each in RESOURCES if resource in (each, *each.parents)]
    return [
        *(CHILDREN[each.name] for each in family),
        *(COUNTED[each.name] for each in family if each.name in COUNTED),
    ]
