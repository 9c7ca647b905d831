"""Columns for removals: the basis of a listing, and the removals that a run withheld."""

from contextlib import suppress

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import OperationalError

from sync.database.migration_steps import LONG_TEXT, add_column

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_column("accounts", "listing_basis", LONG_TEXT)
    add_column("sync_runs", "withheld", sa.Integer(), nullable=False, server_default="0")
    add_column("sync_runs", "missing_digest", sa.String(64))
    _show_in_latest_runs()


def _show_in_latest_runs() -> None:
    """Make the view again where it does not show new columns.

    On servers, `SELECT *` means the columns at the time when the view was made.
    """
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        _remake_latest_runs()
    elif dialect != "sqlite":
        with suppress(OperationalError):  # without the right to drop it, the view stays
            _remake_latest_runs()


def _remake_latest_runs() -> None:
    connection = op.get_bind()
    inspector = sa.inspect(connection)
    if "latest_runs" not in inspector.get_view_names():
        return
    # By a query, since reading the view's definition would need another right.
    shown = list(connection.execute(sa.text("SELECT * FROM latest_runs WHERE 1 = 0")).keys())
    table = [column["name"] for column in inspector.get_columns("sync_runs")]
    # If it is another one by now, it is the user's.
    if shown == [name for name in table if name not in ("withheld", "missing_digest")]:
        op.execute(
            "CREATE OR REPLACE VIEW latest_runs AS "
            "SELECT * FROM sync_runs WHERE id IN (SELECT max(id) FROM sync_runs GROUP BY account)"
        )
