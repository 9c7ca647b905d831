"""What one transaction of a run can write of repositories that are listed no longer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any, Protocol

import msgspec
from sqlalchemy import and_, delete, null, or_, select, update

from sync.database.logged import CREATED, REDACTED
from sync.database.page import PageTransaction
from sync.database.rows import Change
from sync.database.tables import (
    FIELDS,
    account_repositories,
    accounts,
    rejected_items,
    repositories,
    repository_changes,
    repository_metrics,
)


class Gone(Protocol):
    """What is written; see `sync.departures.Departure`."""

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
    def changes(self) -> tuple[Change, ...]: ...


def remove(
    page: PageTransaction, departures: Iterable[Gone], secrets: Collection[str]
) -> dict[int, str]:
    """Write departures, none of which purges; return what the database refuses, and why, by id.

    `secrets` are the fields that a redaction clears.
    """
    reasons = {gone.id: page.attempt(partial(_remove, page, gone, secrets)) for gone in departures}
    return {id_: reason for id_, reason in reasons.items() if reason is not None}


def _remove(page: PageTransaction, gone: Gone, secrets: Collection[str]) -> None:
    page.connection.execute(
        update(account_repositories)
        .where(
            account_repositories.c.account.in_(gone.leaving),
            account_repositories.c.host == page.host,
            account_repositories.c.repository_id == gone.id,
        )
        .values(gone_at=page.now)
    )
    if gone.redacts:
        page.dialect.erase(page.connection)
        _forget_payloads(page, gone.id)
        _redact_log(page, gone.id, secrets)
    row = _stored(gone)
    if gone.reason is not None:
        row |= {"removed_at": page.now, "removal_reason": gone.reason}
    if row:
        # Whoever lists it, or lists it again, is to look at it again.
        page.forget_pages_of_others([gone.id])
        page.connection.execute(
            update(repositories)
            .where(repositories.c.host == page.host, repositories.c.id == gone.id)
            .values(row | {"changed_at": page.now})
        )
    page.log_changes((gone.id, change) for change in gone.changes)


def _stored(gone: Gone) -> dict[str, Any]:
    if gone.values is None:
        return {}
    # No hash, so that whatever comes back is compared with what is stored.
    row: dict[str, Any] = {"content_hash": ""}
    row |= {
        name: null() if value is None else value
        for name, value in zip(FIELDS, gone.values, strict=True)
    }
    return row | {"payload": None} if gone.redacts else row


def purge(page: PageTransaction, id_: int) -> str | None:
    """Delete all that the ledger holds of a repository; return why not, if it is refused."""
    return page.attempt(partial(_purge, page, id_))


def _purge(page: PageTransaction, id_: int) -> None:
    page.forget_pages_of_others([id_])
    page.dialect.erase(page.connection)
    _forget_payloads(page, id_)
    for table in (repository_changes, repository_metrics, account_repositories):
        theirs = and_(table.c.host == page.host, table.c.repository_id == id_)
        page.connection.execute(delete(table).where(theirs))
    mine = and_(repositories.c.host == page.host, repositories.c.id == id_)
    page.connection.execute(delete(repositories).where(mine))
    page.dialect.check_constraints(page.connection)


def _redact_log(page: PageTransaction, id_: int, secrets: Collection[str]) -> None:
    log = repository_changes.c
    mine = and_(log.host == page.host, log.repository_id == id_)
    page.connection.execute(
        update(repository_changes)
        .where(mine, log.field.in_(secrets))
        .values(old_value=None, new_value=None)
    )
    documents = select(log.id, log.new_value).where(mine, log.field.in_((CREATED, REDACTED)))
    for number, text in page.connection.execute(documents).all():
        told = msgspec.json.decode(text or "{}")
        kept = {field: value for field, value in told.items() if field not in secrets}
        page.connection.execute(
            update(repository_changes)
            .where(log.id == number)
            .values(new_value=msgspec.json.encode(kept).decode())
        )


def _forget_payloads(page: PageTransaction, id_: int) -> None:
    """Forget what was kept of items of this repository that could not be stored."""
    item, table = rejected_items.c, repositories.c
    named = select(table.full_name).where(table.host == page.host, table.id == id_)
    full_name = str(page.connection.execute(named).scalar_one())
    here = select(accounts.c.name).where(accounts.c.host == page.host)
    suspects = select(item.id, item.payload).where(
        item.account.in_(here),
        or_(item.payload.contains(str(id_)), item.payload.contains(full_name, autoescape=True)),
    )
    theirs = [
        number
        for number, payload in page.connection.execute(suspects).all()
        if _is_of(payload, id_, full_name)
    ]
    if theirs:
        # A database may repeat values in its reasons.
        page.connection.execute(
            update(rejected_items)
            .where(item.id.in_(theirs))
            .values(payload=None, reason="(redacted)")
        )


def _is_of(payload: str, id_: int, full_name: str) -> bool:
    try:
        told = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):  # cut short, or never JSON
        number = re.search(rf'"id"\s*:\s*"?{id_}\b', payload)
        return number is not None or f'"{full_name}"' in payload
    if not isinstance(told, dict):
        return False
    return str(told.get("id")) == str(id_) or told.get("full_name") == full_name
