"""A ledger does not grow without end: a rejected item is one row, however often it is met.

And `updated_at`, which moves with every star, is told by the day, as counters are.
"""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from sync.database.migration_steps import TIME, add_column, add_index

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_AT_A_TIME = 100  # payloads in memory


def upgrade() -> None:
    add_column("rejected_items", "item_key", sa.String(64))
    add_column("rejected_items", "times", sa.Integer(), nullable=False, server_default="1")
    add_column("rejected_items", "first_seen_at", TIME)
    add_column("rejected_items", "last_seen_at", TIME)
    add_column("rejected_items", "repository_id", sa.BigInteger())
    add_column("rejected_items", "full_name", sa.String(512))
    add_column(
        "rejected_items", "to_be_read", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    add_column("repository_metrics", "updated_at", TIME)
    _tell_when_rejected()
    _tell_what_was_rejected()
    _tell_when_updated()
    add_index("rejected_items", "item", "account", "item_key")
    add_index("rejected_items", "last_seen_at", "last_seen_at")
    add_index("rejected_items", "repository", "repository_id")
    add_index("rejected_items", "full_name", "full_name")
    add_index("rejected_items", "to_be_read", "to_be_read")
    add_index("repository_changes", "run", "run_id")
    add_index("sync_runs", "started_at", "started_at")


def _tell_when_rejected() -> None:
    """Date each item by the start of its run; without that run, by the first run's start."""
    for name in ("first_seen_at", "last_seen_at"):
        op.execute(
            f"UPDATE rejected_items SET {name} = coalesce("  # noqa: S608  # our own names
            "(SELECT started_at FROM sync_runs WHERE sync_runs.id = rejected_items.run_id), "
            f"(SELECT min(started_at) FROM sync_runs)) WHERE {name} IS NULL"
        )


def _tell_what_was_rejected() -> None:
    connection = op.get_bind()
    items = sa.table("rejected_items", *map(sa.column, ("id", "payload", *_TOLD)))
    change = (
        sa.update(items)
        .where(items.c.id == sa.bindparam("row"))
        .values({name: sa.bindparam(name) for name in _TOLD})
    )
    last = 0
    while True:
        some = sa.select(items.c.id, items.c.payload).where(items.c.id > last)
        rows = connection.execute(some.order_by(items.c.id).limit(_AT_A_TIME)).all()
        if not rows:
            return
        last = rows[-1].id
        told = [{"row": row.id, **_told(row.payload or "")} for row in rows]
        connection.execute(change, told)


_TOLD = ("repository_id", "full_name", "to_be_read")
# Keys of repositories inside of one.
_OTHERS = ('"parent"', '"source"', '"template_repository"')


def _told(payload: str) -> dict[str, Any]:
    """Return the part of a payload that describes the repository itself."""
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):  # cut short, or never JSON
        said = None
    id_, name = (said.get("id"), said.get("full_name")) if isinstance(said, dict) else (None, None)
    is_id = type(id_) is int and 0 < id_ < 2**63
    is_name = isinstance(name, str) and len(name) <= 512 and _is_storable(name)
    return {
        "repository_id": id_ if is_id else None,
        "full_name": name if is_name else None,
        "to_be_read": payload != "" and (not is_id or any(key in payload for key in _OTHERS)),
    }


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _tell_when_updated() -> None:
    """Note of each repository when GitHub had updated it, on the days that the log says no more of.

    The log tells of every time until its last change of `updated_at`; since then it has been
    what is stored. So it is noted on the last day of counters by then, and on all after it.
    """
    connection = op.get_bind()
    change = sa.text(
        "UPDATE repository_metrics SET updated_at = (SELECT r.updated_at FROM repositories AS r "
        "WHERE r.host = repository_metrics.host AND r.id = repository_metrics.repository_id) "
        "WHERE host = :host AND repository_id = :id AND day >= :day"
    )
    rows = [dict(row._mapping) for row in _days_to_tell_of(connection)]
    for start in range(0, len(rows), 1000):
        connection.execute(change, rows[start : start + 1000])


def _days_to_tell_of(connection: sa.Connection) -> Iterator[Any]:
    # Only an answer, so that MySQL need not update what it reads.
    yield from connection.execute(
        sa.text(
            "SELECT m.host AS host, m.repository_id AS id, coalesce(max(CASE WHEN "
            "c.changed_on IS NOT NULL AND m.day <= c.changed_on THEN m.day END), min(m.day)) "
            "AS day FROM repository_metrics AS m LEFT JOIN (SELECT host, repository_id, "
            "date(max(observed_at)) AS changed_on FROM repository_changes "
            "WHERE field = 'updated_at' GROUP BY host, repository_id) AS c "
            "ON c.host = m.host AND c.repository_id = m.repository_id "
            "GROUP BY m.host, m.repository_id"
        )
    ).all()
