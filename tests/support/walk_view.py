"""What a walk reads of its ledger: as a user does, with statements of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, create_engine, func, select

from sync.database.tables import (
    CONTENT,
    COUNTERS,
    FIELDS,
    account_repositories,
    repositories,
    repository_changes,
    repository_metrics,
    sync_runs,
)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """What is stored at a moment: whose it is and who sees it, what has gone, who lists what."""

    stored: dict[int, tuple[int | None, str | None]]
    removed: dict[int, str | None]
    redacted: set[int]
    live: dict[str, set[int]]

    @property
    def present(self) -> set[int]:
        """The repositories that are not removed."""
        return self.stored.keys() - self.removed.keys()


class View:
    """Reads the ledger at `url`, all that is committed."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, isolation_level="AUTOCOMMIT")

    def close(self) -> None:
        self._engine.dispose()

    def look(self) -> Look:
        """Return what is stored now."""
        table, member = repositories.c, account_repositories.c
        listed = select(member.account, member.repository_id).where(member.gone_at.is_(None))
        stored = select(table.id, table.owner_id, table.visibility)
        removed = select(table.id, table.removal_reason).where(table.removed_at.is_not(None))
        redacted = select(table.id).where(table.name.startswith("[redacted-"))
        live: dict[str, set[int]] = {}
        with self._engine.connect() as connection:
            for account, rid in connection.execute(listed).all():
                live.setdefault(account, set()).add(rid)
            return Look(
                stored={rid: (owner, seen) for rid, owner, seen in connection.execute(stored)},
                removed={row.id: row.removal_reason for row in connection.execute(removed)},
                redacted=set(connection.execute(redacted).scalars()),
                live=live,
            )

    def rows(self, *more: str) -> dict[int, Row]:
        """Return all repositories with their fields, when they were removed, why, and `more`."""
        names = ("id", *FIELDS, "removed_at", "removal_reason", "content_hash", "changed_at", *more)
        return {r["id"]: r for r in self._all(select(*(repositories.c[name] for name in names)))}

    def log(self) -> list[Row]:
        """Return the change log in its order, each row with the account whose run wrote it."""
        log = repository_changes.c
        names = ("id", "repository_id", "observed_at", "field", "old_value", "new_value")
        statement = (
            select(*(log[name] for name in names), sync_runs.c.account)
            .join_from(repository_changes, sync_runs, log.run_id == sync_runs.c.id)
            .order_by(log.id)
        )
        return self._all(statement)

    def length_of_log(self) -> int:
        """Return how many changes are logged."""
        return int(
            self._all(select(func.count().label("n")).select_from(repository_changes))[0]["n"]
        )

    def redacted_at(self) -> dict[int, datetime]:
        """Return when each repository that ever was redacted was so last."""
        log = repository_changes.c
        statement = select(log.repository_id, func.max(log.observed_at).label("last")).where(
            log.field == "redacted"
        )
        return {
            row["repository_id"]: row["last"]
            for row in self._all(statement.group_by(log.repository_id))
        }

    def newest_metrics(self) -> dict[int, tuple[Any, ...]]:
        """Return the counters of the last day that tells of them, for each repository."""
        table = repository_metrics.c
        rows = self._all(select(repository_metrics).order_by(table.repository_id, table.day))
        return {row["repository_id"]: counters(row) for row in rows}

    def _all(self, statement: Select[Any]) -> list[Row]:
        with self._engine.connect() as connection:
            result = connection.execute(statement)
            names = tuple(result.keys())
            return [dict(zip(names, row, strict=True)) for row in result.all()]


def redacted_name(rid: int) -> str:
    """Return what a redacted repository is called."""
    return f"[redacted-{rid}]"


def content(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in CONTENT)


def counters(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in COUNTERS)
