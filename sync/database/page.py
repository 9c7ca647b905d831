"""What one transaction of a run can write of a page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache, partial
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from sync.database.dialects import Dialect
from sync.database.failures import reason_of
from sync.database.logged import ACCOUNT
from sync.database.reader import PageReader
from sync.database.rows import (
    Change,
    PageEntry,
    Refusal,
    Rejection,
    RepositoryWrite,
    Run,
    RunCounts,
)
from sync.database.tables import (
    COUNTERS,
    FIELDS,
    Document,
    UtcDateTime,
    account_repositories,
    page_cache,
    rejected_items,
    repositories,
    sync_runs,
)
from sync.errors import DatabaseError, QueryRefused

_KEY = ("host", "id")
_REPOSITORY_UPDATE = (
    *FIELDS,
    *("removed_at", "removal_reason", "payload", "content_hash", "changed_at"),
)
_REPOSITORY = (*_KEY, *_REPOSITORY_UPDATE, "first_seen_at")
_METRICS_KEY = ("host", "repository_id", "day")
_MEMBERSHIP_KEY = ("account", "host", "repository_id")
_CHANGE = ("host", "repository_id", "run_id", "observed_at", "field", "old_value", "new_value")
_PAGE_KEY = ("account", "key")
_PAGE = ("etag", "ids", "item_count", "next_url", "stored_at")


class _Statements(NamedTuple):
    """What a page is written with, in the words of one database."""

    repository: str
    metrics: str
    membership: str
    change: str
    page: str


@cache
def _statements(dialect: Dialect) -> _Statements:
    return _Statements(
        repository=dialect.upsert("repositories", _KEY, _REPOSITORY, _REPOSITORY_UPDATE),
        metrics=dialect.upsert(
            "repository_metrics", _METRICS_KEY, (*_METRICS_KEY, *COUNTERS), COUNTERS
        ),
        membership=dialect.upsert(
            "account_repositories",
            _MEMBERSHIP_KEY,
            (*_MEMBERSHIP_KEY, "first_seen_at", "gone_at"),
            ("gone_at",),
        ),
        change=dialect.insert("repository_changes", _CHANGE),
        page=dialect.upsert("page_cache", _PAGE_KEY, (*_PAGE_KEY, *_PAGE), _PAGE),
    )


_PROGRESS = update(sync_runs).where(sync_runs.c.id == bindparam("run"))
_KEPT = 65_536  # characters of what is too long
_FIRST_COUNTER = len(FIELDS) - len(COUNTERS)
# Where in FIELDS a value is not as the drivers take it.
_ADAPTED = tuple(
    at
    for at, name in enumerate(FIELDS)
    if isinstance(repositories.c[name].type, (UtcDateTime, Document))
)


class PageTransaction(PageReader):
    """The open transaction of a page: reads what is known, writes what was planned."""

    def __init__(self, connection: Connection, dialect: Dialect, run: Run, now: datetime) -> None:
        super().__init__(connection, dialect, run.account, run.host, now, run.configured)
        self.statements = _statements(dialect)
        self.run = run

    def write(self, writes: Sequence[RepositoryWrite]) -> tuple[Refusal, ...]:
        """Write repositories with their changes, metrics and memberships.

        All at once; if the database refuses that, one by one, so that a single
        bad row costs only itself. Returns the refused.
        """
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
        """Do `work` inside a savepoint; return why not, if the database refuses a row.

        Or if a trigger or table of the user's does.
        """
        say = self.connection.exec_driver_sql  # alike everywhere, and SQLAlchemy's own is slower
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

    def join(self, ids: Iterable[int]) -> None:
        """Note that the account lists these repositories, which are stored already."""
        ordered = sorted(ids)
        self._enroll(ordered)
        self._log_join(ordered)

    def log_changes(self, changes: Iterable[tuple[int, Change]]) -> None:
        """Write changes, each of the repository with this id, to the log."""
        host, run_id, now = self.host, self.run.id, self.dialect.adapt(self.now)
        self._many(
            self.statements.change, [(host, id_, run_id, now, *change) for id_, change in changes]
        )

    def reject(self, rejections: Iterable[Rejection]) -> None:
        """Keep items that could not be stored."""
        rows = [
            {"run_id": self.run.id, "account": self.account, **rejection._asdict()}
            for rejection in rejections
        ]
        if rows:
            self.connection.execute(rejected_items.insert(), rows)

    def remember_page(self, entry: PageEntry) -> None:
        """Remember a page's ETag, for the next run to ask whether it changed."""
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
        """Forget a page, so that the next run asks for it whole."""
        self.connection.execute(delete(page_cache).where(self._cached(), page_cache.c.key == key))

    def forget_pages_but(self, kept: Collection[str]) -> None:
        """Forget every page of the account that is not among `kept`."""
        keys = self.connection.execute(select(page_cache.c.key).where(self._cached())).scalars()
        for key in set(keys) - set(kept):
            self.forget_page(key)

    def forget_pages_of_others(self, ids: Collection[int]) -> None:
        """Forget other accounts' pages that hold one of these repositories.

        A 304 would tell them that their page is as it was, and the rows are not.
        """
        others = self._accounts_that_also_list(ids)
        if not others:
            return
        columns = (page_cache.c.account, page_cache.c.key, page_cache.c.ids)
        pages = self.connection.execute(select(*columns).where(page_cache.c.account.in_(others)))
        for account, key, on_page in pages.all():
            if not set(ids).isdisjoint(on_page):
                self.connection.execute(
                    delete(page_cache).where(
                        page_cache.c.account == account, page_cache.c.key == key
                    )
                )

    def progress(self, counts: RunCounts, pages_expected: int | None) -> None:
        """Record how far the run has come."""
        values = {"pages_expected": pages_expected, **counts.as_dict()}
        self.connection.execute(_PROGRESS, {"run": self.run.id, **values})

    def steps_recorded(self) -> int:
        """Return `RunCounts.steps` of what is recorded of the run."""
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
        """Yield what the database cannot take, with as much of it as is kept of the rejected."""
        for write in writes:
            values = (value for value in write.values if isinstance(value, str))
            changed = (text for change in write.changes for text in change[1:] if text)
            payload = write.payload or ""
            texts = chain((payload,), values, changed)
            reason = self.dialect.too_long(self.connection, texts)
            if reason is not None:
                yield Refusal(write._replace(payload=payload[:_KEPT]), reason)

    def _cached(self) -> Any:
        return page_cache.c.account == self.account

    def _try_to_write(self, writes: Sequence[RepositoryWrite]) -> str | None:
        return self.attempt(partial(self._write_all, writes))

    def _write_all(self, writes: Sequence[RepositoryWrite]) -> None:
        adapt = self.dialect.adapt
        host, now = self.host, adapt(self.now)
        day = adapt(self.now.date())
        self._many(
            self.statements.repository,
            [
                # What is listed is not removed, whatever it was before.
                (host, w.id, *self._row(w), None, None, w.payload, w.content_hash, now, now)
                for w in writes
            ],
        )
        self._many(
            self.statements.metrics,
            [(host, w.id, day, *w.values[_FIRST_COUNTER:]) for w in writes if w.metrics],
        )
        self.log_changes((w.id, change) for w in writes for change in w.changes)
        self._enroll(w.id for w in writes if w.joins)
        self._log_join(w.id for w in writes if w.joins and not w.is_new)

    def _row(self, write: RepositoryWrite) -> list[Any]:
        row = list(write.values)
        for at in _ADAPTED:
            row[at] = self.dialect.adapt(row[at])
        return row

    def _enroll(self, ids: Iterable[int]) -> None:
        now = self.dialect.adapt(self.now)
        self._many(
            self.statements.membership, [(self.account, self.host, id_, now, None) for id_ in ids]
        )

    def _log_join(self, ids: Iterable[int]) -> None:
        self.log_changes((id_, Change(ACCOUNT, None, self.account)) for id_ in ids)

    def _many(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            self.dialect.send(self.connection, statement, rows)
