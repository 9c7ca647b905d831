"""The status of each account: the queries of `Ledger.status`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, null, or_, select

from sync.database.dialects import Dialect
from sync.database.tables import account_repositories, accounts, plain, repositories, sync_runs
from sync.database.writes import GOOD, RESOURCES_ONLY

# The largest number of runs read to count failures in a row, so that the cost does not grow.
MOST_FAILURES = 100
_OF_ACCOUNT = ("login", "host", "last_synced_at", "not_before", "next_run_at")
_OF_RUN = (
    *("status", "trigger", "started_at", "finished_at", "pages"),
    *("pages_expected", "requests", "not_modified", "inserted", "updated"),
    *("unchanged", "removed", "restored", "withheld", "rejected", "rate_limit_remaining"),
    *("error_type", "error_message"),
)

_SYNCS = sync_runs.c.trigger != RESOURCES_ONLY


def standing(connection: Connection, dialect: Dialect, *, counted: bool) -> list[dict[str, Any]]:
    """Return a row per account: its last run and, if `counted`, how many repositories it lists.

    A run that reads resources alone is not the account's last, since it does not sync it.
    Each statement looks rows up by key: for a join, a server might read every run.
    """
    found = [plain(row) for row in connection.execute(_accounts(dialect, counted=counted))]
    ids = [row["run_id"] for row in found if row["run_id"] is not None]
    runs = {row.id: plain(row) for row in connection.execute(_runs(ids))}
    for row in found:
        run = runs.get(row["run_id"], {})
        row.update({name: run.get(name) for name in _OF_RUN})
        endings = () if row["status"] in (None, *GOOD) else _endings(connection, row["account"])
        row |= since_last_good(endings)
    return found


def _accounts(dialect: Dialect, *, counted: bool) -> Select[Any]:
    mine, newest = sync_runs.c.account == accounts.c.name, sync_runs.c.id.desc()
    # Not max(id), for which MariaDB reads all runs of the account.
    latest = select(sync_runs.c.id).where(mine, _SYNCS).order_by(newest).limit(1)
    latest = latest.correlate(accounts)
    member = account_repositories.c
    here = _current(member.host == accounts.c.host)
    # Two ranges of an index, instead of `!=`.
    elsewhere = _current(or_(member.host < accounts.c.host, member.host > accounts.c.host))
    return select(
        accounts.c.name.label("account"),
        *(accounts.c[name] for name in _OF_ACCOUNT),
        accounts.c.id.label("user_id"),
        (here if counted else null()).label("repositories"),
        (elsewhere if counted else null()).label("elsewhere"),
        latest.scalar_subquery().label("run_id"),
    ).order_by(dialect.in_code_point_order(accounts.c.name))


def _current(where: ColumnElement[bool]) -> Any:
    """Return a query for the number of current repositories that an account lists."""
    member, table = account_repositories.c, repositories.c
    return (
        select(func.count())
        .select_from(account_repositories)
        .join(repositories, and_(table.host == member.host, table.id == member.repository_id))
        .where(
            member.account == accounts.c.name,
            where,
            member.gone_at.is_(None),
            table.removed_at.is_(None),
        )
        .correlate(accounts)
        .scalar_subquery()
    )


def _runs(ids: Sequence[int]) -> Select[Any]:
    columns = (sync_runs.c[name] for name in _OF_RUN)
    return select(sync_runs.c.id, *columns).where(sync_runs.c.id.in_(ids))


def _endings(connection: Connection, account: str) -> Sequence[str]:
    """Return the statuses of an account's last runs, the latest first."""
    mine, newest = sync_runs.c.account == account, sync_runs.c.id.desc()
    statement = select(sync_runs.c.status).where(mine, _SYNCS)
    statement = statement.order_by(newest).limit(MOST_FAILURES)
    return connection.execute(statement).scalars().all()


def since_last_good(endings: Iterable[str]) -> dict[str, int]:
    """Count the failed and the deferred runs in `endings` since the last good one."""
    bad = list(takewhile(lambda status: status not in GOOD, endings))
    return {"failures": bad.count("failed"), "deferrals": bad.count("deferred")}
