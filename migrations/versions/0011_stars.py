"""The stars that a repository has kept, by the day on which they were given."""

import sqlalchemy as sa

from sync.database.migration_steps import TIME, add_table, key, reference

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_table(
        "star_history",
        *key("repository_id"),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("stars", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        reference("repositories", "repository_id"),
        sqlite_with_rowid=False,
    )
