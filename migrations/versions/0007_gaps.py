"""`repository_daily` leaves out the days between a removal and a return, in older ledgers too."""

from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

VIEW = "repository_daily"
COLUMNS = (
    *("host", "repository_id", "day", "stargazers_count", "forks_count"),
    *("open_issues_count", "watchers_count", "size"),
)


def upgrade() -> None:
    connection = op.get_bind()
    # Without the right to read its definition, or to replace it, the view stays.
    with suppress(DBAPIError), connection.begin_nested():
        if _is_ours(connection):
            _make_anew(connection.dialect.name)


def _is_ours(connection: sa.Connection) -> bool:
    if VIEW not in sa.inspect(connection).get_view_names():
        return False
    nothing = sa.text(f"SELECT * FROM {VIEW} WHERE 1 = 0")  # noqa: S608  # our own name
    return tuple(connection.execute(nothing).keys()) == COLUMNS


def _make_anew(dialect: str) -> None:
    context: Any = op.get_context().environment_context  # there is one where a migration runs
    query = context.script.get_revision("0001").module.daily(dialect)
    if dialect == "sqlite":
        op.execute(f"DROP VIEW {VIEW}")
        op.execute(f"CREATE VIEW {VIEW} AS {query}")
    else:
        op.execute(f"CREATE OR REPLACE VIEW {VIEW} AS {query}")
