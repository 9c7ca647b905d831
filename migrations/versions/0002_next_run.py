"""The time of an account's next run, which `repoledger status` shows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from sync.core.errors import DatabaseUnusable

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    connection = op.get_bind()
    columns = {c["name"]: c["type"] for c in sa.inspect(connection).get_columns("accounts")}
    found = columns.get("next_run_at")
    if found is None:
        op.add_column("accounts", sa.Column("next_run_at", moment))
    # MySQL commits each statement, so a repeated migration finds the column.
    elif found.compile(connection.dialect) != moment.compile(connection.dialect):
        raise DatabaseUnusable(
            "the column accounts.next_run_at is not repoledger's, which needs that name: rename it"
        )
