"""The queries of a run: the known rows of a page, and the account's earlier listing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, or_, select

from sync.core.deadline import believed
from sync.database.dialects import Dialect
from sync.database.tables import (
    FIELDS,
    account_repositories,
    accounts,
    departures,
    plain,
    repositories,
    sync_runs,
)
from sync.database.writes import Known

_AT_ONCE = 5_000  # ids in one query, or one result


@cache  # building it takes as long as executing it
def _known(dialect: Dialect) -> Select[Any]:
    member = account_repositories.c
    mine = and_(
        member.account == bindparam("account"),
        member.host == repositories.c.host,
        member.repository_id == repositories.c.id,
    )
    return (
        select(
            repositories.c.id,
            repositories.c.content_hash,
            and_(member.account.is_not(None), member.gone_at.is_(None)),
            repositories.c.removed_at,
            repositories.c.removal_reason,
            repositories.c.revision,
            member.push,
        )
        .select_from(repositories.outerjoin(account_repositories, mine))
        .where(
            repositories.c.host == bindparam("host"),
            dialect.is_among(repositories.c.id, "ids"),
        )
    )


class RunReader:
    """Reads an account's repositories.

    `configured`: the accounts in the configuration; None for all that were ever synced.
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

    # Rows of a page

    def known(self, ids: Collection[int]) -> dict[int, Known]:
        """Return the hash and state of the stored repositories with these ids."""
        asked = {"account": self.account, "host": self.host, "ids": list(ids)}
        rows = self.connection.execute(_known(self.dialect), asked)
        return {
            id_: Known(content_hash, bool(listed), removed_at, reason, revision, push)
            for id_, content_hash, listed, removed_at, reason, revision, push in rows
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

    def payloads(self, ids: Collection[int]) -> dict[int, str]:
        """Return the stored payloads of these repositories."""
        if not ids:
            return {}
        statement = select(repositories.c.id, repositories.c.payload).where(
            repositories.c.host == self.host,
            repositories.c.id.in_(ids),
            repositories.c.payload.is_not(None),
        )
        return dict(map(tuple, self.connection.execute(statement)))

    # Accounts and missing repositories

    def account_row(self) -> dict[str, Any]:
        """Return the account's row, or an empty dict if it has never been synced."""
        statement = select(accounts).where(accounts.c.name == self.account)
        row = self.connection.execute(statement).first()
        return plain(row) if row else {}

    def deferred_until(self) -> datetime | None:
        """Return the time until which GitHub deferred the account, if it is plausible."""
        run = sync_runs.c
        last = (
            select(run.started_at, run.finished_at)
            .where(run.account == self.account)
            .order_by(run.id.desc())
            .limit(1)
        )
        noted = self.connection.execute(last).first() or ()
        return believed(self.account_row().get("not_before"), self.now, noted=noted)

    def unconfigured(self) -> dict[str, str | None]:
        """Return `listing_basis` of accounts that are no longer configured, by name."""
        if self.configured is None:
            return {}
        others = select(accounts.c.name, accounts.c.listing_basis).where(
            accounts.c.host == self.host,
            accounts.c.name.not_in({self.account, *self.configured}),
        )
        rows = self.connection.execute(others.order_by(accounts.c.name))
        return {row.name: row.listing_basis for row in rows}

    def accounts_here(self) -> set[str]:
        """Return the accounts on this host, which may list the same repositories."""
        if self.configured is not None:
            return set(self.configured)
        here = select(accounts.c.name).where(accounts.c.host == self.host)
        return set(self.connection.execute(here).scalars())

    def departed(self, ids: Collection[int]) -> dict[int, set[str]]:
        """Return the accounts to which GitHub denied these repositories, by id."""
        left = departures.c
        statement = select(left.repository_id, left.account).where(
            left.host == self.host, left.repository_id.in_(ids)
        )
        found: dict[int, set[str]] = {}
        for id_, account in self.connection.execute(statement):
            found.setdefault(id_, set()).add(account)
        return found

    def redactions_due(self, revision: int) -> list[int]:
        """Return the ids to redact or purge, since by now no account can list them.

        Each account was denied the repository, or has been listed completely since it left.
        `revision` is that of this account's listing; see `Run`.
        """
        return [id_ for id_, names in self.redactions_awaiting(revision).items() if not names]

    def redactions_awaiting(self, revision: int | None = None) -> dict[int, set[str]]:
        """Return the ids to redact or purge, with the accounts that still may list each."""
        left, table = departures.c, repositories.c
        waiting = (
            select(left.repository_id, func.max(left.revision))
            .join(repositories, and_(table.host == left.host, table.id == left.repository_id))
            .where(left.host == self.host)
            .where(table.removed_at.is_not(None), table.removal_reason == "private")
            .group_by(left.repository_id)
            .order_by(left.repository_id)
        )
        rows = dict(map(tuple, self.connection.execute(waiting)))
        if not rows:
            return {}
        here = select(accounts.c.name, accounts.c.listed_revision)
        listed = dict(map(tuple, self.connection.execute(here.where(accounts.c.host == self.host))))
        if revision is not None:
            listed[self.account] = revision
        names, departed = self.accounts_here(), self.departed(list(rows))
        return {
            id_: {name for name in names - departed[id_] if listed.get(name, -1) < since}
            for id_, since in rows.items()
        }

    def members(self, names: Collection[str]) -> Iterator[int]:
        """Yield the ids of stored repositories that any of these accounts lists, in order.

        Without ids whose row was deleted by hand.
        """
        member = account_repositories.c
        stored = and_(repositories.c.host == member.host, repositories.c.id == member.repository_id)
        statement = (
            select(member.repository_id)
            .distinct()
            .join(repositories, stored)
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

    def elsewhere(self) -> dict[str, int]:
        """Return how many current repositories the account lists at other hosts, by host."""
        member, table = account_repositories.c, repositories.c
        stored = and_(table.host == member.host, table.id == member.repository_id)
        others = or_(member.host < self.host, member.host > self.host)  # two ranges of an index
        statement = (
            select(member.host, func.count())
            .join(repositories, stored)
            .where(member.account == self.account, others, member.gone_at.is_(None))
            .where(table.removed_at.is_(None))
            .group_by(member.host)
        )
        return dict(map(tuple, self.connection.execute(statement)))

    def lists(self, ids: Collection[int]) -> dict[int, list[str]]:
        """Return the accounts that list each of these repositories, by id."""
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
        """Return `missing_digest` of the account's last `runs` complete runs."""
        run = sync_runs.c
        statement = (
            select(run.missing_digest)
            .where(run.account == self.account, run.complete, run.finished_at.is_not(None))
            .order_by(run.id.desc())
            .limit(runs)
        )
        return list(self.connection.execute(statement).scalars())
