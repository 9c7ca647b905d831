"""The SQL statements that write repositories and what belongs to them, many rows at a time."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from sync.database.dialects import Dialect
from sync.database.tables import BY_DAY, FIELDS

_KEY = ("host", "id")
_REPOSITORY_UPDATE = (
    *FIELDS,
    *("removed_at", "removal_reason", "payload", "content_hash", "changed_at", "revision"),
)
_REPOSITORY = (*_KEY, *_REPOSITORY_UPDATE, "first_seen_at")
_METRICS_KEY = ("host", "repository_id", "day")
_MEMBERSHIP_KEY = ("account", "host", "repository_id")
_CHANGE = ("host", "repository_id", "run_id", "observed_at", "field", "old_value", "new_value")
_PAGE_KEY = ("account", "key")
_PAGE = ("etag", "ids", "item_count", "next_url", "stored_at")


class Statements(NamedTuple):
    """SQL of one database's dialect; each takes rows in the order of its columns."""

    repository: str
    metrics: str
    membership: str
    change: str
    page: str


@cache
def statements_of(dialect: Dialect) -> Statements:
    """Return the statements for a dialect, made once."""
    return Statements(
        repository=dialect.upsert("repositories", _KEY, _REPOSITORY, _REPOSITORY_UPDATE),
        metrics=dialect.upsert(
            "repository_metrics", _METRICS_KEY, (*_METRICS_KEY, *BY_DAY), BY_DAY
        ),
        membership=dialect.upsert(
            "account_repositories",
            _MEMBERSHIP_KEY,
            (*_MEMBERSHIP_KEY, "first_seen_at", "gone_at", "push"),
            ("gone_at", "push"),
        ),
        change=dialect.insert("repository_changes", _CHANGE),
        page=dialect.upsert("page_cache", _PAGE_KEY, (*_PAGE_KEY, *_PAGE), _PAGE),
    )
