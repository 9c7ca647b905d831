"""The states of resources in groups, of the repositories that an account lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    func,
    literal_column,
    not_,
    or_,
    select,
)

from sync.config.resources import ResourceSetting
from sync.database.tables import account_repositories, accounts, repositories, resource_states
from sync.resources import BY_NAME
from sync.resources.resource import Due

# The answers after which there are figures that may be lost.
WITH_FIGURES = ("complete", "computing", "failed")
# Not parameters, since they are grouped by.
_ZERO: ColumnElement[Any] = literal_column("0")
_ONE: ColumnElement[Any] = literal_column("1")
_COUNTS = ("stargazers_count", "forks_count")

Settings = Mapping[str, Mapping[str, ResourceSetting]]  # by account and resource


def state_groups(
    connection: Connection, settings: Settings, now: datetime, *, idle: bool = True
) -> Iterator[Any]:
    """Yield the states of the accounts and resources in `settings`, in groups with times.

    Without those of repositories that a setting does not name. `idle`: whether groups tell of
    what shows no activity, which takes long.
    """
    state = resource_states.c
    narrowed = [
        (setting, and_(state.account == account, state.resource == name))
        for account, theirs in settings.items()
        for name, setting in theirs.items()
        if setting.repositories
    ]
    others = [not_(pair) for _, pair in narrowed]
    for row in connection.execute(_states(now, idle=idle).where(*others)):
        if row.resource in settings.get(row.account, ()):
            yield row
    for setting, pair in narrowed:
        statement = _states(now, repositories.c.full_name, idle=idle).where(pair)
        for row in connection.execute(statement):
            if setting.covers(row.full_name):
                yield row


def is_wanted(due: Due, row: Any) -> bool:
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


def totals() -> Select[Any]:
    """Count the repositories of each account."""
    number = func.count().label("number")
    return _listed(number).group_by(account_repositories.c.account, *_FLAGS)


def names_of(account: str) -> Select[Any]:
    """Name the repositories of an account."""
    mine = account_repositories.c.account == account
    return _listed(_ONE.label("number"), repositories.c.full_name).where(mine)


def _states(now: datetime, *by: ColumnElement[Any], idle: bool) -> Select[Any]:
    """Count the states of each account and resource, `by` further columns."""
    member, state = account_repositories.c, resource_states.c
    theirs = and_(
        state.account == member.account,
        state.host == member.host,
        state.repository_id == member.repository_id,
    )
    columns = (
        state.resource,
        state.status,
        (case((_is_idle(), _ONE), else_=_ZERO) if idle else _ZERO).label("idle"),
        func.count().label("number"),
        func.sum(case((state.next_at <= now, 1), else_=0)).label("due"),
        func.min(state.checked_at).label("oldest"),
        func.max(state.checked_at).label("newest"),
        func.min(state.next_at).label("next_at"),
        func.min(state.lost_at).label("lost_at"),
        func.max(state.detail).label("detail"),
        *by,
    )
    keys: tuple[Any, ...] = (member.account, state.resource, state.status, "idle", *_FLAGS, *by)
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
