"""Leaves a run that changed nothing out of the ledger, as if it had not been."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import and_, delete, exists, select, update

from sync.core.errors import Fenced
from sync.database.run_transaction import RunTransaction
from sync.database.store import Store
from sync.database.tables import (
    accounts,
    departures,
    rejected_items,
    repository_changes,
    resource_changes,
    resource_runs,
    sync_runs,
)
from sync.database.writes import RESOURCES_ONLY, Run

_REFERRING = (repository_changes.c.run_id, resource_changes.c.run_id, rejected_items.c.run_id)


def forget_run(store: Store, run: Run, keep_pages: Collection[str] | None) -> bool:
    """Delete a run whose end is not recorded; False if it has to be kept.

    It is kept if a row refers to it; if the account's last sync was not a success, of which it is
    the end; if a redaction waits for the account to be listed again; and if it took over from a
    run that did not end, whose process may still be there: the account's generation goes back
    by one, so no other process may have the same. `keep_pages`: as in `Store.finish_run`.
    """
    done: list[bool] = []

    def forget(transaction: RunTransaction) -> bool:
        done.append(_forget(transaction))
        if done[-1] and keep_pages is not None:
            transaction.forget_pages_but(keep_pages)
        return done[-1]

    try:
        return store.transact(run, forget)
    except Fenced:
        if done and done[-1]:  # it was committed, and the reply was lost
            return True
        raise


def _forget(transaction: RunTransaction) -> bool:
    run, connection = transaction.run, transaction.connection
    if run.took_over or run.written or not _follows_success(transaction) or _awaited(transaction):
        return False
    for column in _REFERRING:
        if connection.execute(select(column).where(column == run.id).limit(1)).first():
            return False
    connection.execute(delete(resource_runs).where(resource_runs.c.run_id == run.id))
    connection.execute(delete(sync_runs).where(sync_runs.c.id == run.id))
    mine = and_(accounts.c.name == run.account, accounts.c.generation == run.generation)
    connection.execute(update(accounts).where(mine).values(generation=run.generation - 1))
    return True


def _follows_success(transaction: RunTransaction) -> bool:
    run, before = transaction.run, sync_runs.c
    last = select(before.status).where(before.account == run.account, before.id < run.id)
    last = last.where(before.trigger != RESOURCES_ONLY).order_by(before.id.desc()).limit(1)
    return bool(transaction.connection.execute(last).scalar() == "succeeded")


def _awaited(transaction: RunTransaction) -> bool:
    run = transaction.run
    mine = and_(accounts.c.name == run.account, accounts.c.listed_revision < run.revision)
    waiting = exists().where(departures.c.host == run.host)
    asked = select(accounts.c.name).where(mine, waiting)
    return transaction.connection.execute(asked).first() is not None
