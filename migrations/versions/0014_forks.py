"""Forks of repositories."""

import sqlalchemy as sa

from sync.database.migration_steps import LONG_TEXT, TIME, add_index, add_table, key, reference

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_table(
        "forks",
        *key("id"),
        sa.Column("repository_id", sa.BigInteger(), nullable=False),
        sa.Column("node_id", sa.String(255)),
        sa.Column("name", sa.String(255)),
        sa.Column("full_name", sa.String(512)),
        sa.Column("owner_login", sa.String(255)),
        sa.Column("html_url", LONG_TEXT),
        *(sa.Column(f"{name}_at", TIME) for name in ("created", "pushed", "updated")),
        sa.Column("stargazers_count", sa.BigInteger()),
        sa.Column("payload", LONG_TEXT),
        *(sa.Column(f"{name}_at", TIME, nullable=False) for name in ("first_seen", "changed")),
        sa.Column("removed_at", TIME),
        reference("repositories", "repository_id"),
    )
    add_index("forks", "repository", "host", "repository_id")
