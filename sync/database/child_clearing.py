"""Clears the resources of a repository, such as releases, when it is redacted or purged."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Table, and_, delete, select, update

from sync.database.run_transaction import RunTransaction
from sync.database.tables import (
    CHILDREN,
    COUNTED,
    ROWS,
    page_cache,
    resource_changes,
    resource_states,
)
from sync.resources import RESOURCES
from sync.resources.resource import Resource

_CHILDREN_FIRST = tuple(each for each in reversed(RESOURCES) if each.parent)


def purge_children(transaction: RunTransaction, id_: int) -> None:
    """Delete all rows of the repository's resources, referring rows before those referred to."""
    _clear_as_item(transaction, id_)
    for resource in _CHILDREN_FIRST:
        _delete(transaction, id_, resource)
    for table in (*ROWS.values(), resource_changes, resource_states):
        transaction.connection.execute(delete(table).where(_of(transaction, table, id_)))
    _ask_anew(transaction, id_)


def redact_children(transaction: RunTransaction, id_: int) -> None:
    """Clear the private columns of the repository's resources, in their rows and in the log.

    Rows of figures with a private column are deleted. If the repository is listed again, its
    resources are downloaded again.
    """
    _clear_as_item(transaction, id_)
    for declared, rows in ROWS.items():
        if declared.private:
            transaction.connection.execute(delete(rows).where(_of(transaction, rows, id_)))
    for resource in _CHILDREN_FIRST:
        table = CHILDREN[resource.name]
        log = _of(transaction, resource_changes, id_)
        _clear(transaction, resource, _of(transaction, table, id_), log)
    mine = _of(transaction, resource_states, id_)
    transaction.connection.execute(delete(resource_states).where(mine))
    _ask_anew(transaction, id_)


def clear_items(transaction: RunTransaction, resource: Resource, ids: Collection[int]) -> None:
    """Clear the private columns of these items, in their rows and in the log."""
    if ids:
        table, log = CHILDREN[resource.name].c, resource_changes.c
        mine = and_(table.host == transaction.host, table.id.in_(sorted(ids)))
        logged = and_(log.host == transaction.host, log.item_id.in_(sorted(ids)))
        _clear(transaction, resource, mine, logged)


def _clear_as_item(transaction: RunTransaction, id_: int) -> None:
    """Clear what other repositories' resources tell of the repository, such as their forks."""
    for resource in _CHILDREN_FIRST:
        if resource.withheld_by is None:
            continue
        table, page = CHILDREN[resource.name].c, page_cache.c
        mine = and_(table.host == transaction.host, table.id == id_)
        of = list(transaction.connection.execute(select(table.repository_id).where(mine)).scalars())
        if of:
            clear_items(transaction, resource, [id_])
            told = and_(page.repository_id.in_(of), page.resource == resource.name)
            transaction.connection.execute(delete(page_cache).where(told))


def _clear(transaction: RunTransaction, resource: Resource, rows: Any, logged: Any) -> None:
    table, log = CHILDREN[resource.name], resource_changes.c
    cleared = [name for name in (*resource.private, "payload") if name in table.columns]
    values = dict.fromkeys(cleared)
    transaction.connection.execute(update(table).where(rows).values(values))
    told = and_(log.resource == resource.table, log.field.in_(resource.private))
    transaction.connection.execute(
        update(resource_changes).where(logged, told).values(old_value=None, new_value=None)
    )


def _delete(transaction: RunTransaction, id_: int, resource: Resource) -> None:
    table = CHILDREN[resource.name]
    if resource.name in COUNTED:
        counted = COUNTED[resource.name]
        items = select(table.c.id).where(_of(transaction, table, id_))
        theirs = and_(counted.c.host == transaction.host, counted.c[resource.item_id].in_(items))
        transaction.connection.execute(delete(counted).where(theirs))
    transaction.connection.execute(delete(table).where(_of(transaction, table, id_)))


def _ask_anew(transaction: RunTransaction, id_: int) -> None:
    """Forget the remembered pages of the repository's resources, of all accounts."""
    transaction.connection.execute(delete(page_cache).where(page_cache.c.repository_id == id_))


def _of(transaction: RunTransaction, table: Table, id_: int) -> Any:
    return and_(table.c.host == transaction.host, table.c.repository_id == id_)
