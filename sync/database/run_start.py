"""Writes the start of a run, and the end of a run whose process died."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Update, func, insert, select, update

from sync.core.errors import ConfigError, Interrupted
from sync.core.origin import is_same_host
from sync.database.tables import account_repositories, accounts, departures, sync_runs
from sync.database.writes import Run, RunCounts


def begin_run(
    connection: Connection,
    account: str,
    host: str,
    trigger: str,
    configured: frozenset[str] | None,
    now: datetime,
) -> Run:
    """Record a run with the account's next generation; end a run that is still `running`.

    Raises ConfigError if the account is of another host.
    """
    mine = accounts.c.name == account
    problem = host_problem(connection, account, host)
    if problem is not None:
        raise ConfigError(problem)
    # The account's row first, as in every transaction of a run, to avoid deadlocks.
    if not connection.execute(
        update(accounts).where(mine).values(host=host, generation=accounts.c.generation + 1)
    ).rowcount:
        connection.execute(insert(accounts).values(name=account, host=host, generation=1))
    generation = connection.execute(select(accounts.c.generation).where(mine)).scalar_one()
    took_over = connection.execute(interrupt_stale(account, now)).rowcount > 0
    row = insert(sync_runs).values(
        account=account,
        trigger=trigger,
        status="running",
        complete=False,
        started_at=now,
        **RunCounts().as_dict(),
    )
    (run_id,) = connection.execute(row).inserted_primary_key or (0,)
    return Run(
        id=run_id,
        account=account,
        host=host,
        generation=generation,
        started_at=now,
        configured=configured,
        revision=newest_revision(connection),
        took_over=took_over,
    )


def host_problem(connection: Connection, account: str, host: str) -> str | None:
    """Return why an account may not be synced from `host`: the ledger knows it at another one.

    None if it may be, also where nothing has been stored of it: no host has said yet which user
    the account is.
    """
    wanted = select(accounts.c.host, accounts.c.id).where(accounts.c.name == account)
    known = connection.execute(wanted).first()
    # Version 0.1.0 kept the host as it was written, such as with its port.
    if known is None or known.id is None or is_same_host(known.host, host):
        return None
    # It also stored the new host before that had answered.
    if _has_listed(connection, account, host) and not _has_listed(connection, account, known.host):
        return None
    return (
        f"the account was synced from {known.host}, and is configured for {host} now: ids are "
        f"unique on one host only, so give the account for {host} a name of its own"
    )


def _has_listed(connection: Connection, account: str, host: str) -> bool:
    """Return whether the account lists a repository of `host`, or ever did."""
    member = account_repositories.c
    listed = select(member.repository_id).where(member.account == account, member.host == host)
    return connection.execute(listed.limit(1)).first() is not None


def newest_revision(connection: Connection) -> int:
    """Return the revision of the last transaction that wrote repositories.

    Revisions rise with each transaction, so that their order does not depend on a clock.
    `departures` counts too: else its rows would wait for ever after a row of `accounts` was
    deleted by hand.
    """
    columns = (accounts.c.revision, departures.c.revision)
    newest = (select(func.max(column)).scalar_subquery() for column in columns)
    return max(revision or 0 for revision in connection.execute(select(*newest)).one())


def is_recorded(connection: Connection, run: Run) -> bool:
    """Return whether a run is in the ledger, with no later run of its account."""
    generation = select(accounts.c.generation).where(accounts.c.name == run.account)
    begun = select(sync_runs.c.account, sync_runs.c.started_at).where(sync_runs.c.id == run.id)
    return connection.execute(generation).scalar() == run.generation and tuple(
        connection.execute(begun).first() or ()
    ) == (run.account, run.started_at)


def interrupt_stale(account: str, now: datetime) -> Update:
    """Return the UPDATE that ends an account's runs that are still `running`."""
    return (
        update(sync_runs)
        .where(sync_runs.c.account == account, sync_runs.c.status == "running")
        .values(
            status="interrupted",
            finished_at=now,
            error_type=Interrupted.code,
            error_message="the process ended without recording the run",
        )
    )
