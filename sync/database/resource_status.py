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
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
)

from sync.config.resources import ResourceSetting
from sync.database.resource_standing import WITH_FIGURES
from sync.database.tables import (
    CHILDREN,
    COUNTED,
    ROWS,
    account_repositories,
    accounts,
    repositories,
    resource_runs,
    resource_states,
    sync_runs,
)
from sync.resources import BY_NAME, RESOURCES
from sync.resources.figures import Figures
from sync.resources.resource import Due, Resource

_DAY = timedelta(days=1)
_READ = ("complete", "empty")
# Not parameters, since they are grouped by.
_ZERO: ColumnElement[Any] = literal_column("0")
_ONE: ColumnElement[Any] = literal_column("1")
_COUNTS = ("stargazers_count", "forks_count")

Settings = Mapping[str, Mapping[str, ResourceSetting]]  # by account and resource


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
    totals = connection.execute(_totals()).all()
    for status in found.values():
        setting = settings[status.account][status.resource]
        mine = [row for row in totals if row.account == status.account]
        if setting.repositories:
            names = connection.execute(_names(status.account))
            mine = [row for row in names if setting.covers(row.full_name)]
        due = BY_NAME[status.resource].due
        status.wanted = sum(row.number for row in mine if _is_wanted(due, row))
        status.never_read = status.wanted if setting.on else 0
    for row in connection.execute(_states(now)):
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
        status.oldest = _earlier(status.oldest, row.oldest)
        status.newest = max(filter(None, (status.newest, row.newest)), default=None)
    if row.status in WITH_FIGURES:
        status.lost_at = _earlier(status.lost_at, row.lost_at)
    if row.status in ("refused", "blocked"):
        status.reason = status.reason or row.detail
    follower = _followers().get(row.resource)
    if row.idle and row.status == "complete" and follower and (row.account, follower) in found:
        theirs = found[row.account, follower]
        if _is_wanted(BY_NAME[follower].due, row):
            theirs.never_read -= row.number
            theirs.wanted -= row.number
    if _is_wanted(due, row) and not (row.idle and due.active_by):
        status.never_read -= row.number
        if row.status != "missing":  # the next listing decides about these
            status.due += row.due
            status.next_at = _earlier(status.next_at, row.next_at)


def _take_runs(status: ResourceStatus, run: Any) -> None:
    status.requests_of_day = int(run.of_day or 0)
    status.requests_of_run, status.deferred = run.asked, run.deferred
    status.lost_days, status.lost_since = int(run.lost_days or 0), run.lost_since


def _followers() -> dict[str, str]:
    """Return the resources that are only read while another one shows activity, by that one."""
    return {each.due.active_by[0]: name for name, each in BY_NAME.items() if each.due.active_by}


def _is_wanted(due: Due, row: Any) -> bool:
    """Return whether a resource is read of repositories with these fields."""
    if due.needs_push and not row.pushing:
        return False
    return due.not_if_zero is None or bool(getattr(row, _flag(due.not_if_zero)))


def _flag(name: str) -> str:
    return f"has_{name}"  # no column's name: databases group by columns first


_FLAGS = ("pushing", *map(_flag, _COUNTS))


def _flags() -> list[ColumnElement[Any]]:
    """Return what the listing says of a repository, as 0 or 1."""
    push, table = account_repositories.c.push, repositories.c
    return [
        case((push.is_(False), _ZERO), else_=_ONE).label("pushing"),
        *(case((table[n] == _ZERO, _ZERO), else_=_ONE).label(_flag(n)) for n in _COUNTS),
    ]


def _listed(*columns: Any) -> Select[Any]:
    """Select from the current repositories that each account lists."""
    member, table = account_repositories.c, repositories.c
    return (
        select(member.account, *columns, *_flags())
        .select_from(account_repositories)
        .join(accounts, and_(accounts.c.name == member.account, accounts.c.host == member.host))
        .join(repositories, and_(table.host == member.host, table.id == member.repository_id))
        .where(member.gone_at.is_(None), table.removed_at.is_(None))
    )


def _totals() -> Select[Any]:
    """Count the repositories of each account."""
    number = func.count().label("number")
    return _listed(number).group_by(account_repositories.c.account, *_FLAGS)


def _names(account: str) -> Select[Any]:
    """Name the repositories of an account."""
    mine = account_repositories.c.account == account
    return _listed(_ONE.label("number"), repositories.c.full_name).where(mine)


def _states(now: datetime) -> Select[Any]:
    """Count the states of each account and resource."""
    member, state = account_repositories.c, resource_states.c
    theirs = and_(
        state.account == member.account,
        state.host == member.host,
        state.repository_id == member.repository_id,
    )
    columns = (
        state.resource,
        state.status,
        case((_is_idle(), _ONE), else_=_ZERO).label("idle"),
        func.count().label("number"),
        func.sum(case((state.next_at <= now, 1), else_=0)).label("due"),
        func.min(state.checked_at).label("oldest"),
        func.max(state.checked_at).label("newest"),
        func.min(state.next_at).label("next_at"),
        func.min(state.lost_at).label("lost_at"),
        func.max(state.detail).label("detail"),
    )
    keys: tuple[Any, ...] = (member.account, state.resource, state.status, "idle", *_FLAGS)
    return _listed(*columns).join(resource_states, theirs).group_by(*keys)


def _is_idle() -> ColumnElement[bool]:
    """Return whether a state, or that of the resource it depends on, shows no activity."""
    state, other = resource_states.c, resource_states.alias("other").c
    idle: list[ColumnElement[bool]] = []
    for name, resource in BY_NAME.items():
        if resource.due.active_by is None:
            continue
        source, number = resource.due.active_by
        same = and_(
            other.account == state.account,
            other.host == state.host,
            other.repository_id == state.repository_id,
            other.resource == _word(source),
            other.status == _word("complete"),
        )
        quiet = select(_ONE).where(same, _has_none(other.cursor, number)).correlate(resource_states)
        idle.append(and_(state.resource == _word(name), quiet.exists()))
        idle.append(and_(state.resource == _word(source), _has_none(state.cursor, number)))
    return or_(*idle)


def _has_none(cursor: ColumnElement[Any], number: str) -> ColumnElement[bool]:
    """Return whether a number in the memory, a JSON object, is 0."""
    return or_(*(cursor.like(_word(f'%"{number}":0{end}%')) for end in (",", "}")))


def _word(text: str) -> ColumnElement[Any]:
    """Return a word of this program as a literal: what is grouped by must not be a parameter."""
    return literal_column(f"'{text}'")


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


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(filter(None, (one, other)), default=None)


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
