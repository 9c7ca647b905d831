"""The supported databases: one file each, all behind `Dialect`."""

from __future__ import annotations

from functools import cache

from sync.database.dialects.base import VERSION_TABLE, Dialect

__all__ = ["VERSION_TABLE", "Dialect", "dialect_of"]


@cache
def dialect_of(url: str) -> Dialect:
    """Return the dialect of the database at `url`; only its driver is imported."""
    scheme = url.partition(":")[0].partition("+")[0].lower()
    if scheme in ("postgres", "postgresql"):
        from sync.database.dialects.postgresql import Postgresql

        return Postgresql(url)
    if scheme in ("mysql", "mariadb"):
        from sync.database.dialects.mysql import Mysql

        return Mysql(url)
    from sync.database.dialects.sqlite import Sqlite

    return Sqlite(url)
