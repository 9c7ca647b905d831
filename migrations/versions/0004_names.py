"""Indexes for look-ups of a repository by present or former name, ignoring case."""

import sqlalchemy as sa
from alembic import op

from sync.core.errors import DatabaseUnusable

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# A name without its case, as `Dialect.is_name` asks for it.
FOLDED = {"sqlite": "{} COLLATE nocase", "postgresql": "lower({})"}
# MariaDB has no indexes on expressions. The column is stored, since for a virtual column MariaDB
# keeps old entries in the index, and so redacted names. Hiding it from `SELECT *` needs MySQL
# 8.0.23.
NAME_KEY = "name_key"
COLUMN = (
    "ALTER TABLE {table} ADD COLUMN name_key VARCHAR(512) CHARACTER SET utf8mb4 "
    "COLLATE utf8mb4_bin GENERATED ALWAYS AS ({names}) STORED "
    "/*!80023 INVISIBLE */ /*M!100303 INVISIBLE */, ADD INDEX ix_{table}_name (name_key)"
)


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    if dialect in FOLDED:
        name, former = (FOLDED[dialect].format(column) for column in ("full_name", "old_value"))
        op.execute(f"CREATE INDEX ix_repositories_name ON repositories ({name})")
        # Only changes of names: other texts are long, and are not looked up.
        op.execute(
            f"CREATE INDEX ix_repository_changes_name ON repository_changes ({former}) "
            "WHERE field = 'full_name'"
        )
    else:
        _index_names("repositories", "lower(full_name)")
        _index_names(
            "repository_changes", "CASE WHEN field = 'full_name' THEN lower(old_value) END"
        )


def _index_names(table: str, names: str) -> None:
    found = sa.inspect(op.get_bind()).get_columns(table)
    key = next((column for column in found if column["name"] == NAME_KEY), None)
    if key is None:
        op.execute(COLUMN.format(table=table, names=names))
    # MySQL commits each statement, so a repeated migration finds the column.
    elif "computed" not in key:
        raise DatabaseUnusable(
            f"the column {table}.{NAME_KEY} is not repoledger's, which needs that name: rename it"
        )
