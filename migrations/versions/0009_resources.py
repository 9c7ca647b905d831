"""Languages, releases and assets of repositories; when each was asked for, and how it went.

Remembered pages and rejected items say which resource they are of.
"""

import sqlalchemy as sa

from sync.database.migration_steps import (
    HOST,
    LONG_TEXT,
    SERIAL,
    TIME,
    WORD,
    add_column,
    add_index,
    add_table,
    key,
    reference,
)

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("page_cache", "rejected_items"):
        add_column(table, "resource", WORD, nullable=False, server_default="repositories")
    add_column("page_cache", "repository_id", sa.BigInteger())
    add_index("page_cache", "listing", "repository_id", "account", "resource")
    _runs_and_states()
    _changes()
    _languages()
    _releases()


def _runs_and_states() -> None:
    counts = ("asked", "not_modified", "stored", "skipped", "deferred", "refused", "failed")
    add_table(
        "resource_runs",
        sa.Column("run_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("resource", WORD, primary_key=True),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in (*counts, "lost_days")),
        sqlite_with_rowid=False,
    )
    add_table(
        "resource_states",
        sa.Column("account", WORD, primary_key=True),
        *key("repository_id"),
        sa.Column("resource", WORD, primary_key=True),
        sa.Column("status", WORD, nullable=False),
        *(sa.Column(f"{name}_at", TIME) for name in ("checked", "changed", "next", "lost")),
        sa.Column("basis", LONG_TEXT),
        sa.Column("cursor", LONG_TEXT),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("detail", LONG_TEXT),
        reference("repositories", "repository_id"),
        sqlite_with_rowid=False,
    )
    add_index("resource_states", "repository", "host", "repository_id")


def _changes() -> None:
    add_table(
        "resource_changes",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("resource", WORD, nullable=False),
        sa.Column("host", HOST, nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("repository_id", "item_id", "run_id")
        ),
        sa.Column("observed_at", TIME, nullable=False),
        sa.Column("field", WORD, nullable=False),
        sa.Column("old_value", LONG_TEXT),
        sa.Column("new_value", LONG_TEXT),
        reference("repositories", "repository_id"),
    )
    add_index("resource_changes", "repository", "host", "repository_id", "observed_at")
    add_index("resource_changes", "observed_at", "observed_at")
    add_index("resource_changes", "run", "run_id")


def _languages() -> None:
    add_table(
        "repository_languages",
        *key("repository_id"),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("language", sa.String(255), primary_key=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        reference("repositories", "repository_id"),
        sqlite_with_rowid=False,
    )


def _releases() -> None:
    add_table(
        "releases",
        *key("id"),
        sa.Column("repository_id", sa.BigInteger(), nullable=False),
        sa.Column("node_id", sa.String(255)),
        *(sa.Column(n, LONG_TEXT) for n in ("tag_name", "target_commitish", "name", "body")),
        *(sa.Column(n, sa.Boolean(), nullable=False) for n in ("draft", "prerelease")),
        sa.Column("immutable", sa.Boolean()),
        *(sa.Column(f"{name}_at", TIME) for name in ("created", "published", "updated")),
        sa.Column("author_login", sa.String(255)),
        *(sa.Column(name, LONG_TEXT) for name in ("html_url", "payload")),
        *(sa.Column(f"{n}_at", TIME, nullable=False) for n in ("first_seen", "changed")),
        sa.Column("removed_at", TIME),
        reference("repositories", "repository_id"),
    )
    add_index("releases", "repository", "host", "repository_id")
    add_table(
        "release_assets",
        *key("id"),
        *(sa.Column(f"{n}_id", sa.BigInteger(), nullable=False) for n in ("release", "repository")),
        sa.Column("node_id", sa.String(255)),
        *(sa.Column(name, LONG_TEXT) for name in ("name", "label")),
        sa.Column("state", WORD),
        sa.Column("content_type", LONG_TEXT),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(255)),
        sa.Column("download_count", sa.BigInteger(), nullable=False),
        *(sa.Column(f"{name}_at", TIME) for name in ("created", "updated")),
        sa.Column("uploader_login", sa.String(255)),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("removed_at", TIME),
        reference("releases", "release_id"),
        reference("repositories", "repository_id"),
    )
    add_index("release_assets", "release", "host", "release_id")
    add_index("release_assets", "repository", "host", "repository_id")
    add_table(
        "asset_downloads",
        *key("asset_id"),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("download_count", sa.BigInteger(), nullable=False),
        reference("release_assets", "asset_id"),
        sqlite_with_rowid=False,
    )
