"""The ledger's reading side: what people and scripts ask of it. Nothing here can write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Self

from sqlalchemy import Connection, Select, and_, literal, or_, select
from sqlalchemy.exc import DBAPIError

from sync.database import migrate
from sync.database.dialects import dialect_of
from sync.database.failures import reason_of, translated, with_advice
from sync.database.filters import REPOSITORY_COLUMNS as REPOSITORY_COLUMNS
from sync.database.filters import RepositoryFilter, of_kind
from sync.database.kinds import Kind
from sync.database.logged import kind_of
from sync.database.past import in_order, repositories_as_of
from sync.database.rows import filled_forward
from sync.database.status import accounts_with_last_runs
from sync.database.tables import (
    COUNTERS,
    account_repositories,
    plain,
    repositories,
    repository_changes,
    repository_metrics,
    sync_runs,
)
from sync.errors import NoSuchRepository, QueryRefused

Row = Mapping[str, Any]


class Ledger:
    """A ledger that is read.

    Raises DatabaseUnusable, SchemaMissing, SchemaOutdated and SchemaTooNew.
    """

    def __init__(self, url: str) -> None:
        dialect = dialect_of(url)
        self._dialect, self._where = dialect, dialect.where
        migrate.require_current(migrate.check(url), self._where)
        self._engine = dialect.reading_engine()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Yield a connection that can only read."""
        with translated(self._where), self._engine.connect() as connection:
            yield connection

    def repos(
        self,
        *,
        account: str | None = None,
        owner: str | None = None,
        language: str | None = None,
        topic: str | None = None,
        name: str | None = None,
        archived: bool | None = None,
        fork: bool | None = None,
        removed: bool = False,
        as_of: datetime | None = None,
        sort: str = "full_name",
        descending: bool = False,
        limit: int | None = None,
    ) -> Iterator[Row]:
        """Yield repositories, `REPOSITORY_COLUMNS` of each, unknown values last.

        What is shown of them is what `RepositoryFilter` says; with `account`, only
        what that lists, or listed, of the removed. With `as_of`, all of it is as it
        was at that time.
        """
        wanted = RepositoryFilter(
            owner=owner,
            language=language,
            topic=topic,
            name=name,
            archived=archived,
            fork=fork,
            removed=removed,
        )
        if as_of is None:
            statement = self._present(wanted, account, sort, descending=descending)
            yield from self._rows(statement.limit(limit))
        else:
            past = repositories_as_of(
                self.connect, self._dialect, as_of, account=account, ever=removed
            )
            found = (row for row in past if wanted.matches(row))
            yield from in_order(found, sort, descending=descending, limit=limit)

    def _present(
        self, wanted: RepositoryFilter, account: str | None, sort: str, *, descending: bool
    ) -> Select[Any]:
        table = repositories.c
        conditions = wanted.conditions()
        if account is not None:
            conditions.append(_listed_by(account, ever=wanted.removed))
        by = self._dialect.in_code_point_order(table[sort])
        order: tuple[Any, ...] = (by.desc() if descending else by.asc(), table.id)
        if table[sort].nullable:  # else an index can serve
            order = (table[sort].is_(None), *order)
        return select(*(table[c] for c in REPOSITORY_COLUMNS)).where(*conditions).order_by(*order)

    def first_sync(self) -> datetime | None:
        """Return when the first run began; None if there was none."""
        first = select(sync_runs.c.started_at).order_by(sync_runs.c.id).limit(1)
        with self.connect() as connection:
            return connection.execute(first).scalar()

    def changes(
        self,
        *,
        since: datetime | None = None,
        repository: str | None = None,
        field: str | None = None,
        kind: Kind | None = None,
        limit: int | None = None,
    ) -> Iterator[Row]:
        """Yield changes, the newest first; `repository` is a full name, present or former.

        `change` says what kind of change a row is.
        """
        log, table = repository_changes.c, repositories.c
        filters: list[Any] = []
        if since is not None:
            filters.append(log.observed_at >= since)
        if field is not None:
            filters.append(log.field == field)
        if kind is not None:
            filters.append(of_kind(kind))
        if repository is not None:
            ids = self._ids_of(repository)
            filters.append(
                or_(*(and_(log.host == host, log.repository_id == id_) for host, id_ in ids))
            )
        statement = (
            select(
                log.observed_at,
                table.full_name,
                log.field,
                log.old_value,
                log.new_value,
                log.host,
                log.repository_id,
                log.run_id,
            )
            .join_from(
                repository_changes,
                repositories,
                and_(table.host == log.host, table.id == log.repository_id),
            )
            .where(*filters)
            .order_by(log.observed_at.desc(), log.id.desc())
            .limit(limit)
        )
        for row in self._rows(statement):
            yield {**row, "change": kind_of(row["field"], row["old_value"], row["new_value"])}

    def history(self, repository: str, *, since: date, until: date) -> Iterator[Row]:
        """Yield a repository's counters for each day, a day without a change like the one before.

        Begins with the first day that is known, and ends with that of a removal. Raises
        NoSuchRepository.
        """
        host, id_ = self._ids_of(repository)[0]
        removed_on = self.removed_on(repository)
        until = until if removed_on is None else min(until, removed_on)
        table = repository_metrics.c
        statement = (
            select(table.day, *(table[c] for c in COUNTERS))
            .where(table.host == host, table.repository_id == id_, table.day <= until)
            .order_by(table.day)
        )
        yield from filled_forward(list(self._rows(statement)), since, until)

    def removed_on(self, repository: str) -> date | None:
        """Return the day on which that repository was removed; None if it is there."""
        removed_at = self._column("removed_at", *self._ids_of(repository)[0])
        return removed_at.date() if removed_at else None

    def full_name(self, repository: str) -> str:
        """Return what the repository whose `history` this is was last called.

        Raises NoSuchRepository.
        """
        return str(self._column("full_name", *self._ids_of(repository)[0]))

    def status(self, *, counted: bool = True) -> list[dict[str, Any]]:
        """Return a row per account: its state, its last run, how many repositories it lists.

        Without `counted`, that number is None: counting takes time on a large ledger.
        """
        statement = accounts_with_last_runs(self._dialect, counted=counted)
        return [dict(row) for row in self._rows(statement)]

    @contextmanager
    def query(self, sql: str) -> Iterator[tuple[list[str], Iterator[Sequence[Any]]]]:
        """Run one statement of the user's; yield its column names and its rows.

        The connection can only read, whatever the statement is. Raises
        QueryRefused with the database's own words.
        """
        reason = ""
        try:
            sql.encode()
        except UnicodeEncodeError:  # bytes of a command line that are no UTF-8
            raise QueryRefused("the statement is not valid text") from None
        with self._engine.connect() as connection:
            try:
                # Without parameters, so that no sign in it is taken for one.
                bare = connection.execution_options(no_parameters=True)
                result = bare.exec_driver_sql(sql)
                if result.returns_rows:
                    yield list(result.keys()), (tuple(row) for row in result)
                    return
                reason = "the statement returns no rows; only reading is possible here"
            except DBAPIError as error:
                reason = reason_of(error)
        raise QueryRefused(with_advice(reason))

    def _rows(self, statement: Select[Any]) -> Iterator[Row]:
        with (
            self.connect() as connection,
            connection.execution_options(yield_per=500).execute(statement) as result,
        ):
            for row in result:
                yield plain(row)

    def _column(self, name: str, host: str, id_: int) -> Any:
        table = repositories.c
        statement = select(table[name]).where(table.host == host, table.id == id_)
        with self.connect() as connection:
            return connection.execute(statement).scalar()

    def _ids_of(self, repository: str) -> list[tuple[str, int]]:
        """Return the repositories that are or were called this, present ones first."""
        table, log = repositories.c, repository_changes.c
        now = (
            select(table.host, table.id)
            .where(self._dialect.is_name(table.full_name, repository))
            .order_by(table.removed_at.is_not(None), table.changed_at.desc())
        )
        # Not as a parameter: it has to be plain that this is what the index is of.
        of_name = log.field == literal("full_name", literal_execute=True)
        before = select(log.host, log.repository_id).where(
            of_name, self._dialect.is_name(log.old_value, repository)
        )
        with self.connect() as connection:
            rows = [*connection.execute(now), *connection.execute(before)]
        if not rows:
            raise NoSuchRepository(
                f"the ledger holds no repository called {repository}; "
                "`repoledger repos` lists what it holds"
            )
        return list(dict.fromkeys((row[0], row[1]) for row in rows))


def _listed_by(account: str, *, ever: bool) -> Any:
    """Return that the account lists a repository now, or `ever` did."""
    member = account_repositories.c
    listed = select(member.account).where(
        member.account == account,
        member.host == repositories.c.host,
        member.repository_id == repositories.c.id,
    )
    return (listed if ever else listed.where(member.gone_at.is_(None))).exists()
