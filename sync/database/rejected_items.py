"""Writes rejected items, one row for each however often it occurs, and clears them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, insert, or_, select, union, update

from sync.database import lineage
from sync.database.tables import account_repositories, accounts, rejected_items, repositories
from sync.database.writes import Rejection, Run

_item = rejected_items.c
_MET_AGAIN = (
    update(rejected_items)
    .where(_item.id == bindparam("row"))
    .values(
        run_id=bindparam("run"),
        position=bindparam("place"),
        reason=bindparam("why"),
        last_seen_at=bindparam("now"),
        times=_item.times + 1,
    )
)


def keep_rejected(
    connection: Connection, run: Run, rejections: Iterable[Rejection], now: datetime
) -> None:
    """Store rejected items; an item known from an earlier run is counted once more.

    Two equal items in one listing are two rows.
    """
    items = [(rejection, _key(rejection)) for rejection in rejections]
    if not items:
        return
    known = _met_before(connection, run, {key for _, key in items})
    again: list[dict[str, Any]] = []
    new: list[dict[str, Any]] = []
    for rejection, key in items:
        if known[key]:
            met = {"place": rejection.position, "why": rejection.reason}
            again.append({"row": known[key].pop(), "run": run.id, "now": now, **met})
            continue
        told = rejection._asdict()
        new.append(
            {
                "run_id": run.id,
                "account": run.account,
                "item_key": key,
                "repository_id": told.pop("id"),
                "to_be_read": _has_to_be_read(rejection),
                "first_seen_at": now,
                "last_seen_at": now,
                **told,
            }
        )
    if again:
        connection.execute(_MET_AGAIN, again)
    if new:
        connection.execute(insert(rejected_items), new)


def _met_before(connection: Connection, run: Run, keys: Iterable[str]) -> dict[str, list[int]]:
    """Return the rows with these keys that this run has not counted yet, the oldest last."""
    statement = (
        select(_item.item_key, _item.id)
        .where(_item.account == run.account, _item.item_key.in_(keys), _item.run_id != run.id)
        .order_by(_item.id.desc())
    )
    found: dict[str, list[int]] = defaultdict(list)
    for key, id_ in connection.execute(statement):
        found[key].append(id_)
    return found


def _has_to_be_read(rejection: Rejection) -> bool:
    """Return whether the payload may name any repository: it has no id, or refers to others."""
    payload = rejection.payload
    return payload is not None and (rejection.id is None or lineage.may_refer(payload))


def _key(rejection: Rejection) -> str:
    """Return a key that is the same each time an item occurs.

    It contains the item's position only if the item has neither id nor payload.
    """
    nameless = rejection.id is None and rejection.payload is None
    place = rejection.position if nameless else None
    told = msgspec.json.encode((rejection.id, place, rejection.payload))
    return blake2b(told, digest_size=16).hexdigest()


def forget_rejected(connection: Connection, host: str, id_: int) -> None:
    """Clear the rejected items of this repository."""
    table = repositories.c
    named = select(table.full_name).where(table.host == host, table.id == id_)
    full_name = str(connection.execute(named).scalar_one())
    # A row does not tell at which of its account's hosts the item occurred.
    listed = account_repositories.c
    here = _item.account.in_(
        union(
            select(accounts.c.name).where(accounts.c.host == host),
            select(listed.account).where(listed.host == host),
        )
    )
    # The reason goes, too: it may repeat a value.
    forget = update(rejected_items).values(
        payload=None, reason="(redacted)", full_name=None, item_key=None
    )
    theirs = or_(_item.repository_id == id_, _item.full_name == full_name)
    connection.execute(forget.where(here, theirs))
    suspects = select(_item.id, _item.payload).where(
        here,
        _item.to_be_read,
        or_(_item.payload.contains(str(id_)), _item.payload.contains(full_name, autoescape=True)),
    )
    for number, payload in connection.execute(suspects).all():
        row = _item.id == number
        if _is_of(payload, id_, full_name):
            connection.execute(forget.where(row))
        elif (told := lineage.without(payload, {id_})) != payload:
            connection.execute(update(rejected_items).where(row).values(payload=told))


def _is_of(payload: str, id_: int, full_name: str) -> bool:
    told = lineage.decoded(payload)
    if told is None:
        number = re.search(rf'"id"\s*:\s*"?{id_}\b', payload)
        return number is not None or f'"{full_name}"' in payload
    if not isinstance(told, dict):
        return False
    return str(told.get("id")) == str(id_) or told.get("full_name") == full_name
