"""Reads the resources of repositories, and the states of their last requests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, func, select

from sync.database.run_reader import RunReader
from sync.database.tables import (
    CHILDREN,
    account_repositories,
    page_cache,
    plain,
    repositories,
    resource_states,
)
from sync.resources.resource import Resource


class ListedRepository(NamedTuple):
    """A current repository that the account lists, with the values of some fields."""

    id: int
    values: tuple[Any, ...]


class ResourceState(NamedTuple):
    """The result of the last request for a resource of a repository."""

    status: str
    checked_at: datetime | None
    next_at: datetime | None
    basis: str | None
    failures: int


class StoredItem(NamedTuple):
    """An item's row: its parents' ids, its values in the order of `Resource.fields`."""

    parents: tuple[int, ...]
    values: tuple[Any, ...]
    removed_at: datetime | None


def listed_repositories(reader: RunReader, fields: Sequence[str]) -> list[ListedRepository]:
    """Return the current repositories that the account lists, in order of ids."""
    member, table = account_repositories.c, repositories.c
    listed = and_(member.host == table.host, member.repository_id == table.id)
    mine = and_(member.account == reader.account, member.host == reader.host)
    statement = (
        select(table.id, *(table[name] for name in fields))
        .join(account_repositories, listed)
        .where(mine, member.gone_at.is_(None), table.removed_at.is_(None))
        .order_by(table.id)
    )
    rows = reader.connection.execute(statement)
    return [ListedRepository(row[0], tuple(row[1:])) for row in rows]


def states(reader: RunReader, resource: Resource) -> dict[int, ResourceState]:
    """Return the states of the last requests, by repository id."""
    state = resource_states.c
    columns = [state[name] for name in ResourceState._fields]
    statement = select(state.repository_id, *columns).where(
        state.account == reader.account, state.host == reader.host, state.resource == resource.name
    )
    rows = reader.connection.execute(statement)
    return {row[0]: ResourceState(*row[1:]) for row in rows}


def remembered(
    reader: RunReader, resource: Resource, repository_ids: Collection[int]
) -> dict[int, dict[str, dict[str, Any]]]:
    """Return rows of `page_cache` for these repositories, by repository id and key."""
    page = page_cache.c
    statement = select(page_cache).where(
        page.repository_id.in_(repository_ids),
        page.account == reader.account,
        page.resource == resource.name,
    )
    found: dict[int, dict[str, dict[str, Any]]] = {}
    for row in map(plain, reader.connection.execute(statement)):
        found.setdefault(row["repository_id"], {})[row["key"]] = row
    return found


def is_current(reader: RunReader, repository_id: int) -> bool:
    """Return whether a repository is stored and not removed."""
    mine = and_(repositories.c.host == reader.host, repositories.c.id == repository_id)
    statement = select(repositories.c.id).where(mine, repositories.c.removed_at.is_(None))
    return reader.connection.execute(statement).first() is not None


def stored_items(
    reader: RunReader, resource: Resource, repository_id: int
) -> dict[int, StoredItem]:
    """Return every stored item of a repository, by id; its nearest parent comes first."""
    table = CHILDREN[resource.name]
    parents = [table.c[parent.item_id] for parent in resource.parents]
    columns = [table.c[name] for name in resource.fields]
    mine = and_(table.c.host == reader.host, table.c.repository_id == repository_id)
    statement = select(table.c.id, table.c.removed_at, *parents, *columns).where(mine)
    between = 2 + len(parents)
    return {
        row[0]: StoredItem(tuple(row[2:between]), tuple(row[between:]), row[1])
        for row in reader.connection.execute(statement)
    }


def stored_set(
    reader: RunReader, resource: Resource, repository_id: int, *, until: date
) -> dict[Any, Any]:
    """Return the set, name -> value, as it was on the day `until`."""
    table = CHILDREN[resource.name]
    mine = and_(table.c.host == reader.host, table.c.repository_id == repository_id)
    last = select(func.max(table.c.day)).where(mine, table.c.day <= until).scalar_subquery()
    columns = [table.c[name] for name in (*resource.key, *resource.fields)]
    rows = reader.connection.execute(select(*columns).where(mine, table.c.day == last))
    return dict(map(tuple, rows))


def are_stored(reader: RunReader, resource: Resource, ids: Collection[int]) -> bool:
    """Return whether all of these items are stored."""
    if not ids:
        return True
    table = CHILDREN[resource.name]
    found = select(func.count()).where(table.c.host == reader.host, table.c.id.in_(ids))
    return reader.connection.execute(found).scalar_one() == len(set(ids))


def ids_shown(reader: RunReader, resource: Resource, repository_id: int) -> set[int]:
    """Return the ids of the items that GitHub showed the account the last time."""
    pages = remembered(reader, resource, [repository_id]).get(repository_id, {})
    return {id_ for page in pages.values() for id_ in page["ids"]}
