"""The steps of migrations: adding tables, columns and indexes.

Each step can be repeated, since MySQL commits every statement at once and an interrupted
migration starts again. A table or column of another program with the same name is refused. All
migrations use these steps, so their effect must not change.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from sync.core.errors import DatabaseUnusable

TIME = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT, "mysql", "mariadb")
SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
HOST = sa.String(255)
WORD = sa.String(64)


def add_table(name: str, *parts: Any, **options: Any) -> None:
    """Create a table with columns and constraints. Raises DatabaseUnusable."""
    inspector = sa.inspect(op.get_bind())
    if name in (*inspector.get_table_names(), *inspector.get_view_names()):
        found = {column["name"] for column in inspector.get_columns(name)}
        if found == {part.name for part in parts if isinstance(part, sa.Column)}:
            return
        raise DatabaseUnusable(
            f"the table or view {name} is not repoledger's, which needs that name: rename it"
        )
    collation: dict[str, Any] = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
    mariadb = {key.replace("mysql", "mariadb"): value for key, value in collation.items()}
    op.create_table(name, *parts, **collation, **mariadb, **options)


def add_column(table: str, name: str, kind: Any, **options: Any) -> None:
    """Add a column to a table. Raises DatabaseUnusable."""
    connection = op.get_bind()
    columns = {c["name"]: c["type"] for c in sa.inspect(connection).get_columns(table)}
    found = columns.get(name)
    if found is None:
        op.add_column(table, sa.Column(name, kind, **options))
    elif _plain(found.compile(connection.dialect)) != _plain(kind.compile(connection.dialect)):
        raise DatabaseUnusable(
            f"the column {table}.{name} is not repoledger's, which needs that name: rename it"
        )


def add_index(table: str, name: str, *columns: str) -> None:
    """Add the index `ix_TABLE_NAME` to a table."""
    name = f"ix_{table}_{name}"
    if name not in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, columns)


def key(name: str) -> tuple[sa.Column[Any], ...]:
    """Return the columns of a primary key: the host, and a number on it."""
    number = sa.Column(name, sa.BigInteger(), primary_key=True, autoincrement=False)
    return sa.Column("host", HOST, primary_key=True), number


def reference(table: str, name: str) -> sa.ForeignKeyConstraint:
    """Return the foreign key from the column `name` to a row of `table` on the same host."""
    return sa.ForeignKeyConstraint(["host", name], [f"{table}.host", f"{table}.id"])


def _plain(kind: str) -> str:
    """Return a type's name without the server's additions (collation, display width)."""
    words = kind.lower().partition(" collate ")[0].partition(" character set ")[0]
    # MySQL's booleans are of the type tinyint.
    words = words.replace("tinyint", "bool")
    return re.sub(r"\((1|11|20)\)$", "", words)
