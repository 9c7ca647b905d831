"""Writes removals, redactions and purges, within a transaction of a run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any, Protocol

import msgspec
from sqlalchemy import and_, delete, null, select, update

from sync.database import lineage
from sync.database.changelog import CREATED, REDACTED
from sync.database.child_clearing import purge_children, redact_children
from sync.database.rejected_items import forget_rejected
from sync.database.run_transaction import RunTransaction
from sync.database.tables import (
    FIELDS,
    account_repositories,
    departures,
    repositories,
    repository_changes,
    repository_metrics,
)
from sync.database.writes import Change
from sync.resources.repositories import REPOSITORIES


class Gone(Protocol):
    """The writes of a removal; see `sync.removals.departure.Departure`."""

    @property
    def id(self) -> int: ...
    @property
    def leaving(self) -> tuple[str, ...]: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def values(self) -> tuple[Any, ...] | None: ...
    @property
    def redacts(self) -> bool: ...
    @property
    def unseen(self) -> bool: ...
    @property
    def changes(self) -> tuple[Change, ...]: ...


def remove(
    transaction: RunTransaction,
    departures: Iterable[Gone],
    referrers: Mapping[int, Collection[int]],
) -> dict[int, str]:
    """Write departures, none of which purges; return the database's refusals, by id.

    `referrers`: repositories whose payloads refer to an id; see `sync.database.lineage`.
    """
    reasons = {
        gone.id: transaction.attempt(
            partial(_remove, transaction, gone, referrers.get(gone.id, ()))
        )
        for gone in departures
    }
    return {id_: reason for id_, reason in reasons.items() if reason is not None}


def _remove(transaction: RunTransaction, gone: Gone, referrers: Collection[int]) -> None:
    transaction.connection.execute(
        update(account_repositories)
        .where(
            account_repositories.c.account.in_(gone.leaving),
            account_repositories.c.host == transaction.host,
            account_repositories.c.repository_id == gone.id,
        )
        .values(gone_at=transaction.now)
    )
    if gone.redacts:
        transaction.dialect.erase(transaction.connection)
        _forget_payloads(transaction, gone.id, referrers)
        _redact_log(transaction, gone.id)
        redact_children(transaction, gone.id)
    row = _stored(gone)
    if gone.reason is not None:
        row |= {"removed_at": transaction.now, "removal_reason": gone.reason}
    if row:
        # Accounts that list it, or will again, must download it again.
        transaction.forget_pages_of_others([gone.id])
        transaction.connection.execute(
            update(repositories)
            .where(repositories.c.host == transaction.host, repositories.c.id == gone.id)
            .values(row | {"changed_at": transaction.now, "revision": transaction.revision})
        )
    if gone.redacts:
        transaction.forget_departures([gone.id])
    elif gone.unseen:
        transaction.note_departure(gone.id)
    transaction.log_changes((gone.id, change) for change in gone.changes)


def _stored(gone: Gone) -> dict[str, Any]:
    if gone.values is None:
        return {}
    # No hash, so that a repository that comes back is compared field by field.
    row: dict[str, Any] = {"content_hash": ""}
    row |= {
        name: null() if value is None else value
        for name, value in zip(FIELDS, gone.values, strict=True)
    }
    return row | {"payload": None} if gone.redacts else row


def purge(transaction: RunTransaction, id_: int, referrers: Collection[int]) -> str | None:
    """Delete all data of a repository; return the reason if the database refuses.

    `referrers`: repositories whose payloads refer to it.
    """
    return transaction.attempt(partial(_purge, transaction, id_, referrers))


def _purge(transaction: RunTransaction, id_: int, referrers: Collection[int]) -> None:
    transaction.forget_pages_of_others([id_])
    transaction.dialect.erase(transaction.connection)
    _forget_payloads(transaction, id_, referrers)
    purge_children(transaction, id_)
    for table in (repository_changes, repository_metrics, account_repositories, departures):
        theirs = and_(table.c.host == transaction.host, table.c.repository_id == id_)
        transaction.connection.execute(delete(table).where(theirs))
    mine = and_(repositories.c.host == transaction.host, repositories.c.id == id_)
    transaction.connection.execute(delete(repositories).where(mine))
    transaction.dialect.check_constraints(transaction.connection)


def _redact_log(transaction: RunTransaction, id_: int) -> None:
    secrets = REPOSITORIES.private
    log = repository_changes.c
    mine = and_(log.host == transaction.host, log.repository_id == id_)
    transaction.connection.execute(
        update(repository_changes)
        .where(mine, log.field.in_(secrets))
        .values(old_value=None, new_value=None)
    )
    documents = select(log.id, log.new_value).where(mine, log.field.in_((CREATED, REDACTED)))
    for number, text in transaction.connection.execute(documents).all():
        told = msgspec.json.decode(text or "{}")
        kept = {field: value for field, value in told.items() if field not in secrets}
        transaction.connection.execute(
            update(repository_changes)
            .where(log.id == number)
            .values(new_value=msgspec.json.encode(kept).decode())
        )


def _forget_payloads(transaction: RunTransaction, id_: int, referrers: Collection[int]) -> None:
    """Clear the repository from other repositories' payloads and from rejected items."""
    for other in referrers:
        row = and_(repositories.c.host == transaction.host, repositories.c.id == other)
        payload = transaction.connection.execute(select(repositories.c.payload).where(row)).scalar()
        if payload is not None:
            told = lineage.without(payload, {id_})
            transaction.connection.execute(update(repositories).where(row).values(payload=told))
    forget_rejected(transaction.connection, transaction.host, id_)
