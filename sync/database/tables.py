"""The tables of a ledger, as the newest migration leaves them.

Column names are GitHub's own field names wherever one exists. Times are UTC.
A repository is known by (host, id): ids are unique per host, and names are
reused. `migrations/` makes these tables; a test holds the two together. The indexes
of names are not here: each database has its own way, and `Dialect.is_name` knows it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData()


# What is particular to a database is imported for that one alone: it takes longer than to look
# into a ledger in another.
_MYSQL = ("mysql", "mariadb")


class LongText(TypeDecorator[str]):
    """A text, of more than the 64 kB at which MySQL's TEXT ends."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name not in _MYSQL:
            return Text()
        from sqlalchemy.dialects.mysql import LONGTEXT

        return LONGTEXT()


class Document(TypeDecorator[Any]):
    """A JSON value."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name != "postgresql":
            return JSON()
        from sqlalchemy.dialects.postgresql import JSONB

        return JSONB()


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC to the microsecond; aware in Python whatever the database keeps."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name not in _MYSQL:
            return dialect.type_descriptor(DateTime(timezone=True))
        from sqlalchemy.dialects.mysql import DATETIME

        return dialect.type_descriptor(DATETIME(fsp=6))  # without a number, whole seconds

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # the signature is SQLAlchemy's
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # the signature is SQLAlchemy's
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


TEXTS = (String, LongText)

# What is stored of a repository beside its key. A change of a CONTENT field is
# one row of repository_changes; COUNTERS go to repository_metrics instead.
CONTENT = (
    "node_id",
    "name",
    "full_name",
    "owner_id",
    "owner_login",
    "owner_type",
    "html_url",
    "description",
    "homepage",
    "language",
    "license_spdx_id",
    "topics",
    "default_branch",
    "visibility",
    "fork",
    "archived",
    "disabled",
    "is_template",
    "has_issues",
    "has_projects",
    "has_wiki",
    "has_pages",
    "has_discussions",
    "created_at",
    "updated_at",
    "pushed_at",
)
COUNTERS = (
    "stargazers_count",
    "forks_count",
    "open_issues_count",
    "watchers_count",
    "size",
)
FIELDS = CONTENT + COUNTERS

_HOST = String(255)
_NAME = String(255)

repositories = Table(
    "repositories",
    metadata,
    Column("host", _HOST, primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("node_id", String(255)),
    Column("name", _NAME, nullable=False),
    Column("full_name", String(512), nullable=False),
    Column("owner_id", BigInteger),
    Column("owner_login", _NAME),
    Column("owner_type", String(64)),
    Column("html_url", LongText),
    Column("description", LongText),
    Column("homepage", LongText),
    Column("language", _NAME),
    Column("license_spdx_id", _NAME),
    Column("topics", Document),
    Column("default_branch", LongText),
    Column("visibility", String(64)),
    Column("fork", Boolean),
    Column("archived", Boolean),
    Column("disabled", Boolean),
    Column("is_template", Boolean),
    Column("has_issues", Boolean),
    Column("has_projects", Boolean),
    Column("has_wiki", Boolean),
    Column("has_pages", Boolean),
    Column("has_discussions", Boolean),
    Column("created_at", UtcDateTime),
    Column("updated_at", UtcDateTime),
    Column("pushed_at", UtcDateTime),
    Column("stargazers_count", BigInteger),
    Column("forks_count", BigInteger),
    Column("open_issues_count", BigInteger),
    Column("watchers_count", BigInteger),
    Column("size", BigInteger),
    Column("payload", LongText),
    Column("content_hash", String(64), nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
    Column("removal_reason", String(64)),
    Index("ix_repositories_full_name", "full_name"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("host", _HOST, nullable=False),
    Column("id", BigInteger),
    Column("login", _NAME),
    Column("generation", BigInteger, nullable=False),
    Column("not_before", UtcDateTime),
    Column("last_synced_at", UtcDateTime),
    Column("next_run_at", UtcDateTime),
    Column("listing_basis", LongText),
)

account_repositories = Table(
    "account_repositories",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("host", _HOST, primary_key=True),
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("gone_at", UtcDateTime),
    ForeignKeyConstraint(["host", "repository_id"], ["repositories.host", "repositories.id"]),
    ForeignKeyConstraint(["account"], ["accounts.name"]),
    Index("ix_account_repositories_repository", "host", "repository_id"),
    sqlite_with_rowid=False,
)

repository_changes = Table(
    "repository_changes",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("host", _HOST, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("observed_at", UtcDateTime, nullable=False),
    Column("field", String(64), nullable=False),
    Column("old_value", LongText),
    Column("new_value", LongText),
    ForeignKeyConstraint(["host", "repository_id"], ["repositories.host", "repositories.id"]),
    Index("ix_repository_changes_repository", "host", "repository_id", "observed_at"),
    Index("ix_repository_changes_observed_at", "observed_at"),
)

repository_metrics = Table(
    "repository_metrics",
    metadata,
    Column("host", _HOST, primary_key=True),
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    Column("stargazers_count", BigInteger),
    Column("forks_count", BigInteger),
    Column("open_issues_count", BigInteger),
    Column("watchers_count", BigInteger),
    Column("size", BigInteger),
    ForeignKeyConstraint(["host", "repository_id"], ["repositories.host", "repositories.id"]),
    sqlite_with_rowid=False,
)

sync_runs = Table(
    "sync_runs",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("trigger", String(64), nullable=False),
    Column("status", String(64), nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("pages", Integer, nullable=False),
    Column("pages_expected", Integer),
    Column("requests", Integer, nullable=False),
    Column("not_modified", Integer, nullable=False),
    Column("inserted", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("restored", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("wait_seconds", Double, nullable=False),
    Column("rate_limit_remaining", Integer),
    Column("error_type", String(64)),
    Column("error_message", LongText),
    Column("withheld", Integer, nullable=False, server_default="0"),
    Column("missing_digest", String(64)),
    Index("ix_sync_runs_account", "account", "id"),
    sqlite_autoincrement=True,
)

rejected_items = Table(
    "rejected_items",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("run_id", BigInteger, nullable=False),
    Column("account", String(64), nullable=False),
    Column("position", Integer, nullable=False),
    Column("reason", LongText, nullable=False),
    Column("payload", LongText),
    Index("ix_rejected_items_run", "run_id"),
)

# MySQL's indexes take 3,072 bytes: this and the account's name, of four bytes a character.
LONGEST_KEY = 700
page_cache = Table(
    "page_cache",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("key", String(LONGEST_KEY), primary_key=True),
    Column("etag", String(255), nullable=False),
    Column("ids", Document, nullable=False),
    Column("item_count", Integer, nullable=False),
    Column("next_url", LongText),
    Column("stored_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)


def plain(row: Any) -> dict[str, Any]:
    """Return a result row as a dict, column name -> value."""
    return dict(row._mapping)
