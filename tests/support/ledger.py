"""Looking into a ledger from outside, as a user with a SQL shell would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.database import values


def rows(database: Path | str, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query; `database` is the file of a SQLite database, or a URL."""
    return values(f"sqlite:///{database}" if isinstance(database, Path) else database, sql)


def value(database: Path | str, sql: str) -> Any:
    """Return the one value of a query."""
    return rows(database, sql)[0][0]


def contents(database: Path | str) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the tables that a run in which nothing changed must not touch."""
    tables = (
        *("repositories", "account_repositories", "repository_changes", "repository_metrics"),
        *("page_cache", "rejected_items"),
    )
    return {table: sorted(rows(database, f"SELECT * FROM {table}")) for table in tables}
