"""Traffic of repositories: views and clones by day, and the ten referrers and paths of 14 days."""

import sqlalchemy as sa

from sync.database.migration_steps import LONG_TEXT, TIME, WORD, add_table, key, reference

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_table(
        "traffic_days",
        *key("repository_id"),
        sa.Column("kind", WORD, primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("count", "uniques")),
        *(sa.Column(f"{name}_at", TIME, nullable=False) for name in ("first_seen", "changed")),
        reference("repositories", "repository_id"),
        sqlite_with_rowid=False,
    )
    add_table(
        "traffic_windows",
        *key("repository_id"),
        sa.Column("kind", WORD, primary_key=True),
        sa.Column("read_on", sa.Date(), primary_key=True),
        *(sa.Column(name, sa.BigInteger()) for name in ("count", "uniques")),
        *(sa.Column(name, sa.Date()) for name in ("newest_day", "complete_until")),
        sa.Column("read_at", TIME, nullable=False),
        reference("repositories", "repository_id"),
        sqlite_with_rowid=False,
    )
    for table, texts in (("referrers", ("referrer",)), ("paths", ("path", "title"))):
        add_table(
            f"traffic_{table}",
            *key("repository_id"),
            sa.Column("read_on", sa.Date(), primary_key=True),
            sa.Column("position", sa.BigInteger(), primary_key=True, autoincrement=False),
            sa.Column(texts[0], LONG_TEXT, nullable=False),
            *(sa.Column(name, LONG_TEXT) for name in texts[1:]),
            *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("count", "uniques")),
            reference("repositories", "repository_id"),
            sqlite_with_rowid=False,
        )
