"""What one transaction of a run can do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, delete, select, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from sync.database.dialects import Dialect
from sync.database.failures import reason_of
from sync.database.rows import Known, PageEntry, Refusal, Rejection, RepositoryWrite, Run, RunCounts
from sync.database.tables import (
    COUNTERS,
    FIELDS,
    account_repositories,
    page_cache,
    rejected_items,
    repositories,
    sync_runs,
)
from sync.errors import DatabaseError

_KEY = ("host", "id")
_REPOSITORY = (*_KEY, *FIELDS, "payload", "content_hash", "first_seen_at", "changed_at")
_REPOSITORY_UPDATE = (*FIELDS, "payload", "content_hash", "changed_at")
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


_KEPT = 65_536  # characters of what is too long
_FIRST_COUNTER = len(FIELDS) - len(COUNTERS)


class PageReader:
    """Reads what is known of the repositories on a page of one account."""

    def __init__(self, connection: Connection, account: str, host: str) -> None:
        self.connection = connection
        self.account = account
        self.host = host

    def known(self, ids: Collection[int]) -> dict[int, Known]:
        """Return what is known of the repositories with these ids."""
        membership = and_(
            account_repositories.c.account == self.account,
            account_repositories.c.host == repositories.c.host,
            account_repositories.c.repository_id == repositories.c.id,
            account_repositories.c.gone_at.is_(None),
        )
        statement = (
            select(
                repositories.c.id,
                repositories.c.content_hash,
                account_repositories.c.account.is_not(None),
            )
            .select_from(repositories.outerjoin(account_repositories, membership))
            .where(repositories.c.host == self.host, repositories.c.id.in_(ids))
        )
        return {row[0]: Known(row[1], bool(row[2])) for row in self.connection.execute(statement)}

    def values(self, ids: Collection[int]) -> dict[int, tuple[Any, ...]]:
        """Return the stored values of these repositories, in the order of `tables.FIELDS`."""
        if not ids:
            return {}
        columns = [repositories.c[name] for name in FIELDS]
        statement = select(repositories.c.id, *columns).where(
            repositories.c.host == self.host, repositories.c.id.in_(ids)
        )
        return {row[0]: tuple(row[1:]) for row in self.connection.execute(statement)}


class PageTransaction(PageReader):
    """The open transaction of a page: reads what is known, writes what was planned."""

    def __init__(self, connection: Connection, dialect: Dialect, run: Run, now: datetime) -> None:
        super().__init__(connection, run.account, run.host)
        self.dialect = dialect
        self.statements = _statements(dialect)
        self.run = run
        self.now = now

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
        if not ordered or self._attempt(ordered) is None:
            return tuple(refusals)
        for write in ordered:
            reason = self._attempt([write])
            if reason is not None:
                refusals.append(Refusal(write, reason))
        return tuple(refusals)

    def join(self, ids: Iterable[int]) -> None:
        """Note that the account lists these repositories, which are stored already."""
        account, host, now = self.account, self.host, self.dialect.adapt(self.now)
        self._many(
            self.statements.membership, [(account, host, id_, now, None) for id_ in sorted(ids)]
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
        self.connection.execute(
            update(sync_runs)
            .where(sync_runs.c.id == self.run.id)
            .values(pages_expected=pages_expected, **counts.as_dict())
        )

    def pages_stored(self) -> int:
        """Return how many pages of the run are recorded."""
        mine = sync_runs.c.id == self.run.id
        return int(self.connection.execute(select(sync_runs.c.pages).where(mine)).scalar_one())

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
            reason = self.dialect.too_long(self.connection, (payload, *values, *changed))
            if reason is not None:
                yield Refusal(write._replace(payload=payload[:_KEPT]), reason)

    def _cached(self) -> Any:
        return page_cache.c.account == self.account

    def _attempt(self, writes: Sequence[RepositoryWrite]) -> str | None:
        """Write inside a savepoint; return why not, if the database refuses a row."""
        savepoint = self.connection.begin_nested()
        try:
            self._write_all(writes)
        except DBAPIError as error:
            if not self.dialect.blames_row(error):
                raise
            reason = reason_of(error)
            try:
                savepoint.rollback()
            except SQLAlchemyError:  # a trigger of the user's may end the whole transaction
                raise DatabaseError(f"a row ended its page's transaction: {reason}") from None
            return reason
        savepoint.commit()
        return None

    def _write_all(self, writes: Sequence[RepositoryWrite]) -> None:
        adapt = self.dialect.adapt
        host, run_id, now = self.host, self.run.id, adapt(self.now)
        day = adapt(self.now.date())
        self._many(
            self.statements.repository,
            [
                (host, w.id, *map(adapt, w.values), w.payload, w.content_hash, now, now)
                for w in writes
            ],
        )
        self._many(
            self.statements.metrics,
            [(host, w.id, day, *w.values[_FIRST_COUNTER:]) for w in writes if w.metrics],
        )
        self._many(
            self.statements.change,
            [(host, w.id, run_id, now, *change) for w in writes for change in w.changes],
        )
        self.join(w.id for w in writes if w.joins)

    def _many(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        # Straight to the driver: half the time of SQLAlchemy's own executemany.
        if rows:
            self.connection.exec_driver_sql(statement, rows)
