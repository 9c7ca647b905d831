"""`repository_daily` ends with today's stored values, in older ledgers too."""

from typing import Any

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    context: Any = op.get_context().environment_context  # there is one where a migration runs
    context.script.get_revision("0007").module.upgrade()
