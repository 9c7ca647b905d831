"""Words of a ledger that complete what a user has begun to type: names, owners, languages.

Each answer is bounded, so that it comes at once from a ledger of any size.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from sync.database.dialects import Dialect
from sync.database.tables import repositories

_MOST = 200  # words in an answer
_READ = 20_000  # repositories whose values are looked at
_NAMES = 200_000  # names, which an index holds

table = repositories.c


def repositories_beginning(connection: Connection, dialect: Dialect, begun: str) -> list[str]:
    """Return full names that begin like this, and names without their owner that do."""
    key, low = dialect.name_key(table.full_name), begun.lower()
    whole = select(table.full_name).where(key.startswith(low, autoescape=True))
    found = list(connection.execute(whole.order_by(table.full_name).limit(_MOST)).scalars())
    if begun and "/" not in begun:
        inner = select(table.full_name).where(key.contains(f"/{low}", autoescape=True))
        names = connection.execute(inner.limit(_MOST)).scalars()
        found += sorted({name.rpartition("/")[2] for name in names})
    return found[:_MOST]


def owners_beginning(connection: Connection, dialect: Dialect, begun: str) -> list[str]:
    """Return the owners of repositories that begin like this."""
    key = dialect.name_key(table.full_name)
    statement = select(table.full_name).where(key.startswith(begun.lower(), autoescape=True))
    names = connection.execute(statement.limit(_NAMES)).scalars()
    return sorted({name.partition("/")[0] for name in names})[:_MOST]


def values_beginning(connection: Connection, column: str, begun: str) -> list[str]:
    """Return the values of a column of repositories that begin like this; of a list, its items."""
    some = select(table[column]).where(table[column].is_not(None)).limit(_READ).subquery()
    found: set[str] = set()
    for value in connection.execute(select(some.c[0]).distinct()).scalars():
        found.update(_texts(value))
    return sorted(each for each in found if each.lower().startswith(begun.lower()))[:_MOST]


def _texts(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
