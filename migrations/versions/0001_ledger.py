"""The ledger: repositories, the accounts that list them, changes, metrics and runs."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql, postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT, "mysql", "mariadb")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB, "postgresql")
# SQLite numbers rows by itself only where the type is INTEGER.
SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
REPOSITORY = (["host", "repository_id"], ["repositories.host", "repositories.id"])


def upgrade() -> None:
    _repositories()
    _accounts()
    _history()
    _runs()
    name = op.get_bind().dialect.name
    # MySQL commits each view, so a repeated migration finds some of them. Replacing a view
    # would need the right to drop it.
    there = sa.inspect(op.get_bind()).get_view_names()
    for view, query in {**VIEWS, "repository_daily": daily(name)}.items():
        if view not in there:
            op.execute(f"CREATE VIEW {view} AS {query}")


def daily(dialect: str) -> str:
    """Return the query of the view `repository_daily`."""
    query = DAILY if dialect in ("sqlite", "postgresql") else DAILY_BY_DIGITS
    words = DAYS.get(dialect, DAYS["mysql"])
    counters = ", ".join(map(COUNTER.format, COUNTERS)).format(**words)
    words = {**words, "day": DAY.format(**words), "counters": counters}
    return query.format(spans=SPANS.format(**words), **words)


def _table(name: str, *columns: Any, **options: Any) -> None:
    # Names that differ only in case are different, and every character is stored.
    collation = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
    mariadb = {key.replace("mysql", "mariadb"): value for key, value in collation.items()}
    op.create_table(name, *columns, if_not_exists=True, **collation, **mariadb, **options)


def _index(name: str, table: str, columns: list[str]) -> None:
    indexes = sa.inspect(op.get_bind()).get_indexes(table)
    if name not in {index["name"] for index in indexes}:
        op.create_index(name, table, columns)


def _repositories() -> None:
    _table(
        "repositories",
        sa.Column("host", sa.String(255), primary_key=True),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("node_id", sa.String(255)),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("full_name", sa.String(512), nullable=False),
        sa.Column("owner_id", sa.BigInteger),
        sa.Column("owner_login", sa.String(255)),
        sa.Column("owner_type", sa.String(64)),
        sa.Column("html_url", LONG_TEXT),
        sa.Column("description", LONG_TEXT),
        sa.Column("homepage", LONG_TEXT),
        sa.Column("language", sa.String(255)),
        sa.Column("license_spdx_id", sa.String(255)),
        sa.Column("topics", DOCUMENT),
        sa.Column("default_branch", LONG_TEXT),
        sa.Column("visibility", sa.String(64)),
        sa.Column("fork", sa.Boolean),
        sa.Column("archived", sa.Boolean),
        sa.Column("disabled", sa.Boolean),
        sa.Column("is_template", sa.Boolean),
        sa.Column("has_issues", sa.Boolean),
        sa.Column("has_projects", sa.Boolean),
        sa.Column("has_wiki", sa.Boolean),
        sa.Column("has_pages", sa.Boolean),
        sa.Column("has_discussions", sa.Boolean),
        sa.Column("created_at", TIME),
        sa.Column("updated_at", TIME),
        sa.Column("pushed_at", TIME),
        sa.Column("stargazers_count", sa.BigInteger),
        sa.Column("forks_count", sa.BigInteger),
        sa.Column("open_issues_count", sa.BigInteger),
        sa.Column("watchers_count", sa.BigInteger),
        sa.Column("size", sa.BigInteger),
        sa.Column("payload", LONG_TEXT),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("removed_at", TIME),
        sa.Column("removal_reason", sa.String(64)),
    )
    _index("ix_repositories_full_name", "repositories", ["full_name"])


def _accounts() -> None:
    _table(
        "accounts",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("id", sa.BigInteger),
        sa.Column("login", sa.String(255)),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("not_before", TIME),
        sa.Column("last_synced_at", TIME),
    )
    _table(
        "account_repositories",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("host", sa.String(255), primary_key=True),
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("gone_at", TIME),
        sa.ForeignKeyConstraint(*REPOSITORY),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"]),
        sqlite_with_rowid=False,
    )
    _index("ix_account_repositories_repository", "account_repositories", ["host", "repository_id"])
    _table(
        "page_cache",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(700), primary_key=True),
        sa.Column("etag", sa.String(255), nullable=False),
        sa.Column("ids", DOCUMENT, nullable=False),
        sa.Column("item_count", sa.Integer, nullable=False),
        sa.Column("next_url", LONG_TEXT),
        sa.Column("stored_at", TIME, nullable=False),
        sqlite_with_rowid=False,
    )


def _history() -> None:
    _table(
        "repository_changes",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("run_id", sa.BigInteger, nullable=False),
        sa.Column("observed_at", TIME, nullable=False),
        sa.Column("field", sa.String(64), nullable=False),
        sa.Column("old_value", LONG_TEXT),
        sa.Column("new_value", LONG_TEXT),
        sa.ForeignKeyConstraint(*REPOSITORY),
    )
    _index(
        "ix_repository_changes_repository",
        "repository_changes",
        ["host", "repository_id", "observed_at"],
    )
    _index("ix_repository_changes_observed_at", "repository_changes", ["observed_at"])
    _table(
        "repository_metrics",
        sa.Column("host", sa.String(255), primary_key=True),
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("stargazers_count", sa.BigInteger),
        sa.Column("forks_count", sa.BigInteger),
        sa.Column("open_issues_count", sa.BigInteger),
        sa.Column("watchers_count", sa.BigInteger),
        sa.Column("size", sa.BigInteger),
        sa.ForeignKeyConstraint(*REPOSITORY),
        sqlite_with_rowid=False,
    )


def _runs() -> None:
    _table(
        "sync_runs",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("trigger", sa.String(64), nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.Column("pages", sa.Integer, nullable=False),
        sa.Column("pages_expected", sa.Integer),
        sa.Column("requests", sa.Integer, nullable=False),
        sa.Column("not_modified", sa.Integer, nullable=False),
        sa.Column("inserted", sa.Integer, nullable=False),
        sa.Column("updated", sa.Integer, nullable=False),
        sa.Column("unchanged", sa.Integer, nullable=False),
        sa.Column("removed", sa.Integer, nullable=False),
        sa.Column("restored", sa.Integer, nullable=False),
        sa.Column("rejected", sa.Integer, nullable=False),
        sa.Column("skipped", sa.Integer, nullable=False),
        sa.Column("wait_seconds", sa.Double, nullable=False),
        sa.Column("rate_limit_remaining", sa.Integer),
        sa.Column("error_type", sa.String(64)),
        sa.Column("error_message", LONG_TEXT),
        sqlite_autoincrement=True,
    )
    _index("ix_sync_runs_account", "sync_runs", ["account", "id"])
    _table(
        "rejected_items",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("run_id", sa.BigInteger, nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("reason", LONG_TEXT, nullable=False),
        sa.Column("payload", LONG_TEXT),
    )
    _index("ix_rejected_items_run", "rejected_items", ["run_id"])


VIEWS = {
    "current_repositories": "SELECT * FROM repositories WHERE removed_at IS NULL",
    "latest_runs": (
        "SELECT * FROM sync_runs WHERE id IN (SELECT max(id) FROM sync_runs GROUP BY account)"
    ),
}
# A day without a row is like the day before: each row holds until the next
# one, until the repository was removed, or until today. A return has a row, and
# a change that tells when the removal was: it is looked for on the next row's day.
# A later day than today was written while the clock was ahead: today tells what is stored.
DAY = "CASE WHEN m.day > {today} THEN {today} ELSE m.day END"
COUNTER = "CASE WHEN m.day > {{today}} THEN r.{0} ELSE m.{0} END AS {0}"
COUNTERS = ("stargazers_count", "forks_count", "open_issues_count", "watchers_count", "size")
SPANS = """
    SELECT q.*, (
        SELECT min(substr(c.old_value, 1, 10)) FROM repository_changes AS c
        WHERE c.host = q.host AND c.repository_id = q.repository_id
            AND c.observed_at >= {next_morning}
            AND (c.observed_at < {next_midnight} OR q.next_day = {today})
            AND c.field = 'removed_at' AND c.new_value IS NULL
            AND substr(c.old_value, 1, 10) >= {day_as_text}
            AND substr(c.old_value, 1, 10) < {next_day_as_text}
    ) AS gone_on
    FROM (
        SELECT m.host, m.repository_id, {day} AS day, {counters}, r.removed_at,
            lead({day}) OVER (PARTITION BY m.host, m.repository_id ORDER BY m.day) AS next_day
        FROM repository_metrics AS m
        JOIN repositories AS r ON r.host = m.host AND r.id = m.repository_id
    ) AS q
"""
DAILY = """
    WITH RECURSIVE spans AS ({spans}),
    days(day) AS (
        SELECT min({day}) FROM repository_metrics AS m
        UNION ALL
        SELECT {next_of_day} FROM days WHERE day < {today}
    )
    SELECT s.host, s.repository_id, d.day, s.stargazers_count, s.forks_count,
        s.open_issues_count, s.watchers_count, s.size
    FROM spans AS s
    JOIN days AS d ON d.day >= s.day
        AND d.day < coalesce(s.next_day, {after_removal}, {tomorrow})
        AND (d.day = s.day OR d.day < coalesce({after_gone_on}, {tomorrow}))
"""
DAYS = {
    "sqlite": {
        "today": "date('now')",
        "tomorrow": "date('now', '+1 day')",
        "next_of_day": "date(day, '+1 day')",
        "after_removal": "date(substr(s.removed_at, 1, 10), '+1 day')",
        "after_gone_on": "date(s.gone_on, '+1 day')",
        "next_morning": "q.next_day",
        "next_midnight": "date(q.next_day, '+1 day')",
        "day_as_text": "q.day",
        "next_day_as_text": "q.next_day",
    },
    "postgresql": {
        "today": "(now() AT TIME ZONE 'UTC')::date",
        "tomorrow": "(now() AT TIME ZONE 'UTC')::date + 1",
        "next_of_day": "day + 1",
        "after_removal": "(s.removed_at AT TIME ZONE 'UTC')::date + 1",
        "after_gone_on": "s.gone_on::date + 1",
        "next_morning": "q.next_day::timestamp AT TIME ZONE 'UTC'",
        "next_midnight": "(q.next_day + 1)::timestamp AT TIME ZONE 'UTC'",
        "day_as_text": "to_char(q.day, 'YYYY-MM-DD')",
        "next_day_as_text": "to_char(q.next_day, 'YYYY-MM-DD')",
    },
    "mysql": {
        "today": "utc_date()",
        "next_morning": "q.next_day",
        "next_midnight": "q.next_day + INTERVAL 1 DAY",
        "day_as_text": "cast(q.day AS char(10))",
        "next_day_as_text": "cast(q.next_day AS char(10))",
    },
}
# MySQL and MariaDB end a recursion after 1000 steps, MariaDB without a word. So the days of a
# span are counted by digits; in this order, so that no more numbers are made than it has days.
DAILY_BY_DIGITS = """
    WITH spans AS (
        SELECT p.*, datediff(
            coalesce(
                date(p.gone_on) + INTERVAL 1 DAY, p.next_day,
                least(date(p.removed_at), {today}) + INTERVAL 1 DAY, {today} + INTERVAL 1 DAY
            ),
            p.day
        ) AS days
        FROM ({spans}) AS p
    ),
    digits(n) AS (
        SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
        UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8
        UNION ALL SELECT 9
    )
    SELECT s.host, s.repository_id,
        s.day + INTERVAL (10000 * e.n + 1000 * d.n + 100 * c.n + 10 * b.n + a.n) DAY AS day,
        s.stargazers_count, s.forks_count, s.open_issues_count, s.watchers_count, s.size
    FROM spans AS s
    STRAIGHT_JOIN digits AS e ON 10000 * e.n < s.days
    STRAIGHT_JOIN digits AS d ON 10000 * e.n + 1000 * d.n < s.days
    STRAIGHT_JOIN digits AS c ON 10000 * e.n + 1000 * d.n + 100 * c.n < s.days
    STRAIGHT_JOIN digits AS b ON 10000 * e.n + 1000 * d.n + 100 * c.n + 10 * b.n < s.days
    STRAIGHT_JOIN digits AS a
        ON 10000 * e.n + 1000 * d.n + 100 * c.n + 10 * b.n + a.n < s.days
"""
