"""What a ledger knows of the words of a question: names that none has, values that occur."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from sync.database.dialects import Dialect
from sync.database.filters import NamePattern
from sync.database.nearest_names import names_near
from sync.database.tables import repositories
from sync.database.text_match import is_glob


class Unmatched(NamedTuple):
    """A name or a pattern that no repository has. `near`: names that are like it.

    `is_elsewhere`: among the removed there is one, or, if those were asked for, among the others.
    """

    name: str
    near: list[str]
    is_elsewhere: bool


def missed(
    connection: Connection, dialect: Dialect, typed: str, pattern: NamePattern, *, removed: bool
) -> Unmatched | None:
    """Return what is known of a name that no repository has; None if one has it."""
    gone = repositories.c.removed_at.is_not(None)
    called = select(gone).where(pattern.condition(dialect)).distinct()
    found = set(map(bool, connection.execute(called).scalars()))
    if removed in found:
        return None
    near: list[str] = []
    if not found and not is_glob(pattern.full_name):
        near = names_near(connection, dialect, pattern.full_name, pattern.host)
    return Unmatched(typed, near, bool(found))


def values_of(connection: Connection, column: str) -> list[str]:
    """Return the values that repositories have in a column; of a list, its items."""
    found: set[str] = set()
    for value in connection.execute(select(repositories.c[column]).distinct()).scalars():
        found.update(_texts(value))
    return sorted(found)


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(each) for each in value]
    return [] if value is None else [str(value)]
