"""The ledger's writing side: runs, pages, identities. The only file that writes rows.

A page is one transaction, and every transaction of a run first checks the
run's fence: a process that was frozen while another took over can no longer
write when it thaws.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Self, TypeVar

from sqlalchemy import and_, insert, select, update

from sync.clock import Clock, utc_now
from sync.database import sqlite
from sync.database.failures import translated
from sync.database.page import PageTransaction
from sync.database.rows import Run, RunCounts, RunStatus
from sync.database.tables import accounts, page_cache, plain, sync_runs
from sync.errors import Fenced

T = TypeVar("T")


class Store:
    """A ledger that is written to. `url` is its database; the schema must be current."""

    def __init__(self, url: str, *, clock: Clock = utc_now) -> None:
        self.url = url
        self.clock = clock
        self._where = str(sqlite.file_of(url))
        self._engine = sqlite.writing_engine(url)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def lock(
        self, account: str, *, wait: bool = False, stop: threading.Event | None = None
    ) -> AbstractContextManager[None]:
        """Hold the lock on an account's runs; see `sqlite.account_lock`. Raises RunInProgress."""
        return sqlite.account_lock(self.url, account, wait=wait, stop=stop)

    # Accounts

    def account(self, name: str) -> dict[str, Any]:
        """Return the account's row, or an empty dict if it has never been synced."""
        with translated(self._where), self._engine.begin() as connection:
            row = connection.execute(select(accounts).where(accounts.c.name == name)).first()
            return plain(row) if row else {}

    def note_identity(self, run: Run, *, user_id: int, login: str) -> None:
        """Remember who the account is at GitHub."""
        self._execute(
            run,
            update(accounts).where(accounts.c.name == run.account).values(id=user_id, login=login),
        )

    # Runs

    def start_run(self, account: str, host: str, trigger: str) -> Run:
        """Record a run, under the account's lock, and take its next generation.

        A row of the account that is still `running` belongs to a process that
        died: it becomes `interrupted`.
        """
        now = self.clock()
        mine = accounts.c.name == account
        with translated(self._where), self._engine.begin() as connection:
            connection.execute(
                update(sync_runs)
                .where(sync_runs.c.account == account, sync_runs.c.status == "running")
                .values(
                    status="interrupted",
                    finished_at=now,
                    error_type="Interrupted",
                    error_message="the process ended without recording the run",
                )
            )
            if not connection.execute(
                update(accounts).where(mine).values(host=host, generation=accounts.c.generation + 1)
            ).rowcount:
                connection.execute(insert(accounts).values(name=account, host=host, generation=1))
            generation = connection.execute(select(accounts.c.generation).where(mine)).scalar_one()
            counts = RunCounts().as_dict()
            begun = insert(sync_runs).values(
                account=account,
                trigger=trigger,
                status="running",
                complete=False,
                started_at=now,
                **counts,
            )
            (run_id,) = connection.execute(begun).inserted_primary_key or (0,)
        return Run(id=run_id, account=account, host=host, generation=generation, started_at=now)

    def finish_run(
        self,
        run: Run,
        *,
        status: RunStatus,
        counts: RunCounts,
        complete: bool,
        rate_limit_remaining: int | None = None,
        error: BaseException | None = None,
        not_before: datetime | None = None,
        visited: Collection[str] | None = None,
    ) -> None:
        """Record how a run ended, and when the account may be synced again.

        `visited` are the keys of the pages of a complete listing: what else is
        remembered of the account's pages is forgotten, so that an old page can
        never answer for a new one.
        """
        now = self.clock()
        account_values: dict[str, Any] = {"not_before": not_before}
        if status in ("succeeded", "partial"):
            account_values["last_synced_at"] = now

        def finish(page: PageTransaction) -> None:
            connection = page.connection
            connection.execute(
                update(sync_runs)
                .where(sync_runs.c.id == run.id)
                .values(
                    status=status,
                    complete=complete,
                    finished_at=now,
                    rate_limit_remaining=rate_limit_remaining,
                    error_type=type(error).__name__ if error else None,
                    error_message=str(error)[:1000] if error else None,
                    **counts.as_dict(),
                )
            )
            connection.execute(
                update(accounts).where(accounts.c.name == run.account).values(account_values)
            )
            if visited is not None:
                page.forget_pages(visited)

        self.transact(run, finish)

    def cached_pages(self, account: str) -> dict[str, dict[str, Any]]:
        """Return what is remembered of the account's pages: key -> etag, item_count, next_url."""
        columns = (
            page_cache.c.key,
            page_cache.c.etag,
            page_cache.c.item_count,
            page_cache.c.next_url,
        )
        statement = select(*columns).where(page_cache.c.account == account)
        with translated(self._where), self._engine.begin() as connection:
            return {row.key: plain(row) for row in connection.execute(statement)}

    # Transactions

    def transact(self, run: Run, work: Callable[[PageTransaction], T]) -> T:
        """Do `work` in one transaction of `run`. Raises Fenced if a later run has taken over."""
        with translated(self._where), self._engine.begin() as connection:
            fence = and_(accounts.c.name == run.account, accounts.c.generation == run.generation)
            if connection.execute(select(accounts.c.name).where(fence)).first() is None:
                raise Fenced(
                    f"a later run of the account {run.account} has taken over; "
                    "this one stops without writing"
                )
            return work(PageTransaction(connection, run, self.clock()))

    def _execute(self, run: Run, statement: Any) -> None:
        self.transact(run, lambda page: page.connection.execute(statement))
