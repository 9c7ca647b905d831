"""A row in every table of what repositories have, whatever its columns are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Date, Integer, insert

from sync.database.tables import (
    CHILDREN,
    COUNTED,
    ROWS,
    resource_changes,
    resource_states,
)
from sync.database.types import UtcDateTime
from tests.support.database import HOST, START, execute

_VALUES: dict[type, Any] = {
    BigInteger: 1,
    Integer: 1,
    Boolean: True,
    Date: START.date(),
    UtcDateTime: START,
}


def add_children(url: str, repository_id: int = 1, text: str = "x") -> None:
    """Add rows of a repository that is there, with `text` in every column of texts."""
    for table in (
        *CHILDREN.values(),
        *COUNTED.values(),
        *ROWS.values(),
        resource_changes,
        resource_states,
    ):
        row = {c.name: _VALUES.get(type(c.type), text) for c in table.columns}
        row |= {name: repository_id for name in ("repository_id",) if name in row}
        execute(url, insert(table).values(row | {"host": HOST}))
