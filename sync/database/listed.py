"""The query for the repositories that there are, with what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, and_, select

from sync.database.dialects import Dialect
from sync.database.filters import REPOSITORY_COLUMNS, RepositoryFilter
from sync.database.tables import account_repositories, repositories

# A column, and whether the largest comes first.
Order = tuple[str, bool]


def present(
    dialect: Dialect,
    wanted: RepositoryFilter,
    account: str | None,
    orders: Sequence[Order],
    *,
    more: Mapping[str, Any],
    at_least: Mapping[str, int],
) -> Select[Any]:
    """Return a query for repositories as they are now, unknown values last.

    `account`: only those that it lists, or listed, of the removed. `more`: computed columns.
    `at_least`: only those with so much in these columns.
    """
    table = repositories.c
    conditions = conditions_of(dialect, wanted, account)
    conditions += (table[name] >= least for name, least in at_least.items())
    computed = {name: column.label(name) for name, column in more.items()}
    ordered: list[Any] = []
    for name, descending in orders:
        if name in computed:
            ordered += _computed_order(dialect, computed[name], descending=descending)
            continue
        column = table[name]
        by = dialect.in_code_point_order(column)
        if column.nullable:  # else an index can serve
            ordered.append(column.is_(None))
        ordered.append(by.desc() if descending else by.asc())
    ordered += [table.id, dialect.in_code_point_order(table.host)]
    shown = (*(table[c] for c in REPOSITORY_COLUMNS), *computed.values())
    return select(*shown).where(*conditions).order_by(*ordered)


def gains_of_largest(
    dialect: Dialect, wanted: RepositoryFilter, account: str | None, counter: str, gain: Any, n: int
) -> Select[Any]:
    """Return a query for the gains of the `n` repositories with the largest counters."""
    table, column = repositories.c, repositories.c[counter]
    conditions = conditions_of(dialect, wanted, account)
    keys = select(table.host, table.id).where(*conditions, column.is_not(None))
    largest = keys.order_by(column.desc()).limit(n).subquery()
    its = and_(largest.c.host == table.host, largest.c.id == table.id)
    return select(gain).join_from(largest, repositories, its)


def conditions_of(dialect: Dialect, wanted: RepositoryFilter, account: str | None) -> list[Any]:
    """Return the conditions that these repositories fulfil."""
    conditions = wanted.conditions(dialect)
    if account is not None:
        conditions.append(_listed_by(account, ever=wanted.removed))
    return conditions


def _computed_order(dialect: Dialect, column: Any, *, descending: bool) -> list[Any]:
    """Return the order by a computed column, computed once where the database allows it."""
    by = column.desc() if descending else column.asc()
    if dialect.name == "mysql":
        return [column.element.is_(None), by]
    return [by.nulls_last()]


def _listed_by(account: str, *, ever: bool) -> Any:
    """Return that the account lists a repository now, or `ever` did."""
    member = account_repositories.c
    listed = select(member.account).where(
        member.account == account,
        member.host == repositories.c.host,
        member.repository_id == repositories.c.id,
    )
    return (listed if ever else listed.where(member.gone_at.is_(None))).exists()
