"""What a run asks of the ledger: what is known of a page, and what the account listed before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, select

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


class PageReader:
    """Reads what is known of the repositories of one account.

    `configured` are the accounts that are synced at all; None for all that ever
    were. An account that is no longer, and was the same GitHub user, is this
    one under its former name: what that listed, this one listed.
    """

    def __init__(
        self,
        connection: Connection,
        account: str,
        host: str,
        now: datetime,
        configured: Collection[str] | None = None,
    ) -> None:
        self.connection = connection
        self.account = account
        self.host = host
        self.now = now
        self.configured = configured
        self.left: Set[tuple[str, int]] = frozenset()  # what a dry run takes for left: account, id

    # Of a page

    def known(self, ids: Collection[int]) -> dict[int, Known]:
        """Return what is known of the repositories with these ids."""
        table, member = repositories.c, account_repositories.c
        membership = and_(
            member.account == self.account,
            member.host == table.host,
            member.repository_id == table.id,
            member.gone_at.is_(None),
        )
        statement = (
            select(
                table.id,
                table.content_hash,
                member.account.is_not(None),
                table.removed_at,
                table.removal_reason,
            )
            .select_from(repositories.outerjoin(account_repositories, membership))
            .where(table.host == self.host, table.id.in_(ids))
        )
        return {
            id_: Known(content_hash, bool(listed), removed_at, reason)
            for id_, content_hash, listed, removed_at, reason in self.connection.execute(statement)
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

    def former_names(self) -> tuple[str, ...]:
        """Return the accounts that are this one under another name."""
        user = self.account_row().get("id")
        if self.configured is None or user is None:
            return ()
        same = select(accounts.c.name).where(
            accounts.c.host == self.host,
            accounts.c.id == user,
            accounts.c.name.not_in({self.account, *self.configured}),
        )
        return tuple(self.connection.execute(same.order_by(accounts.c.name)).scalars())

    def members(self) -> Iterator[int]:
        """Yield the ids of what the account lists, as far as is stored, in rising order."""
        member = account_repositories.c
        names = (self.account, *self.former_names())
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
            if (account, id_) not in self.left:
                found.setdefault(id_, []).append(account)
        return found

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
