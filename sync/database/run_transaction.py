"""A transaction of a run: writes repositories with what belongs to them, and counts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, insert, select, true, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from sync.core.errors import DatabaseError, QueryRefused
from sync.database import lineage
from sync.database.changelog import ACCOUNT
from sync.database.dialects import Dialect
from sync.database.failures import reason_of
from sync.database.rejected_items import keep_rejected
from sync.database.repository_statements import statements_of
from sync.database.run_reader import RunReader
from sync.database.run_start import newest_revision
from sync.database.tables import (
    BY_DAY,
    FIELDS,
    account_repositories,
    accounts,
    departures,
    page_cache,
    repositories,
    sync_runs,
)
from sync.database.types import Document, UtcDateTime
from sync.database.writes import (
    Change,
    Known,
    Membership,
    PageEntry,
    Refusal,
    Rejection,
    RepositoryWrite,
    Run,
    RunCounts,
)

_PROGRESS = update(sync_runs).where(sync_runs.c.id == bindparam("run"))
_KEPT = 65_536  # characters kept of a rejected payload that is longer
_id_of = itemgetter(0)
_of_day = itemgetter(*map(FIELDS.index, BY_DAY))
# Positions in FIELDS of values that need an adapter for the driver.
_ADAPTED = tuple(
    at
    for at, name in enumerate(FIELDS)
    if isinstance(repositories.c[name].type, (UtcDateTime, Document))
)


class RunTransaction(RunReader):
    """An open transaction of a run: reads known rows, and writes the planned ones."""

    def __init__(self, connection: Connection, dialect: Dialect, run: Run, now: datetime) -> None:
        super().__init__(connection, dialect, run.account, run.host, now, run.configured)
        self.statements = statements_of(dialect)
        self.run = run

    @cached_property
    def revision(self) -> int:
        """The number of this transaction, among all transactions that write repositories."""
        number = newest_revision(self.connection) + 1
        mine = accounts.c.name == self.account
        self.connection.execute(update(accounts).where(mine).values(revision=number))
        self.run.written.add(number)
        return number

    def outdated(self, known: Mapping[int, Known]) -> frozenset[int]:
        """Return the ids for which the ledger may have newer data than GitHub's answer."""
        is_later = self.run.is_outdated_by
        later = {id_: row.revision for id_, row in known.items() if is_later(row.revision)}
        if not later:
            return frozenset()
        # A row with a higher revision is older: a row of `accounts`, which counts, was deleted.
        newest = newest_revision(self.connection)
        return frozenset(id_ for id_, revision in later.items() if revision <= newest)

    def write(self, writes: Sequence[RepositoryWrite]) -> tuple[Refusal, ...]:
        """Write repositories with their changes, metrics and memberships; return the refusals.

        It writes all at once and, if the database refuses that, one by one, so that one bad
        row does not keep the others out.
        """
        payloads = lineage.redacted(self, [write.payload for write in writes])
        writes = [w._replace(payload=p) for w, p in zip(writes, payloads, strict=True)]
        refusals = list(self._too_long(writes))
        unsent = {refusal.write.id for refusal in refusals}
        ordered = sorted((w for w in writes if w.id not in unsent), key=lambda write: write.id)
        updated = [write.id for write in ordered if not write.is_new]
        if updated:
            self.forget_pages_of_others(updated)
        if not ordered or self._try_to_write(ordered) is None:
            return tuple(refusals)
        for write in ordered:
            reason = self._try_to_write([write])
            if reason is not None:
                refusals.append(Refusal(write, reason))
        return tuple(refusals)

    def attempt(self, work: Callable[[], None]) -> str | None:
        """Do `work` inside a savepoint; return the reason if the database refuses it.

        A trigger or a table of the user's may refuse a row, too.
        """
        say = self.connection.exec_driver_sql  # faster than SQLAlchemy's savepoints
        say("SAVEPOINT attempt")
        try:
            work()
        except (DBAPIError, QueryRefused) as error:
            if isinstance(error, DBAPIError) and not self.dialect.blames_row(error):
                raise
            reason = reason_of(error) if isinstance(error, DBAPIError) else str(error)
            try:
                say("ROLLBACK TO SAVEPOINT attempt")
            except SQLAlchemyError:  # a trigger may end the whole transaction
                raise DatabaseError(f"a row ended its page's transaction: {reason}") from None
            return reason
        say("RELEASE SAVEPOINT attempt")
        return None

    def join(self, members: Iterable[Membership]) -> None:
        """Record that the account lists these repositories, which are stored already."""
        ordered = sorted(members, key=_id_of)
        self._enroll(ordered)
        self._log_join(member.id for member in ordered)

    def grant(self, members: Iterable[Membership]) -> None:
        """Record whether the account may push to these repositories, which it lists already."""
        self._enroll(sorted(members, key=_id_of))

    def note_departure(self, id_: int) -> None:
        """Record that GitHub denied a repository to the account: it is gone or hidden."""
        self.forget_departures([id_], (self.account,))
        row = {"host": self.host, "repository_id": id_, "account": self.account}
        self.connection.execute(insert(departures).values(**row, revision=self.revision))

    def forget_departures(self, ids: Collection[int], names: Collection[str] | None = None) -> None:
        """Delete the records of `note_departure`, for the accounts in `names`; None for all."""
        left = departures.c
        theirs = true() if names is None else left.account.in_(names)
        here = and_(left.host == self.host, left.repository_id.in_(ids))
        self.connection.execute(delete(departures).where(here, theirs))

    def log_changes(self, changes: Iterable[tuple[int, Change]]) -> None:
        """Write changes to the log; each is a repository's id and the change."""
        host, run_id, now = self.host, self.run.id, self.dialect.adapt(self.now)
        self._many(
            self.statements.change, [(host, id_, run_id, now, *change) for id_, change in changes]
        )

    def log_day(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Write rows of daily metrics: host, id, day, and the values of `tables.BY_DAY`."""
        adapt = self.dialect.adapt
        self._many(self.statements.metrics, [tuple(map(adapt, row)) for row in rows])

    def reject(self, rejections: Iterable[Rejection]) -> None:
        """Keep rejected items, without the data of redacted repositories.

        A payload is redacted before it is truncated.
        """
        rejections = list(rejections)
        payloads = lineage.redacted(self, [each.payload for each in rejections])
        kept = [
            each._replace(payload=payload and payload[:_KEPT])
            for each, payload in zip(rejections, payloads, strict=True)
        ]
        keep_rejected(self.connection, self.run, kept, self.now)

    def remember_page(self, entry: PageEntry) -> None:
        """Remember a page's ETag, for a conditional request in the next run."""
        row = (
            self.account,
            entry.key,
            entry.etag,
            self.dialect.adapt(entry.ids),
            entry.item_count,
            entry.next_url,
            self.dialect.adapt(self.now),
        )
        self._many(self.statements.page, [row])

    def forget_page(self, key: str) -> None:
        """Forget a page, so that the next run downloads it."""
        self.connection.execute(delete(page_cache).where(self._cached(), page_cache.c.key == key))

    def forget_pages_but(self, kept: Collection[str]) -> None:
        """Forget all pages of the account's own listing except `kept`."""
        keys = self.connection.execute(select(page_cache.c.key).where(self._cached())).scalars()
        for key in set(keys) - set(kept):
            self.forget_page(key)

    def forget_pages_of_others(self, ids: Collection[int]) -> None:
        """Forget other accounts' pages that contain one of these repositories.

        Their rows have changed, which a 304 for such a page would not show.
        """
        others = self._accounts_that_also_list(ids)
        if not others:
            return
        columns = (page_cache.c.account, page_cache.c.key, page_cache.c.ids)
        listed = and_(page_cache.c.account.in_(others), page_cache.c.repository_id.is_(None))
        pages = self.connection.execute(select(*columns).where(listed))
        for account, key, on_page in pages.all():
            if not set(ids).isdisjoint(on_page):
                self.connection.execute(
                    delete(page_cache).where(
                        page_cache.c.account == account, page_cache.c.key == key
                    )
                )

    def progress(self, counts: RunCounts, pages_expected: int | None) -> None:
        """Record the run's counts so far."""
        values = {"pages_expected": pages_expected, **counts.as_dict()}
        self.connection.execute(_PROGRESS, {"run": self.run.id, **values})

    def steps_recorded(self) -> int:
        """Return `RunCounts.steps` of the run's recorded counts."""
        row = self.connection.execute(select(sync_runs).where(sync_runs.c.id == self.run.id)).one()
        return RunCounts(**{name: row._mapping[name] for name in RunCounts().as_dict()}).steps

    # Details

    def _accounts_that_also_list(self, ids: Collection[int]) -> list[str]:
        member = account_repositories.c
        return list(
            self.connection.execute(
                select(member.account)
                .distinct()
                .where(
                    member.host == self.host,
                    member.repository_id.in_(ids),
                    member.account != self.account,
                )
            ).scalars()
        )

    def _too_long(self, writes: Iterable[RepositoryWrite]) -> Iterator[Refusal]:
        """Yield a refusal for each write that is too large for the database."""
        for write in writes:
            values = (value for value in write.values if isinstance(value, str))
            changed = (text for change in write.changes for text in change[1:] if text)
            texts = chain((write.payload or "",), values, changed)
            reason = self.dialect.too_long(self.connection, texts)
            if reason is not None:
                yield Refusal(write, reason)

    def _cached(self) -> Any:
        return and_(page_cache.c.account == self.account, page_cache.c.repository_id.is_(None))

    def _try_to_write(self, writes: Sequence[RepositoryWrite]) -> str | None:
        return self.attempt(partial(self._write_all, writes))

    def _write_all(self, writes: Sequence[RepositoryWrite]) -> None:
        adapt = self.dialect.adapt
        host, now = self.host, adapt(self.now)
        day = self.now.date()
        self._many(
            self.statements.repository,
            [
                # A listed repository is not removed, or no longer.
                (
                    *(host, w.id, *self._row(w), None, None, w.payload, w.content_hash),
                    *(now, self.revision, now),
                )
                for w in writes
            ],
        )
        self.log_day((host, w.id, day, *_of_day(w.values)) for w in writes if w.metrics)
        self.log_changes((w.id, change) for w in writes for change in w.changes)
        self._enroll(Membership(w.id, w.push) for w in writes if w.joins)
        self._log_join(w.id for w in writes if w.joins and not w.is_new)

    def _row(self, write: RepositoryWrite) -> list[Any]:
        row = list(write.values)
        for at in _ADAPTED:
            row[at] = self.dialect.adapt(row[at])
        return row

    def _enroll(self, members: Iterable[Membership]) -> None:
        account, host, now = self.account, self.host, self.dialect.adapt(self.now)
        self._many(
            self.statements.membership,
            [(account, host, id_, now, None, push) for id_, push in members],
        )

    def _log_join(self, ids: Iterable[int]) -> None:
        if ids := list(ids):
            self.forget_departures(ids, (self.account,))
        self.log_changes((id_, Change(ACCOUNT, None, self.account)) for id_ in ids)

    def _many(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            self.dialect.send(self.connection, statement, rows)
