"""Queries of a digest: which repositories there are, and to which nobody pushes any more."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from sync.database.dialects import Dialect
from sync.database.happened import Scope
from sync.database.tables import repositories


def count_present(dialect: Dialect, scope: Scope) -> Select[Any]:
    """Return a query for the number of repositories there are, of their stars and their forks."""
    table = repositories.c
    stars, forks = func.sum(table.stargazers_count), func.sum(table.forks_count)
    columns: tuple[Any, ...] = (func.count(), stars, forks)
    there = table.removed_at.is_(None), *scope.conditions(dialect)
    return select(*columns).select_from(repositories).where(*there)


def quiet_in(dialect: Dialect, scope: Scope, since: datetime, until: datetime) -> Select[Any]:
    """Return a query for repositories whose last push was in a time, the oldest first.

    Without those that are archived or removed.
    """
    table = repositories.c
    return (
        select(table.full_name, table.html_url, table.pushed_at)
        .where(
            table.removed_at.is_(None),
            table.archived.is_not(True),
            table.pushed_at > since,
            table.pushed_at <= until,
            *scope.conditions(dialect),
        )
        .order_by(table.pushed_at, table.id)
    )


def keys_in(dialect: Dialect, scope: Scope) -> Select[tuple[str, int]]:
    """Return a query for the host and id of each repository in a scope."""
    table = repositories.c
    return select(table.host, table.id).where(*scope.conditions(dialect))
