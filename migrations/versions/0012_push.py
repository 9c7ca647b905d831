"""Whether an account may push to a repository that it lists; numbers of subscribers by the day."""

import sqlalchemy as sa

from sync.database.migration_steps import add_column

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_column("account_repositories", "push", sa.Boolean())
    add_column("repository_metrics", "subscribers_count", sa.BigInteger())
