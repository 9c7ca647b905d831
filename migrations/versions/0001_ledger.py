"""The ledger: repositories, who lists them, their changes, metrics and runs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
# SQLite numbers rows by itself only where the type is INTEGER.
SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
REPOSITORY = (["host", "repository_id"], ["repositories.host", "repositories.id"])


def upgrade() -> None:
    _repositories()
    _accounts()
    _history()
    _runs()
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")


def _repositories() -> None:
    op.create_table(
        "repositories",
        sa.Column("host", sa.String(255), primary_key=True),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("node_id", sa.String(255)),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("full_name", sa.String(512), nullable=False),
        sa.Column("owner_id", sa.BigInteger),
        sa.Column("owner_login", sa.String(255)),
        sa.Column("owner_type", sa.String(64)),
        sa.Column("html_url", sa.Text),
        sa.Column("description", sa.Text),
        sa.Column("homepage", sa.Text),
        sa.Column("language", sa.String(255)),
        sa.Column("license_spdx_id", sa.String(255)),
        sa.Column("topics", sa.JSON),
        sa.Column("default_branch", sa.Text),
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
        sa.Column("payload", sa.Text),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("removed_at", TIME),
        sa.Column("removal_reason", sa.String(64)),
    )
    op.create_index("ix_repositories_full_name", "repositories", ["full_name"])


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("id", sa.BigInteger),
        sa.Column("login", sa.String(255)),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("not_before", TIME),
        sa.Column("last_synced_at", TIME),
    )
    op.create_table(
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
    op.create_index(
        "ix_account_repositories_repository", "account_repositories", ["host", "repository_id"]
    )
    op.create_table(
        "page_cache",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(700), primary_key=True),
        sa.Column("etag", sa.String(255), nullable=False),
        sa.Column("ids", sa.JSON, nullable=False),
        sa.Column("item_count", sa.Integer, nullable=False),
        sa.Column("next_url", sa.Text),
        sa.Column("stored_at", TIME, nullable=False),
        sqlite_with_rowid=False,
    )


def _history() -> None:
    op.create_table(
        "repository_changes",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("run_id", sa.BigInteger, nullable=False),
        sa.Column("observed_at", TIME, nullable=False),
        sa.Column("field", sa.String(64), nullable=False),
        sa.Column("old_value", sa.Text),
        sa.Column("new_value", sa.Text),
        sa.ForeignKeyConstraint(*REPOSITORY),
    )
    op.create_index(
        "ix_repository_changes_repository",
        "repository_changes",
        ["host", "repository_id", "observed_at"],
    )
    op.create_index("ix_repository_changes_observed_at", "repository_changes", ["observed_at"])
    op.create_table(
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
    op.create_table(
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
        sa.Column("wait_seconds", sa.Float, nullable=False),
        sa.Column("rate_limit_remaining", sa.Integer),
        sa.Column("error_type", sa.String(64)),
        sa.Column("error_message", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sync_runs_account", "sync_runs", ["account", "id"])
    op.create_table(
        "rejected_items",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("run_id", sa.BigInteger, nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("payload", sa.Text),
    )
    op.create_index("ix_rejected_items_run", "rejected_items", ["run_id"])


VIEWS = {
    "current_repositories": "SELECT * FROM repositories WHERE removed_at IS NULL",
    "latest_runs": (
        "SELECT * FROM sync_runs WHERE id IN (SELECT max(id) FROM sync_runs GROUP BY account)"
    ),
    # A day without a row is like the day before: each row holds until the next
    # one, until the repository was removed, or until today.
    "repository_daily": """
        WITH RECURSIVE spans AS (
            SELECT m.*, r.removed_at,
                lead(m.day) OVER (PARTITION BY m.host, m.repository_id ORDER BY m.day) AS next_day
            FROM repository_metrics AS m
            JOIN repositories AS r ON r.host = m.host AND r.id = m.repository_id
        ),
        days(day) AS (
            SELECT min(day) FROM repository_metrics
            UNION ALL
            SELECT date(day, '+1 day') FROM days WHERE day < date('now')
        )
        SELECT s.host, s.repository_id, d.day, s.stargazers_count, s.forks_count,
            s.open_issues_count, s.watchers_count, s.size
        FROM spans AS s
        JOIN days AS d ON d.day >= s.day
            AND d.day < coalesce(
                s.next_day,
                date(substr(s.removed_at, 1, 10), '+1 day'),
                date('now', '+1 day')
            )
    """,
}
