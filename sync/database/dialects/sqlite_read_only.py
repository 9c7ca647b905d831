"""The authorizer of read-only SQLite connections."""

from __future__ import annotations

import sqlite3

_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
    sqlite3.SQLITE_TRANSACTION,
}
# PRAGMAs that only return values.
_TELLING = {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "page_count"}


def authorize_reading(
    action: int, one: str | None, two: str | None, _database: str | None, _trigger: str | None
) -> int:
    """Answer SQLite's authorizer: allow SELECT, and PRAGMAs that only return values."""
    if action == sqlite3.SQLITE_FUNCTION and two == "load_extension":
        return sqlite3.SQLITE_DENY
    if action in _READING:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and (
        one in _TELLING or (one == "read_uncommitted" and two is None)  # SQLAlchemy asks
    ):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY
