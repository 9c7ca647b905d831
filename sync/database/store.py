"""The ledger's writing side: runs, pages, identities.

A page is one transaction. Every transaction of a run first checks the run's fence, so that
a frozen process cannot write after another has taken over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Select, bindparam, literal_column, select, update
from structlog import get_logger

from sync.core.clock import Clock, utc_now
from sync.core.errors import Fenced, RepoledgerError
from sync.database import migrate
from sync.database.dialects import dialect_of
from sync.database.failures import translated
from sync.database.ledger_time import LedgerTime
from sync.database.names import repositories_called
from sync.database.resource_runs import record_repositories
from sync.database.run_reader import RunReader
from sync.database.run_start import begin_run, interrupt_stale, is_recorded
from sync.database.run_transaction import RunTransaction
from sync.database.tables import accounts, page_cache, plain, sync_runs
from sync.database.transactions import Transactions
from sync.database.writes import GOOD, Run, RunCounts, RunStatus

T = TypeVar("T")
log = get_logger("sync.database")

# The row stays locked, on databases with row locks, so that no other run takes over meanwhile.
# The same query reads the schema's version, which every transaction checks, too.
_FENCE: Select[Any] = (
    select(literal_column(f"({migrate.READ_VERSION})"))
    .where(accounts.c.name == bindparam("account"), accounts.c.generation == bindparam("number"))
    .with_for_update()
)


class Store:
    """A ledger open for writing, in the database at `url`; its schema must be current.

    Setting `stop` ends the wait for another writer.
    """

    def __init__(
        self, url: str, *, stop: threading.Event | None = None, clock: Clock = utc_now
    ) -> None:
        self.url = url
        self.clock = clock
        self._dialect = dialect_of(url)
        self._transactions = Transactions(self._dialect, stop)
        self._time = LedgerTime(clock)

    def close(self) -> None:
        """Close every connection; a later use opens new ones."""
        self._transactions.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def lock(
        self, account: str, *, wait: bool = False, stop: threading.Event | None = None
    ) -> AbstractContextManager[None]:
        """Hold the lock on an account's runs; see `Dialect.account_lock`. Raises RunInProgress."""
        return self._dialect.account_lock(account, wait=wait, stop=stop)

    def require_writable(self, patience: float) -> None:
        """Raise DatabaseError if the ledger cannot be written to; tries it without a change.

        `patience`: seconds to wait for another writer of a SQLite file.
        """
        with self._transactions.writing(patience=patience) as connection:
            self._dialect.write_nothing(connection)

    # Accounts

    def account(self, name: str) -> dict[str, Any]:
        """Return the account's row, or an empty dict if it has never been synced."""
        statement = select(accounts).where(accounts.c.name == name)
        row = self._transactions.again(
            name, lambda connection: connection.execute(statement).first()
        )
        return plain(row) if row else {}

    def deferred_until(self, name: str, identity_key: str) -> datetime | None:
        """Return the time (UTC) until which GitHub deferred the account; None if it did not.

        `identity_key`: the `page_cache` key of the present token's user. If there are only such
        keys of other tokens, another token was deferred.
        """
        mine = (page_cache.c.account == name, page_cache.c.key.like("% identity"))

        def ask(connection: Connection) -> datetime | None:
            keys = connection.execute(select(page_cache.c.key).where(*mine)).scalars().all()
            if keys and identity_key not in keys:
                return None
            return RunReader(connection, self._dialect, name, "", self.clock()).deferred_until()

        return self._transactions.again(name, ask)

    def note_identity(self, run: Run, *, user_id: int, login: str) -> None:
        """Store the account's user at GitHub."""
        self._execute(
            run,
            update(accounts).where(accounts.c.name == run.account).values(id=user_id, login=login),
        )

    def note_basis(self, run: Run, basis: str) -> None:
        """Store the identity of the account's listing; see `removals.judge.ListingIdentity`."""
        mine = accounts.c.name == run.account
        self._execute(run, update(accounts).where(mine).values(listing_basis=basis))

    def note_next_runs(self, moments: Mapping[str, datetime | None], patience: float) -> None:
        """Store the times of the accounts' next runs; None if none is planned.

        `patience`: seconds to wait for another writer of a SQLite file.
        """
        with self._transactions.writing(patience=patience) as connection:
            for name, moment in sorted(moments.items()):  # sorted, to avoid deadlocks
                mine = accounts.c.name == name
                connection.execute(update(accounts).where(mine).values(next_run_at=moment))

    def note_wait(self, run: Run, until: datetime) -> None:
        """Record that the run waits for quota."""
        mine = accounts.c.name == run.account
        self._execute(run, update(accounts).where(mine).values(not_before=until))

    # Runs

    def accounts_running(self) -> list[str]:
        """Return the accounts with a run whose end is not recorded."""
        statement = select(sync_runs.c.account).where(sync_runs.c.status == "running").distinct()
        engine, where = self._transactions.engine, self._dialect.where
        with translated(where), engine.begin() as connection:
            return list(connection.execute(statement).scalars())

    def interrupt_stale_run(self, account: str) -> None:
        """Record the account's unfinished run as interrupted; see `start_run`."""
        with self._transactions.writing() as connection:
            connection.execute(interrupt_stale(account, self.clock()))

    def start_run(
        self, account: str, host: str, trigger: str, configured: Collection[str] | None = None
    ) -> Run:
        """Record a run, under the account's lock, with the account's next generation.

        A run of the account that is still `running` belongs to a process that died: it becomes
        `interrupted`. Raises ConfigError if the account is of another host.
        """
        now = self.clock()
        names = None if configured is None else frozenset(configured)
        begun: list[Run] = []

        def start(connection: Connection) -> Run:
            self._transactions.require_schema(connection)
            # Repeated after the reply to COMMIT was lost: the run may be recorded already.
            self._time.go_on_from(connection)
            if not begun or not is_recorded(connection, begun[-1]):
                begun.append(begin_run(connection, account, host, trigger, names, now))
            return begun[-1]

        return self._transactions.again(account, start)

    def finish_run(
        self,
        run: Run,
        *,
        status: RunStatus,
        counts: RunCounts,
        complete: bool,
        rate_limit_remaining: int | None = None,
        error: RepoledgerError | None = None,
        not_before: datetime | None = None,
        keep_pages: Collection[str] | None = None,
        missing_digest: str | None = None,
        lists: bool = True,
    ) -> None:
        """Record the outcome of a run.

        `lists`: whether it loaded the listing; otherwise the account does not count as synced.

        `not_before`: the time until which GitHub deferred the account. `missing_digest`: a hash
        of the missing ids, if their removal was withheld. `keep_pages`: the keys of
        `page_cache` to keep, after a complete listing; None keeps all.
        """
        account_values: dict[str, Any] = {"not_before": not_before}
        if status in GOOD and lists:
            account_values["last_synced_at"] = self.clock()
        if complete:
            account_values["listed_revision"] = run.revision

        def finish(transaction: RunTransaction) -> None:
            connection = transaction.connection
            connection.execute(
                update(sync_runs)
                .where(sync_runs.c.id == run.id)
                .values(
                    status=status,
                    complete=complete,
                    finished_at=transaction.now,
                    rate_limit_remaining=rate_limit_remaining,
                    error_type=error.code if error else None,
                    error_message=str(error)[:1000] if error else None,
                    missing_digest=missing_digest,
                    **counts.as_dict(),
                )
            )
            connection.execute(
                update(accounts).where(accounts.c.name == run.account).values(account_values)
            )
            record_repositories(transaction, counts)
            if keep_pages is not None:
                transaction.forget_pages_but(keep_pages)

        self.transact(run, finish)

    def set_times_back(self, run: Run) -> None:
        """Date rows as of now that were written while the clock was ahead.

        Call it only if this machine's clock agrees with a server's.
        """
        if not self._time.is_ahead():
            return
        now = self.transact(run, self._time.set_back)
        if now is None:
            log.warning(
                "ledger.times_ahead",
                message="the ledger has more days in the future than a wrong clock explains: they "
                "stay, and new rows are dated as of the last of them; check this machine's clock",
            )
        else:
            log.warning("ledger.times_set_back", to=now.isoformat(timespec="seconds"))

    def cached_pages(self, account: str) -> dict[str, dict[str, Any]]:
        """Return the remembered pages of the account's own listing, by key."""
        columns = (
            page_cache.c.key,
            page_cache.c.etag,
            page_cache.c.item_count,
            page_cache.c.next_url,
            page_cache.c.ids,
        )
        statement = select(*columns).where(
            page_cache.c.repository_id.is_(None), page_cache.c.account == account
        )
        rows = self._transactions.again(
            account, lambda connection: connection.execute(statement).all()
        )
        return {row.key: plain(row) for row in rows}

    def ids_called(self, run: Run, names: Collection[str]) -> set[int]:
        """Return the ids of the repositories of the run's host with these names.

        Raises NoSuchRepository, AmbiguousName.
        """

        def find(reader: RunReader) -> set[int]:
            found = (
                repositories_called(reader.connection, self._dialect, name)[0] for name in names
            )
            return {id_ for host, id_ in found if host == run.host}

        return self.read(run, find)

    def gather_statistics(self) -> None:
        """Update the planner's statistics; see `Dialect.gather_statistics`."""
        self._dialect.gather_statistics(self._transactions.engine)

    def shrink(self) -> None:
        """Give back disk space of the largest transaction so far; see `Dialect.shrink`."""
        self._dialect.shrink(self._transactions.engine)

    # Transactions

    def read(self, run: Run, work: Callable[[RunReader], T]) -> T:
        """Do `work`, which only reads, in one transaction."""
        return self._transactions.again(
            run.account,
            lambda connection: work(
                RunReader(
                    connection, self._dialect, run.account, run.host, self.clock(), run.configured
                )
            ),
        )

    def transact(
        self, run: Run, work: Callable[[RunTransaction], T], *, before: RunCounts | None = None
    ) -> T:
        """Do `work` in one transaction of `run`. Raises Fenced if a later run has taken over.

        After a transient error (a deadlock, a lost connection) the transaction is repeated. If
        COMMIT's reply is lost, `before` (the counts without this work) is compared with the
        counts in `sync_runs`: if they differ, it was committed and `work` is not repeated.
        """
        done: list[T] = []

        def attempt(connection: Connection) -> T:
            self._dialect.one_writer(connection)
            mine = {"account": run.account, "number": run.generation}
            row = connection.execute(_FENCE, mine).first()
            if row is None:
                raise Fenced(
                    f"a later run of the account {run.account} has taken over; "
                    "this run stops without writing"
                )
            self._transactions.require_version(row[0])
            page = RunTransaction(connection, self._dialect, run, self._time())
            if not done or before is None or page.steps_recorded() <= before.steps:
                done.append(work(page))
            return done[-1]

        return self._transactions.again(run.account, attempt)

    def _execute(self, run: Run, statement: Any) -> None:
        self.transact(run, lambda page: page.connection.execute(statement))
