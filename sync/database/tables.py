"""The tables of a ledger, in the schema of the newest migration.

Columns have GitHub's field names wherever there is one. Times are UTC. The key of a
repository is (host, id), since names are reused. `migrations/` creates these tables; a test
compares the two. The indexes of names differ by database: see `Dialect.is_name`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    false,
)

from sync.database.columns import child_table, columns, counter_table, row_table
from sync.database.types import Document, LongText, UtcDateTime
from sync.resources import RESOURCES, ROW_TABLES
from sync.resources.downloads import DOWNLOADS
from sync.resources.repositories import REPOSITORIES

metadata = MetaData()


# The columns of a repository beside its key. A change of a CONTENT field is one row of
# repository_changes, except for the fields in BY_DAY, which go to repository_metrics.
CONTENT, COUNTERS = REPOSITORIES.content, REPOSITORIES.counters
FIELDS, BY_DAY = REPOSITORIES.fields, REPOSITORIES.by_day
(UPDATED,) = REPOSITORIES.daily

_HOST = String(255)
_NAME = String(255)

repositories = Table(
    "repositories",
    metadata,
    Column("host", _HOST, primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    *columns(REPOSITORIES, FIELDS),
    Column("payload", LongText),
    Column("content_hash", String(64), nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
    Column("removal_reason", String(64)),
    Column("revision", BigInteger, nullable=False, server_default="0"),
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
    Column("revision", BigInteger, nullable=False, server_default="0"),
    Column("listed_revision", BigInteger, nullable=False, server_default="0"),
)

account_repositories = Table(
    "account_repositories",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("host", _HOST, primary_key=True),
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("gone_at", UtcDateTime),
    Column("push", Boolean),  # null until a listing says it
    ForeignKeyConstraint(["host", "repository_id"], ["repositories.host", "repositories.id"]),
    ForeignKeyConstraint(["account"], ["accounts.name"]),
    Index("ix_account_repositories_repository", "host", "repository_id"),
    sqlite_with_rowid=False,
)


def _change_log(name: str, *subject: Column[Any]) -> Table:
    """Make a change log: one row per changed field of a `subject` of a repository."""
    return Table(
        name,
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        *subject,
        Column("run_id", BigInteger, nullable=False),
        Column("observed_at", UtcDateTime, nullable=False),
        Column("field", String(64), nullable=False),
        Column("old_value", LongText),
        Column("new_value", LongText),
        ForeignKeyConstraint(["host", "repository_id"], ["repositories.host", "repositories.id"]),
        Index(f"ix_{name}_repository", "host", "repository_id", "observed_at"),
        Index(f"ix_{name}_observed_at", "observed_at"),
        Index(f"ix_{name}_run", "run_id"),
    )


repository_changes = _change_log(
    "repository_changes",
    Column("host", _HOST, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
)

# No listing tells the number of subscribers.
repository_metrics = counter_table(
    REPOSITORIES,
    metadata,
    Column("subscribers_count", BigInteger),
    Index("ix_repository_metrics_day", "day"),
)

departures = Table(
    "departures",
    metadata,
    Column("host", _HOST, primary_key=True),
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), primary_key=True),
    Column("revision", BigInteger, nullable=False),
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
    Index("ix_sync_runs_started_at", "started_at"),
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
    Column("item_key", String(64)),
    Column("times", Integer, nullable=False, server_default="1"),
    Column("first_seen_at", UtcDateTime),
    Column("last_seen_at", UtcDateTime),
    Column("repository_id", BigInteger),
    Column("full_name", String(512)),
    Column("to_be_read", Boolean, nullable=False, server_default=false()),
    Column("resource", String(64), nullable=False, server_default=REPOSITORIES.name),
    Index("ix_rejected_items_run", "run_id"),
    Index("ix_rejected_items_item", "account", "item_key"),
    Index("ix_rejected_items_last_seen_at", "last_seen_at"),
    Index("ix_rejected_items_repository", "repository_id"),
    Index("ix_rejected_items_full_name", "full_name"),
    Index("ix_rejected_items_to_be_read", "to_be_read"),
)

# MySQL's indexes hold 3,072 bytes: this key and the account's name, at four bytes a character.
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
    Column("resource", String(64), nullable=False, server_default=REPOSITORIES.name),
    Column("repository_id", BigInteger),  # of a resource's page; null for the account's listing
    Index("ix_page_cache_listing", "repository_id", "account", "resource"),
    sqlite_with_rowid=False,
)

resource_runs = Table(
    "resource_runs",
    metadata,
    Column("run_id", BigInteger, primary_key=True, autoincrement=False),
    Column("resource", String(64), primary_key=True),
    Column("asked", Integer, nullable=False),
    Column("not_modified", Integer, nullable=False),
    Column("stored", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("deferred", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("lost_days", Integer, nullable=False),
    sqlite_with_rowid=False,
)

resource_states = Table(
    "resource_states",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("host", _HOST, primary_key=True),
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("resource", String(64), primary_key=True),
    Column("status", String(64), nullable=False),
    Column("checked_at", UtcDateTime),
    Column("changed_at", UtcDateTime),
    Column("next_at", UtcDateTime),
    Column("lost_at", UtcDateTime),
    Column("basis", LongText),
    Column("cursor", LongText),
    Column("failures", Integer, nullable=False),
    Column("detail", LongText),
    ForeignKeyConstraint(["host", "repository_id"], ["repositories.host", "repositories.id"]),
    Index("ix_resource_states_repository", "host", "repository_id"),
    sqlite_with_rowid=False,
)

resource_changes = _change_log(
    "resource_changes",
    Column("resource", String(64), nullable=False),
    Column("host", _HOST, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("item_id", BigInteger, nullable=False),
)

# The tables of the resources of repositories, and of their daily counters, by name.
CHILDREN = {each.name: child_table(each, metadata) for each in RESOURCES if each.parent}
Index("ix_releases_published_at", CHILDREN[DOWNLOADS.name].c.published_at)
COUNTED = {r.name: counter_table(r, metadata) for r in RESOURCES if r.parent and r.metrics}

# The tables of figures of repositories.
ROWS = {each: row_table(each, metadata) for each in ROW_TABLES}


def plain(row: Any) -> dict[str, Any]:
    """Return a result row as a dict, column name -> value."""
    return dict(row._mapping)
