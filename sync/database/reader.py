"""What a run asks of the ledger: what is known of a page, and what the account listed before."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, select

from sync.database.dialects import Dialect
from sync.database.rows import Known
from sync.database.tables import (
    FIELDS,
    account_repositories,
    accounts,
    plain,
    repositories,
    sync_runs,
)

_AT_ONCE = 5_000  # ids in one answer, or one question


@cache  # it takes as long to build as the database needs to answer
def _known(dialect: Dialect) -> Select[Any]:
    mine = and_(
        account_repositories.c.account == bindparam("account"),
        account_repositories.c.host == repositories.c.host,
        account_repositories.c.repository_id == repositories.c.id,
        account_repositories.c.gone_at.is_(None),
    )
    return (
        select(
            repositories.c.id,
            repositories.c.content_hash,
            account_repositories.c.account.is_not(None),
            repositories.c.removed_at,
            repositories.c.removal_reason,
        )
        .select_from(repositories.outerjoin(account_repositories, mine))
        .where(
            repositories.c.host == bindparam("host"),
            dialect.is_among(repositories.c.id, "ids"),
        )
    )


class PageReader:
    """Reads what is known of the repositories of one account.

    `configured` are the accounts that are synced at all; None for all that ever were.
    """

    def __init__(
        self,
        connection: Connection,
        dialect: Dialect,
        account: str,
        host: str,
        now: datetime,
        configured: Collection[str] | None = None,
    ) -> None:
        self.connection = connection
        self.dialect = dialect
        self.account = account
        self.host = host
        self.now = now
        self.configured = configured

    # Of a page

    def known(self, ids: Collection[int]) -> dict[int, Known]:
        """Return what is known of the repositories with these ids."""
        asked = {"account": self.account, "host": self.host, "ids": list(ids)}
        rows = self.connection.execute(_known(self.dialect), asked)
        return {
            id_: Known(content_hash, bool(listed), removed_at, reason)
            for id_, content_hash, listed, removed_at, reason in rows
        }

    def values(self, ids: Collection[int]) -> dict[int, tuple[Any, ...]]:
        """Return the stored values of these repositories, in the order of `tables.FIELDS`."""
        if not ids:
            return {}
        columns = [repositories.c[name] for name in FIELDS]
        statement = select(repositories.c.id, *columns).where(
            repositories.c.host == self.host, repositories.c.id.in_(ids)
        )
        return {row[0]: tuple(row[1:]) for row in self.connection.execute(statement)}

    # Of what a listing lacks

    def account_row(self) -> dict[str, Any]:
        """Return the account's row, or an empty dict if it has never been synced."""
        statement = select(accounts).where(accounts.c.name == self.account)
        row = self.connection.execute(statement).first()
        return plain(row) if row else {}

    def unconfigured(self) -> dict[str, str | None]:
        """Return `listing_basis` of the accounts that are configured no longer, by name."""
        if self.configured is None:
            return {}
        others = select(accounts.c.name, accounts.c.listing_basis).where(
            accounts.c.host == self.host,
            accounts.c.name.not_in({self.account, *self.configured}),
        )
        rows = self.connection.execute(others.order_by(accounts.c.name))
        return {row.name: row.listing_basis for row in rows}

    def members(self, names: Collection[str]) -> Iterator[int]:
        """Yield the ids of what any of these accounts lists, as far as is stored, rising."""
        member = account_repositories.c
        statement = (
            select(member.repository_id)
            .distinct()
            .where(member.account.in_(names), member.host == self.host, member.gone_at.is_(None))
            .order_by(member.repository_id)
            .limit(_AT_ONCE)
        )
        last = -(2**63)
        while True:
            following = statement.where(member.repository_id > last)
            ids = self.connection.execute(following).scalars().all()
            if not ids:
                return
            yield from ids
            last = ids[-1]

    def lists(self, ids: Collection[int]) -> dict[int, list[str]]:
        """Return which accounts list each of these repositories, by id."""
        member = account_repositories.c
        statement = (
            select(member.repository_id, member.account)
            .where(
                member.host == self.host, member.repository_id.in_(ids), member.gone_at.is_(None)
            )
            .order_by(member.account)
        )
        found: dict[int, list[str]] = {}
        for id_, account in self.connection.execute(statement):
            found.setdefault(id_, []).append(account)
        return found

    def last_run(self) -> int:
        """Return the id of the account's last run that has ended; 0 if there is none."""
        run = sync_runs.c
        ended = select(func.max(run.id)).where(
            run.account == self.account, run.finished_at.is_not(None)
        )
        return self.connection.execute(ended).scalar() or 0

    def missed_before(self, runs: int) -> list[str | None]:
        """Return `missing_digest` of the account's last complete runs, so many at most."""
        run = sync_runs.c
        statement = (
            select(run.missing_digest)
            .where(run.account == self.account, run.complete, run.finished_at.is_not(None))
            .order_by(run.id.desc())
            .limit(runs)
        )
        return list(self.connection.execute(statement).scalars())
