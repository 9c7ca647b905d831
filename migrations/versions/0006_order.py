"""The order in which repositories were written and listed, by a count, not by clocks."""

from contextlib import suppress

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import OperationalError

from sync.core.errors import DatabaseUnusable

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, name in (
        *(("repositories", "revision"), ("accounts", "revision")),
        ("accounts", "listed_revision"),
    ):
        _add(table, name)
    _make_departures()
    _show_in_current_repositories()


def _add(table: str, name: str) -> None:
    columns = {c["name"]: c["type"] for c in sa.inspect(op.get_bind()).get_columns(table)}
    found = columns.get(name)
    if found is None:
        op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    # MySQL commits each statement, so a repeated migration finds the column.
    elif not isinstance(found, sa.BigInteger):
        raise DatabaseUnusable(
            f"the column {table}.{name} is not repoledger's, which needs that name: rename it"
        )


def _make_departures() -> None:
    collation = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
    mariadb = {key.replace("mysql", "mariadb"): value for key, value in collation.items()}
    op.create_table(
        "departures",
        sa.Column("host", sa.String(255), primary_key=True),
        sa.Column("repository_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["host", "repository_id"], ["repositories.host", "repositories.id"]
        ),
        sqlite_with_rowid=False,
        if_not_exists=True,
        **collation,
        **mariadb,
    )


def _show_in_current_repositories() -> None:
    """Make the view again where it does not show the new column; see 0003."""
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        _remake_view()
    elif dialect != "sqlite":
        with suppress(OperationalError):  # without the right to drop it, the view stays
            _remake_view()


def _remake_view() -> None:
    connection = op.get_bind()
    inspector = sa.inspect(connection)
    if "current_repositories" not in inspector.get_view_names():
        return
    view = "SELECT * FROM current_repositories WHERE 1 = 0"
    shown = list(connection.execute(sa.text(view)).keys())
    table = [column["name"] for column in inspector.get_columns("repositories")]
    # If it is another one by now, it is the user's.
    if shown == [name for name in table if name not in ("revision", "name_key")]:
        op.execute(
            "CREATE OR REPLACE VIEW current_repositories AS "
            "SELECT * FROM repositories WHERE removed_at IS NULL"
        )
