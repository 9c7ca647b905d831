"""What removals are judged by: the circumstances of a listing, and what a run withheld."""

from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import OperationalError

from sync.errors import DatabaseUnusable

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    long_text = sa.Text().with_variant(mysql.LONGTEXT, "mysql", "mariadb")
    _add("accounts", "listing_basis", long_text)
    _add("sync_runs", "withheld", sa.Integer(), nullable=False, server_default="0")
    _add("sync_runs", "missing_digest", sa.String(64))
    _show_in_latest_runs()


def _add(table: str, name: str, kind: Any, **options: Any) -> None:
    connection = op.get_bind()
    columns = {c["name"]: c["type"] for c in sa.inspect(connection).get_columns(table)}
    found = columns.get(name)
    if found is None:
        op.add_column(table, sa.Column(name, kind, **options))
    # MySQL keeps it at once: where it was cut off, the next attempt finds it.
    elif _plain(found.compile(connection.dialect)) != _plain(kind.compile(connection.dialect)):
        raise DatabaseUnusable(
            f"the column {table}.{name} is not repoledger's, which needs that name: rename it"
        )


def _show_in_latest_runs() -> None:
    """Have the view show the new columns too, where it does not by itself.

    On servers, `SELECT *` stands for the columns that there were when it was made.
    """
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        _remake_latest_runs()
    elif dialect != "sqlite":
        with suppress(OperationalError):  # without the right to drop it, it stays as it is
            _remake_latest_runs()


def _remake_latest_runs() -> None:
    connection = op.get_bind()
    inspector = sa.inspect(connection)
    if "latest_runs" not in inspector.get_view_names():
        return
    # By asking it, since the right to read how it was made is not needed otherwise.
    shown = list(connection.execute(sa.text("SELECT * FROM latest_runs WHERE 1 = 0")).keys())
    table = [column["name"] for column in inspector.get_columns("sync_runs")]
    # If it is another one by now, it is the user's.
    if shown == [name for name in table if name not in ("withheld", "missing_digest")]:
        op.execute(
            "CREATE OR REPLACE VIEW latest_runs AS "
            "SELECT * FROM sync_runs WHERE id IN (SELECT max(id) FROM sync_runs GROUP BY account)"
        )


def _plain(kind: str) -> str:
    """Return a type's name without what servers add of their own (collation, display width)."""
    return kind.lower().partition(" collate ")[0].partition(" character set ")[0].split("(11)")[0]
