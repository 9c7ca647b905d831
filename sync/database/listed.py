"""The query for the repositories that there are, with what is asked of them."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Select, select

from sync.database.dialects import Dialect
from sync.database.figures_by_day import figures_now
from sync.database.filters import REPOSITORY_COLUMNS, RepositoryFilter
from sync.database.tables import account_repositories, repositories


def present(
    dialect: Dialect,
    wanted: RepositoryFilter,
    account: str | None,
    order: tuple[str, bool],
    *,
    figures_on: date | None = None,
) -> Select[Any]:
    """Return a query for repositories as they are now, unknown values last.

    `account`: only those that it lists, or listed, of the removed. `order`: a column, and whether
    the largest comes first. `figures_on`: the day on which their figures are asked for too.
    """
    table, (sort, descending) = repositories.c, order
    figures = figures_now(figures_on) if figures_on else {}
    conditions = wanted.conditions(dialect)
    if account is not None:
        conditions.append(_listed_by(account, ever=wanted.removed))
    column = figures[sort] if sort in figures else table[sort]
    by = column if sort in figures else dialect.in_code_point_order(column)
    host = dialect.in_code_point_order(table.host)
    ordered: tuple[Any, ...] = (by.desc() if descending else by.asc(), table.id, host)
    if sort in figures or table[sort].nullable:  # else an index can serve
        ordered = (column.is_(None), *ordered)
    shown = (*(table[c] for c in REPOSITORY_COLUMNS), *(figures[c].label(c) for c in figures))
    return select(*shown).where(*conditions).order_by(*ordered)


def _listed_by(account: str, *, ever: bool) -> Any:
    """Return that the account lists a repository now, or `ever` did."""
    member = account_repositories.c
    listed = select(member.account).where(
        member.account == account,
        member.host == repositories.c.host,
        member.repository_id == repositories.c.id,
    )
    return (listed if ever else listed.where(member.gone_at.is_(None))).exists()
