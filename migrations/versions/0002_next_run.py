"""When the daemon means to sync an account next, for `repoledger status` to tell."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    # MySQL keeps it at once: where it was cut off, the next attempt finds it.
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("accounts")}
    if "next_run_at" not in columns:
        op.add_column("accounts", sa.Column("next_run_at", moment))
