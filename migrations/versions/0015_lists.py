"""The view `repository_growth`, names in `repository_daily`, and an index of texts.

`current_repositories` no longer shows `payload`, which nobody wants in a `SELECT *`.
"""

# ruff: noqa: S608  # all words in the queries are our own

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

from sync.core.errors import DatabaseUnusable

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

CURRENT, DAILY, GROWTH = "current_repositories", "repository_daily", "repository_growth"
DAILY_COLUMNS = (
    *("host", "repository_id", "day", "stargazers_count", "forks_count"),
    *("open_issues_count", "watchers_count", "size"),
)
GROWTH_COLUMNS = (
    *("host", "repository_id", "full_name", "owner_login"),
    *("stargazers_count", "stars_7d", "stars_30d", "stars_365d"),
    *("forks_count", "forks_7d", "forks_30d", "forks_365d", "known_since"),
)
HIDDEN = ("payload", "name_key")
TEXTS = "ix_repositories_texts"


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    _index_texts(dialect)
    _add_growth(dialect)
    # Without the right to drop a view, or with views of the user's on it, the view stays.
    for remake in (_remake_current, _remake_daily):
        # Elsewhere each such statement ends a savepoint.
        transactional = dialect in ("sqlite", "postgresql")
        whole = op.get_bind().begin_nested() if transactional else nullcontext()
        with suppress(DBAPIError), whole:
            remake(dialect)


def _index_texts(dialect: str) -> None:
    """Index what `repos --search` looks at, where that is quicker than to read the table.

    SQLite reads this index from end to end, and not the rows with their payloads. Its FTS5 would
    keep words of redacted texts, and so would MySQL's FULLTEXT.
    """
    if dialect == "sqlite":
        op.create_index(TEXTS, "repositories", ["full_name", "description", "topics", "host", "id"])
    elif dialect == "postgresql":
        op.execute(f"CREATE INDEX {TEXTS} ON repositories USING gin ({WORDS})")


# As `Postgresql.has_words` asks for it. The parser would take OWNER/NAME for one word.
SIGNS = r"""!"#$%&()*+,-./:;<=>?@[\]^_`{|}~"""
WORDS = (
    "to_tsvector('simple', translate(left(full_name || ' ' || coalesce(description, '') || ' ' "
    f"|| coalesce(topics::text, ''), 200000), '{SIGNS}', '{' ' * len(SIGNS)}'))"
)


def _add_growth(dialect: str) -> None:
    inspector = sa.inspect(op.get_bind())
    if GROWTH not in (*inspector.get_view_names(), *inspector.get_table_names()):
        op.execute(f"CREATE VIEW {GROWTH} AS {growth(dialect)}")
    elif _columns(GROWTH) != GROWTH_COLUMNS:  # MySQL has committed it, if a first try ended
        raise DatabaseUnusable(
            f"the table or view {GROWTH} is not repoledger's, which needs that name: rename it"
        )


def growth(dialect: str) -> str:
    """Return the query of `repository_growth`."""
    today, before = DATES.get(dialect, DATES["mysql"])
    mine = "m.host = r.host AND m.repository_id = r.id"
    gains = []
    for name, column in (("stars", "stargazers_count"), ("forks", "forks_count")):
        gains.append(f"r.{column}")
        # -1: it is known that there is no number. NULL: there is no row, so the first one counts.
        told = f"SELECT coalesce(m.{column}, -1) FROM repository_metrics AS m WHERE {mine}"
        first = f"({told} ORDER BY m.day LIMIT 1)"
        for days in (7, 30, 365):
            then = f"({told} AND m.day <= {before.format(days)} ORDER BY m.day DESC LIMIT 1)"
            gains.append(f"r.{column} - nullif(coalesce({then}, {first}), -1) AS {name}_{days}d")
    since = f"SELECT min(m.day) FROM repository_metrics AS m WHERE {mine} AND m.day <= {today}"
    return f"""
        SELECT r.host, r.id AS repository_id, r.full_name, r.owner_login, {", ".join(gains)},
            ({since}) AS known_since
        FROM repositories AS r WHERE r.removed_at IS NULL
    """


# Today, and the day so many days ago.
DATES = {
    "sqlite": ("date('now')", "date('now', '-{} days')"),
    "postgresql": ("(now() AT TIME ZONE 'UTC')::date", "(now() AT TIME ZONE 'UTC')::date - {}"),
    "mysql": ("utc_date()", "utc_date() - INTERVAL {} DAY"),
}


def _remake_current(dialect: str) -> None:
    table = [column["name"] for column in sa.inspect(op.get_bind()).get_columns("repositories")]
    shown = _columns(CURRENT)
    # If it is another one by now, it is the user's.
    if "payload" in shown and set(shown) <= set(table):
        columns = ", ".join(_quoted(name) for name in table if name not in HIDDEN)
        _remake(dialect, CURRENT, f"SELECT {columns} FROM repositories WHERE removed_at IS NULL")


def _remake_daily(dialect: str) -> None:
    if _columns(DAILY) != DAILY_COLUMNS:
        return
    context: Any = op.get_context().environment_context  # there is one where a migration runs
    query = context.script.get_revision("0001").module.daily(dialect)
    columns = ", ".join(f"d.{name}" for name in DAILY_COLUMNS)
    # The name comes last: so PostgreSQL can replace the view with others on it.
    named = (
        f"SELECT {columns}, r.full_name FROM ({query}) AS d "
        "JOIN repositories AS r ON r.host = d.host AND r.id = d.repository_id"
    )
    _remake(dialect, DAILY, named)


def _remake(dialect: str, view: str, query: str) -> None:
    if dialect != "postgresql":
        if dialect == "sqlite":
            op.execute(f"DROP VIEW {view}")
        op.execute(f"CREATE {'' if dialect == 'sqlite' else 'OR REPLACE '}VIEW {view} AS {query}")
        return
    if view == DAILY:
        op.execute(f"CREATE OR REPLACE VIEW {view} AS {query}")
        return
    rights = list(op.get_bind().execute(sa.text(RIGHTS), {"view": view}))
    op.execute(f"DROP VIEW {view}")
    op.execute(f"CREATE VIEW {view} AS {query}")
    for right, who in rights:
        op.execute(f"GRANT {right} ON {view} TO {who}")


# What others may do with a view, which ends with it.
RIGHTS = """
    SELECT a.privilege_type, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(g.rolname) END
    FROM pg_class AS c CROSS JOIN aclexplode(c.relacl) AS a
    LEFT JOIN pg_roles AS g ON g.oid = a.grantee
    WHERE c.oid = to_regclass(:view) AND a.grantee <> c.relowner
"""


def _columns(view: str) -> tuple[str, ...]:
    """Return the columns of a view; none, if it is not there."""
    connection = op.get_bind()
    if view not in sa.inspect(connection).get_view_names():
        return ()
    # By a query, since reading a view's definition would need another right.
    return tuple(connection.execute(sa.text(f"SELECT * FROM {view} WHERE 1 = 0")).keys())


def _quoted(name: str) -> str:
    return op.get_bind().dialect.identifier_preparer.quote(name)
