"""The ledger's writing side: runs, pages, identities. The only file that writes rows.

A page is one transaction, and every transaction of a run first checks the
run's fence: a process that was frozen while another took over can no longer
write when it thaws.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Update, bindparam, insert, select, update

from sync.clock import Clock, utc_now
from sync.database.dialects import dialect_of
from sync.database.failures import Passing, translated
from sync.database.page import PageTransaction
from sync.database.reader import PageReader
from sync.database.rows import GOOD, Run, RunCounts, RunStatus
from sync.database.tables import accounts, page_cache, plain, sync_runs
from sync.errors import DatabaseError, Fenced
from sync.loggers import get_logger

T = TypeVar("T")
log = get_logger("sync.database")

# Locked, where the database knows row locks: nobody takes over while it is written.
_FENCE = (
    select(accounts.c.name)
    .where(accounts.c.name == bindparam("account"), accounts.c.generation == bindparam("number"))
    .with_for_update()
)
_PAUSES = (0.1, 0.5, 2.0, 5.0)  # seconds before a transaction that may pass is done again


class Store:
    """A ledger that is written to. `url` is its database; the schema must be current.

    Setting `stop` shortens the wait for another writer.
    """

    def __init__(
        self, url: str, *, stop: threading.Event | None = None, clock: Clock = utc_now
    ) -> None:
        self.url = url
        self.clock = clock
        self._stop = stop or threading.Event()
        self._away = False
        self._dialect = dialect_of(url)
        self._where = self._dialect.where
        self._engine = self._dialect.writing_engine(stop)

    def close(self) -> None:
        """Close every connection; a later use opens new ones."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def lock(
        self, account: str, *, wait: bool = False, stop: threading.Event | None = None
    ) -> AbstractContextManager[None]:
        """Hold the lock on an account's runs; see `Dialect.account_lock`. Raises RunInProgress."""
        return self._dialect.account_lock(account, wait=wait, stop=stop)

    # Accounts

    def account(self, name: str) -> dict[str, Any]:
        """Return the account's row, or an empty dict if it has never been synced."""
        statement = select(accounts).where(accounts.c.name == name)
        row = self._again(lambda connection: connection.execute(statement).first())
        return plain(row) if row else {}

    def deferred_until(self, name: str, identity_key: str) -> datetime | None:
        """Return until when GitHub has put the account off (UTC); None if it has not.

        `identity_key` is the key that the identity behind the present token is remembered
        under. Where it is remembered under others alone, another token was put off.
        """
        until: datetime | None = self.account(name).get("not_before")
        mine = (page_cache.c.account == name, page_cache.c.key.like("% identity"))
        keys = self._again(
            lambda c: c.execute(select(page_cache.c.key).where(*mine)).scalars().all()
        )
        return None if keys and identity_key not in keys else until

    def note_identity(self, run: Run, *, user_id: int, login: str) -> None:
        """Remember who the account is at GitHub."""
        self._execute(
            run,
            update(accounts).where(accounts.c.name == run.account).values(id=user_id, login=login),
        )

    def note_basis(self, run: Run, basis: str) -> None:
        """Remember what the account's listing was based on; see `sync.verdicts.Basis`."""
        mine = accounts.c.name == run.account
        self._execute(run, update(accounts).where(mine).values(listing_basis=basis))

    def note_next_runs(self, moments: Mapping[str, datetime | None]) -> None:
        """Remember when accounts are to be synced next; None if nobody knows."""
        with translated(self._where), self._engine.begin() as connection:
            for name, moment in sorted(moments.items()):  # two that do it do not meet head-on
                mine = accounts.c.name == name
                connection.execute(update(accounts).where(mine).values(next_run_at=moment))

    def note_wait(self, run: Run, until: datetime) -> None:
        """Remember that the run waits for quota."""
        mine = accounts.c.name == run.account
        self._execute(run, update(accounts).where(mine).values(not_before=until))

    # Runs

    def accounts_running(self) -> list[str]:
        """Return the accounts that have a run which nobody has recorded the end of."""
        statement = select(sync_runs.c.account).where(sync_runs.c.status == "running").distinct()
        with translated(self._where), self._engine.begin() as connection:
            return list(connection.execute(statement).scalars())

    def interrupt_stale_run(self, account: str) -> None:
        """Record the account's run as interrupted if nothing else did; see `start_run`."""
        with translated(self._where), self._engine.begin() as connection:
            connection.execute(_interrupt_stale(account, self.clock()))

    def start_run(
        self, account: str, host: str, trigger: str, configured: Collection[str] | None = None
    ) -> Run:
        """Record a run, under the account's lock, and take its next generation.

        A row of the account that is still `running` belongs to a process that
        died: it becomes `interrupted`.
        """
        now = self.clock()
        mine = accounts.c.name == account

        def start(connection: Connection) -> Run:
            # The account first, as in every transaction of a run that may be still alive.
            if not connection.execute(
                update(accounts).where(mine).values(host=host, generation=accounts.c.generation + 1)
            ).rowcount:
                connection.execute(insert(accounts).values(name=account, host=host, generation=1))
            generation = connection.execute(select(accounts.c.generation).where(mine)).scalar_one()
            connection.execute(_interrupt_stale(account, now))
            begun = insert(sync_runs).values(
                account=account,
                trigger=trigger,
                status="running",
                complete=False,
                started_at=now,
                **RunCounts().as_dict(),
            )
            (run_id,) = connection.execute(begun).inserted_primary_key or (0,)
            return Run(
                id=run_id,
                account=account,
                host=host,
                generation=generation,
                started_at=now,
                configured=None if configured is None else frozenset(configured),
            )

        return self._again(start)

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
        keep_pages: Collection[str] | None = None,
        missing_digest: str | None = None,
    ) -> None:
        """Record how a run ended, and when the account may be synced again.

        `missing_digest` tells of what its listing lacked, if nothing was done about it.

        What is remembered of the account's pages is forgotten, but for the keys
        in `keep_pages`, unless that is None: after a complete listing, so that an
        old page can never answer for a new one.
        """
        now = self.clock()
        account_values: dict[str, Any] = {"not_before": not_before}
        if status in GOOD:
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
                    missing_digest=missing_digest,
                    **counts.as_dict(),
                )
            )
            connection.execute(
                update(accounts).where(accounts.c.name == run.account).values(account_values)
            )
            if keep_pages is not None:
                page.forget_pages_but(keep_pages)

        self.transact(run, finish)

    def cached_pages(self, account: str) -> dict[str, dict[str, Any]]:
        """Return what is remembered of the account's pages, columns of `page_cache`, by key."""
        columns = (
            page_cache.c.key,
            page_cache.c.etag,
            page_cache.c.item_count,
            page_cache.c.next_url,
            page_cache.c.ids,
        )
        statement = select(*columns).where(page_cache.c.account == account)
        rows = self._again(lambda connection: connection.execute(statement).all())
        return {row.key: plain(row) for row in rows}

    def gather_statistics(self) -> None:
        """Have the database learn how the ledger has grown; see `Dialect.gather_statistics`."""
        self._dialect.gather_statistics(self._engine)

    # Transactions

    def read(self, run: Run, work: Callable[[PageReader], T]) -> T:
        """Do `work`, which only reads."""
        return self._again(
            lambda connection: work(
                PageReader(
                    connection, self._dialect, run.account, run.host, self.clock(), run.configured
                )
            )
        )

    def transact(
        self, run: Run, work: Callable[[PageTransaction], T], *, before: RunCounts | None = None
    ) -> T:
        """Do `work` in one transaction of `run`. Raises Fenced if a later run has taken over.

        All of it is done again after what passes by itself: a deadlock, a
        connection that was lost. A COMMIT whose answer was lost may have
        succeeded: work that must not be done twice records what the run has
        counted with it, and gives as `before` what that was without.
        """
        done: list[T] = []

        def attempt(connection: Connection) -> T:
            self._dialect.one_writer(connection)
            mine = {"account": run.account, "number": run.generation}
            if connection.execute(_FENCE, mine).first() is None:
                raise Fenced(
                    f"a later run of the account {run.account} has taken over; "
                    "this one stops without writing"
                )
            page = PageTransaction(connection, self._dialect, run, self.clock())
            if not done or before is None or page.steps_recorded() <= before.steps:
                done.append(work(page))
            return done[-1]

        return self._again(attempt)

    def _again(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in a transaction, and again after what passes by itself.

        A server that stayed away all that time is asked once by what follows.
        """
        pauses, self._away = () if self._away else _PAUSES, False
        for pause in pauses:
            try:
                with (
                    translated(self._where, self._dialect.may_pass),
                    self._engine.begin() as connection,
                ):
                    return work(connection)
            except Passing as error:
                log.warning("database.retry_scheduled", message=str(error), seconds=pause)
                self._stop.wait(pause)
        try:
            with (
                translated(self._where, self._dialect.may_pass),
                self._engine.begin() as connection,
            ):
                return work(connection)
        except Passing as error:
            self._away = True
            raise DatabaseError(str(error)) from None

    def _execute(self, run: Run, statement: Any) -> None:
        self.transact(run, lambda page: page.connection.execute(statement))


def _interrupt_stale(account: str, now: datetime) -> Update:
    return (
        update(sync_runs)
        .where(sync_runs.c.account == account, sync_runs.c.status == "running")
        .values(
            status="interrupted",
            finished_at=now,
            error_type="Interrupted",
            error_message="the process ended without recording the run",
        )
    )
