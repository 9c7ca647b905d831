"""Indexes for what happened lately: counters by their day, releases by their publication."""

from sync.database.migration_steps import add_index

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_index("repository_metrics", "day", "day")
    add_index("releases", "published_at", "published_at")
