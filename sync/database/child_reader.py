"""Reads the resources of repositories, and the states of their last requests."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, func, select

from sync.database.dialects import Dialect
from sync.database.run_reader import RunReader
from sync.database.tables import (
    CHILDREN,
    ROWS,
    account_repositories,
    page_cache,
    plain,
    repositories,
    resource_states,
)
from sync.resources.resource import Resource
from sync.resources.traffic import TRAFFIC_WINDOWS

_AT_ONCE = 500  # rows in memory

# Statements that each answer needs, built once: that takes as long as executing one.
_CURRENT = select(repositories.c.id).where(
    repositories.c.host == bindparam("host"),
    repositories.c.id == bindparam("id"),
    repositories.c.removed_at.is_(None),
)


class StoredItem(NamedTuple):
    """An item's row: its parents' ids, its values in the order of `Resource.fields`."""

    parents: tuple[int, ...]
    values: tuple[Any, ...]
    removed_at: datetime | None


# The fields of a repository that say whether one of its resources is due.
SIGNALS = ("pushed_at", "stargazers_count", "forks_count", "created_at")
STATE = ("status", "checked_at", "next_at", "lost_at", "basis", "cursor", "failures", "detail")


class StateRow(NamedTuple):
    """A current repository that the account lists, with the state of a resource.

    `signals`: values of the fields SIGNALS. `state`: None if it was never requested; otherwise
    the values of the columns STATE.
    """

    id: int
    full_name: str
    push: bool | None
    signals: tuple[Any, ...]
    state: tuple[Any, ...] | None


def _states() -> Select[Any]:
    member, table, state = account_repositories.c, repositories.c, resource_states.c
    account: BindParameter[str] = bindparam("account")
    theirs = and_(
        state.account == account,
        state.host == table.host,
        state.repository_id == table.id,
        state.resource == bindparam("resource"),
    )
    listed = and_(member.host == table.host, member.repository_id == table.id)
    mine = and_(member.account == account, member.host == bindparam("host"))
    return (
        select(
            *(table.id, table.full_name, member.push),
            *(table[name] for name in SIGNALS),
            *(state[name] for name in STATE),
        )
        .select_from(repositories)
        .join(account_repositories, listed)
        .outerjoin(resource_states, theirs)
        .where(mine, member.gone_at.is_(None), table.removed_at.is_(None))
        .order_by(table.id)
    )


# Built once, since runs on small accounts would spend more time on it than on the rows.
_STATES = _states()
_STATES_OF = _STATES.where(repositories.c.id.in_(bindparam("ids", expanding=True)))


def state_rows(
    reader: RunReader, resource: str, ids: Collection[int] | None = None
) -> Iterator[StateRow]:
    """Yield the current repositories that the account lists, in order of ids.

    `ids`: these alone.
    """
    given: dict[str, Any] = {"account": reader.account, "host": reader.host, "resource": resource}
    statement = _STATES
    if ids is not None:
        statement, given["ids"] = _STATES_OF, list(ids)
    between = 3 + len(SIGNALS)
    options = {"yield_per": _AT_ONCE}
    for row in reader.connection.execute(statement, given, execution_options=options):
        told = tuple(row[between:]) if row[between] is not None else None
        yield StateRow(row[0], row[1], row[2], tuple(row[3:between]), told)


def inactive(reader: RunReader, resource: str, number: str) -> set[int]:
    """Return the repositories whose last answer for `resource` left 0 for `number`."""
    state = resource_states.c
    statement = select(state.repository_id, state.cursor).where(
        state.account == reader.account,
        state.host == reader.host,
        state.resource == resource,
        state.status == "complete",
    )
    rows = reader.connection.execute(statement, execution_options={"yield_per": _AT_ONCE})
    return {row[0] for row in rows if memory_of(row[1]).get(number) == 0}


def counted_since(
    reader: RunReader, resource: str, kinds: Collection[str], since: date
) -> tuple[int, date | None]:
    """Return of how many repositories an answer told a day, and the newest such day.

    The answers are the account's since the beginning of the day `since`.
    """
    window = ROWS[TRAFFIC_WINDOWS].c
    told = and_(window.kind.in_(kinds), window.read_on >= since, window.newest_day.is_not(None))
    statement = (
        select(func.count(window.repository_id.distinct()), func.max(window.newest_day))
        .select_from(resource_states)
        .join(ROWS[TRAFFIC_WINDOWS], _is_of_state())
        .where(_is_answered(reader, resource, since), told)
    )
    count, newest = reader.connection.execute(statement).one()
    return count, newest


def complete_since(
    reader: RunReader, resource: str, kinds: Collection[str], since: date
) -> dict[str, date]:
    """Return the last day, by kind, up to which an answer of the account was complete.

    The answers are those since the beginning of the day `since`.
    """
    window = ROWS[TRAFFIC_WINDOWS].c
    statement = (
        select(window.kind, func.max(window.complete_until).label("newest"))
        .select_from(resource_states)
        .join(ROWS[TRAFFIC_WINDOWS], _is_of_state())
        .where(_is_answered(reader, resource, since), window.kind.in_(kinds))
        .where(window.read_on >= since, window.complete_until.is_not(None))
        .group_by(window.kind)
    )
    return {row.kind: row.newest for row in reader.connection.execute(statement)}


def _is_answered(reader: RunReader, resource: str, since: date) -> ColumnElement[bool]:
    """Return whether a state is of an answer to the account since the beginning of a day."""
    state = resource_states.c
    begun = datetime.combine(since, time(), UTC)
    return and_(
        *(state.account == reader.account, state.host == reader.host),
        *(state.resource == resource, state.checked_at >= begun),
    )


def _is_of_state() -> ColumnElement[bool]:
    """Return whether a window is of the repository of a state."""
    state, window = resource_states.c, ROWS[TRAFFIC_WINDOWS].c
    return and_(window.host == state.host, window.repository_id == state.repository_id)


def memory_of(text: str | None) -> dict[str, Any]:
    """Return what an answer left for the next one, from `resource_states.cursor`."""
    try:
        told = msgspec.json.decode(text or "{}")
    except msgspec.DecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def remembered(
    reader: RunReader, resource: str, repository_ids: Collection[int]
) -> dict[int, dict[str, dict[str, Any]]]:
    """Return rows of `page_cache` for these repositories, by repository id and key."""
    asked = {"account": reader.account, "resource": resource, "ids": list(repository_ids)}
    rows = reader.connection.execute(_pages(reader.dialect), asked)
    found: dict[int, dict[str, dict[str, Any]]] = {}
    for row in map(plain, rows):
        found.setdefault(row["repository_id"], {})[row["key"]] = row
    return found


@cache
def _pages(dialect: Dialect) -> Select[Any]:
    page = page_cache.c
    return select(page_cache).where(
        dialect.is_among(page.repository_id, "ids"),
        dialect.is_common(page.account, bindparam("account")),
        page.resource == bindparam("resource"),
    )


def is_current(reader: RunReader, repository_id: int) -> bool:
    """Return whether a repository is stored and not removed."""
    asked = {"host": reader.host, "id": repository_id}
    return reader.connection.execute(_CURRENT, asked).first() is not None


def stored_items(
    reader: RunReader, resource: Resource, repository_id: int
) -> dict[int, StoredItem]:
    """Return every stored item of a repository, by id; its nearest parent comes first."""
    asked = {"host": reader.host, "repository_id": repository_id}
    between = 2 + len(resource.parents)
    return {
        row[0]: StoredItem(tuple(row[2:between]), tuple(row[between:]), row[1])
        for row in reader.connection.execute(_items(resource), asked)
    }


@cache
def _items(resource: Resource) -> Select[Any]:
    table = CHILDREN[resource.name]
    parents = [table.c[parent.item_id] for parent in resource.parents]
    columns = [table.c[name] for name in resource.fields]
    return select(table.c.id, table.c.removed_at, *parents, *columns).where(
        table.c.host == bindparam("host"), table.c.repository_id == bindparam("repository_id")
    )


def are_stored(reader: RunReader, resource: Resource, ids: Collection[int]) -> bool:
    """Return whether all of these items are stored."""
    if not ids:
        return True
    table = CHILDREN[resource.name]
    found = select(func.count()).where(table.c.host == reader.host, table.c.id.in_(ids))
    return reader.connection.execute(found).scalar_one() == len(set(ids))


def ids_shown(reader: RunReader, resource: Resource, repository_id: int) -> set[int]:
    """Return the ids of the items that GitHub showed the account the last time."""
    pages = remembered(reader, resource.name, [repository_id]).get(repository_id, {})
    return {id_ for page in pages.values() for id_ in page["ids"]}
