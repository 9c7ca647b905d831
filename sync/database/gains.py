"""What repositories gained since a day, as columns for queries of `repositories`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, and_, func, select

from sync.database.tables import repositories, repository_metrics

# The counters of which gains are told, by the name of the gain.
GAINS = {"gained": "stargazers_count", "forks_gained": "forks_count"}
LOST = "lost"
_UNKNOWN = -1
Key = tuple[str, int]


def gains_since(day: date) -> dict[str, Any]:
    """Return columns: each counter now minus the one at the end of `day`.

    Of a repository that is known for less long, minus the first one; null if one is not known.
    """
    return {name: repositories.c[column] - _then(column, day) for name, column in GAINS.items()}


def lost(gained: int | None) -> int | None:
    """Return how many were lost, if something was gained; null if that is not known."""
    return None if gained is None else max(0, -gained)


def counters_on(connection: Connection, day: date) -> dict[Key, Mapping[str, int | None]]:
    """Return each repository's counters at the end of `day`, or when it was first known."""
    table = repositories.c
    then = (_then(column, day).label(name) for name, column in GAINS.items())
    rows = connection.execute(select(table.host, table.id, *then))
    return {(row.host, row.id): {name: row._mapping[name] for name in GAINS} for row in rows}


def with_gains(
    rows: Iterable[dict[str, Any]], before: Mapping[Key, Mapping[str, int | None]]
) -> Iterator[dict[str, Any]]:
    """Yield rows of a past time with what was gained until then, after `before`."""
    for row in rows:
        then = before.get((row["host"], row["id"]), {})
        yield row | {name: _difference(row[GAINS[name]], then.get(name)) for name in GAINS}


def _difference(now: int | None, then: int | None) -> int | None:
    return None if now is None or then is None else now - then


def _then(column: str, day: date) -> Any:
    counted, table = repository_metrics.c, repositories.c
    mine = and_(counted.host == table.host, counted.repository_id == table.id)
    # A row without a number is not the same as no row.
    told = select(func.coalesce(counted[column], _UNKNOWN)).where(mine).limit(1)
    then = told.where(counted.day <= day).order_by(counted.day.desc()).scalar_subquery()
    first = told.order_by(counted.day).scalar_subquery()
    return func.nullif(func.coalesce(then, first), _UNKNOWN)
