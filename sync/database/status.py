"""How each account stands: the question of `Ledger.status`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, null, select

from sync.database.dialects import Dialect
from sync.database.rows import GOOD, RunStatus
from sync.database.tables import account_repositories, accounts, sync_runs

_OF_ACCOUNT = ("login", "host", "last_synced_at", "not_before", "next_run_at")
_OF_RUN = (
    *("status", "trigger", "started_at", "finished_at", "pages"),
    *("pages_expected", "requests", "not_modified", "inserted", "updated"),
    *("unchanged", "removed", "restored", "withheld", "rejected", "rate_limit_remaining"),
    *("error_type", "error_message"),
)


def accounts_with_last_runs(dialect: Dialect, *, counted: bool) -> Select[Any]:
    """Return a SELECT of each account with its last run and, if `counted`, its repositories."""
    runs, mine = sync_runs.alias("runs"), sync_runs.c.account == accounts.c.name
    latest = select(func.max(sync_runs.c.id)).where(mine).correlate(accounts)
    listed = (
        select(func.count())
        .where(
            account_repositories.c.account == accounts.c.name,
            account_repositories.c.gone_at.is_(None),
        )
        .correlate(accounts)
        .scalar_subquery()
    )
    return (
        select(
            accounts.c.name.label("account"),
            *(accounts.c[name] for name in _OF_ACCOUNT),
            accounts.c.id.label("user_id"),
            (listed if counted else null()).label("repositories"),
            _since_last_good("failed").label("failures"),
            _since_last_good("deferred").label("deferrals"),
            runs.c.id.label("run_id"),
            *(runs.c[name] for name in _OF_RUN),
        )
        .join_from(accounts, runs, runs.c.id == latest.scalar_subquery(), isouter=True)
        .order_by(dialect.in_code_point_order(accounts.c.name))
    )


def _since_last_good(status: RunStatus) -> Any:
    """Return how many of an account's runs since the last good one ended like that."""
    runs, earlier = sync_runs.c, sync_runs.alias("earlier")
    last_good = (
        select(func.coalesce(func.max(earlier.c.id), 0))
        .where(earlier.c.account == accounts.c.name, earlier.c.status.in_(GOOD))
        .correlate(accounts)
        .scalar_subquery()
    )
    return (
        select(func.count())
        .where(runs.account == accounts.c.name, runs.status == status, runs.id > last_good)
        .correlate(accounts)
        .scalar_subquery()
    )
