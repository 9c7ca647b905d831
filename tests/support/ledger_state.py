"""What a ledger holds, without what differs each time: to be compared with another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from hashlib import blake2b
from typing import Any
from urllib.parse import unquote

from sqlalchemy import NullPool, create_engine, select

from sync.database.tables import metadata

Row = dict[str, Any]
State = dict[str, list[Row]]

# Numbers that a database gives as it likes, and what depends on how quick the requests are.
_FREE: dict[str, frozenset[str]] = {
    "repository_changes": frozenset({"id"}),
    "resource_changes": frozenset({"id"}),
    "rejected_items": frozenset({"id"}),
    "resource_runs": frozenset({"asked", "not_modified"}),
    "sync_runs": frozenset(
        {
            *("requests", "not_modified", "wait_seconds", "rate_limit_remaining"),
            *("pages", "pages_expected", "unchanged"),  # told once a second
            "trigger",
        }
    ),
}
_OF_ITS_RUN = ("run_id", "generation", "times", "revision", "listed_revision")
_LONG = 200  # characters from which on a digest stands for a text


def state_of(url: str) -> State:
    """Return what is stored, all as of one moment."""
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            if engine.dialect.name != "sqlite":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            found = {
                name: [dict(row._mapping) for row in connection.execute(select(table))]
                for name, table in metadata.tables.items()
            }
    finally:
        engine.dispose()
    order = {
        id_: place for place, id_ in enumerate(sorted(row["id"] for row in found["sync_runs"]))
    }
    return {
        name: sorted((_row(name, row, order) for row in rows), key=_key)
        for name, rows in found.items()
    }


def _row(table: str, row: Row, runs: dict[int, int]) -> Row:
    free = _FREE.get(table, frozenset())
    told = {name: _told(table, value) for name, value in row.items() if name not in free}
    # A database may leave numbers out, so a run goes by its place among them.
    if table == "sync_runs":
        told["id"] = runs[row["id"]]
    if "run_id" in told:
        told["run_id"] = runs[row["run_id"]]
    if table == "page_cache":  # a link may write the address of a page in another way
        told["key"] = unquote(told["key"])
    if table == "repository_changes" and told["field"] == "removed_at":
        told |= {name: told[name] and "a time" for name in ("old_value", "new_value")}
    return told


def _told(table: str, value: Any) -> Any:
    if isinstance(value, datetime):  # two runs are not at the same
        return "a time"
    if isinstance(value, date):
        return "a day" if table == "repository_metrics" else value.isoformat()
    if isinstance(value, str) and len(value) > _LONG:
        return blake2b(value.encode(), digest_size=16).hexdigest()
    return value


def _key(row: Row) -> list[str]:
    return [str(value) for name, value in row.items() if name not in _OF_ITS_RUN]


def effect_of(state: State) -> State:
    """Return what the runs have brought, in however many: of what was rejected, the last run's."""
    newest = max(row["id"] for row in state["sync_runs"])
    return {
        name: [_without_run(row) for row in _lasting(name, rows, newest)]
        for name, rows in state.items()
        if name not in ("sync_runs", "resource_runs")
    }


def _lasting(table: str, rows: list[Row], newest: int) -> list[Row]:
    return [row for row in rows if table != "rejected_items" or row["run_id"] == newest]


def _without_run(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in _OF_ITS_RUN}


def differences(found: State, expected: State) -> Iterator[str]:
    """Yield in words what two states do not share."""
    for name, rows in expected.items():
        more = [row for row in found[name] if row not in rows]
        fewer = [row for row in rows if row not in found[name]]
        if more or fewer or len(found[name]) != len(rows):
            yield (
                f"{name}: {len(found[name])} rows instead of {len(rows)}; "
                f"should not be there: {more[:2]}; missing: {fewer[:2]}"
            )
