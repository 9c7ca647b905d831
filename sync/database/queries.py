"""The ledger's reading side: what people and scripts ask of it. Nothing here can write."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Self

from sqlalchemy import Connection, Select, and_, select

from sync.config.resources import ResourceSetting
from sync.core.clock import Clock, utc_now
from sync.database import migrate
from sync.database.change_kinds import Kind
from sync.database.changelog import kind_of
from sync.database.dialects import dialect_of
from sync.database.failures import translated
from sync.database.figures_by_day import FIGURES as FIGURES
from sync.database.figures_by_day import figures_of
from sync.database.filters import REPOSITORY_COLUMNS as REPOSITORY_COLUMNS
from sync.database.happened import Scope, changes_in
from sync.database.history import counters_of
from sync.database.known_words import Unmatched, missed, values_of
from sync.database.names import (
    Key,
    host_called,
    hosts_of,
    repositories_called,
)
from sync.database.repository_lists import listed_by, pattern_of
from sync.database.resource_groups import Settings
from sync.database.resource_standing import ResourceStanding, days_lost, resource_standings
from sync.database.resource_status import (
    ResourceStatus,
    resource_status,
    stored_rows,
)
from sync.database.run_reader import RunReader
from sync.database.run_start import host_problem
from sync.database.status import standing
from sync.database.tables import (
    account_repositories,
    plain,
    repositories,
    sync_runs,
)
from sync.database.user_query import answered

Row = Mapping[str, Any]
_AT_ONCE = 500  # rows that are in memory at a time


class Ledger:
    """A ledger that is read.

    Raises DatabaseUnusable, SchemaMissing, SchemaOutdated and SchemaTooNew.
    """

    def __init__(self, url: str, *, clock: Clock = utc_now) -> None:
        self._clock = clock
        self.dialect = dialect_of(url)
        self._where = self.dialect.where
        self._engine = self.dialect.reading_engine()
        try:
            self.require_current()
        except BaseException:
            self.close()
            raise

    def require_current(self) -> None:
        """Raise what the constructor does unless the ledger is there, with this program's schema.

        For a ledger that is kept open: what it was before may have changed.
        """
        revision = None
        if self.dialect.exists():
            with self.connect() as connection:
                revision = migrate.revision(connection)
        migrate.require_current(revision, self._where)

    def close(self) -> None:
        """Close every connection; a later use opens new ones."""
        self._engine.dispose()
        self.dialect.leave_as_found()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Yield a connection that can only read."""
        with translated(self._where), self._engine.connect() as connection:
            yield connection

    def repos(self, **asked: Any) -> Iterator[Row]:
        """Yield repositories; what can be asked, and what is told, is said in `listed_by`."""
        yield from listed_by(self, self._clock(), **asked)

    def unmatched(self, names: Sequence[str], *, removed: bool) -> Iterator[Unmatched]:
        """Yield those of `names` that no repository has, whatever else is asked of it."""
        patterns = [pattern_of(self, name) for name in names]
        with self.connect() as connection:
            for name, pattern in zip(names, patterns, strict=True):
                if found := missed(connection, self.dialect, name, pattern, removed=removed):
                    yield found

    def values(self, column: str) -> list[str]:
        """Return the values of a column of texts or lists of texts of repositories."""
        with self.connect() as connection:
            return values_of(connection, column)

    def hosts(self) -> list[str]:
        """Return the hosts that repositories are at."""
        with self.connect() as connection:
            return hosts_of(connection)

    def host_called(self, text: str) -> str:
        """Return the host of repositories or accounts that `text` means. Raises NoSuchHost."""
        with self.connect() as connection:
            return host_called(connection, text)

    def first_sync(self) -> datetime | None:
        """Return when the first run began; None if there was none."""
        first = select(sync_runs.c.started_at).order_by(sync_runs.c.id).limit(1)
        with self.connect() as connection:
            return connection.execute(first).scalar()

    def scope(
        self,
        *,
        host: str | None = None,
        owner: str | None = None,
        account: str | None = None,
        repositories: Sequence[str] = (),
        globs: Sequence[str] = (),
    ) -> Scope:
        """Return the repositories that are meant.

        `repositories`: names, present or former. `globs`: patterns such as `ada/*`. Raises
        NoSuchHost, NoSuchRepository and AmbiguousName, as `repositories_called` does.
        """
        return Scope(
            host=None if host is None else self.host_called(host),
            owner=owner,
            account=account,
            keys=[key for name in repositories for key in self._called(name)],
            globs=globs,
        )

    def changes(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        host: str | None = None,
        repository: str | None = None,
        scope: Scope | None = None,
        fields: Collection[str] = (),
        kinds: Collection[Kind] = (),
        limit: int | None = None,
    ) -> Iterator[Row]:
        """Yield changes, the newest first; `change` says what kind of change a row is.

        Raises what `scope` does.
        """
        named = () if repository is None else (repository,)
        statement = changes_in(
            self.dialect,
            scope or self.scope(host=host, repositories=named),
            since,
            until,
            fields=fields,
            kinds=kinds,
            documents=True,
        )
        for row in self.rows(statement.limit(limit)):
            yield {**row, "change": kind_of(row["field"], row["old_value"], row["new_value"])}

    def history(self, repository: str, *, since: date, until: date) -> Iterator[Row]:
        """Yield a repository's counters for each day, a day without a change like the one before.

        Begins with the first day that is known, and ends with that of a removal; the days
        between a removal and a return are left out. Raises what `repositories_called` does.
        """
        key, removed_on = self._called(repository)[0], self.removed_on(repository)
        today = self._clock().date()
        yield from counters_of(self.rows, key, removed_on, today, (since, until))

    def figures(self, repository: str, view: str, *, since: date, until: date) -> Iterator[Row]:
        """Yield the days of a repository in a view of figures, null where a day is not known.

        `view`: one of `figures_by_day.VIEWS`. Raises what `repositories_called` does.
        """
        yield from self.rows(figures_of(view, self._called(repository)[0], since, until))

    def removed_on(self, repository: str) -> date | None:
        """Return the day on which that repository was removed; None if it is there.

        Today, if it is dated later: that was while the clock was ahead.
        """
        removed_at = self._column("removed_at", *self._called(repository)[0])
        return min(removed_at, self._clock()).date() if removed_at else None

    def full_name(self, repository: str) -> str:
        """Return what the repository whose `history` this is was last called.

        With its host, if the ledger holds several. Raises what `repositories_called` does.
        """
        host, id_ = self._called(repository)[0]
        name = str(self._column("full_name", host, id_))
        return f"{host}/{name}" if len(self.hosts()) > 1 else name

    def listing(self, repository: str) -> list[str]:
        """Return the accounts that list the repository called this.

        Raises what `repositories_called` does.
        """
        host, id_ = self._called(repository)[0]
        member = account_repositories.c
        theirs = and_(member.host == host, member.repository_id == id_)
        statement = select(member.account).where(theirs, member.gone_at.is_(None))
        with self.connect() as connection:
            return list(connection.execute(statement).scalars())

    def status(self, *, counted: bool = True) -> list[dict[str, Any]]:
        """Return a row per account: its state, its last run, how many repositories it lists.

        Without `counted`, what takes time on a large ledger to count is None. Failures
        and deferrals since the last good run are counted among the last hundred.
        """
        with self.connect() as connection:
            return standing(connection, self.dialect, counted=counted)

    def resource_standings(
        self, account: str, settings: Mapping[str, ResourceSetting]
    ) -> dict[str, ResourceStanding]:
        """Return how the resources in `settings` of an account stand, by name."""
        with self.connect() as connection:
            return resource_standings(connection, account, settings, self._clock())

    def days_lost(self, account: str) -> int:
        """Return the number of days of figures that the last day's runs found to be gone."""
        with self.connect() as connection:
            return days_lost(connection, account, self._clock())

    def resources(self, settings: Settings) -> list[ResourceStatus]:
        """Return the state of each resource of each account in `settings`."""
        with self.connect() as connection:
            return resource_status(connection, settings, self._clock())

    def resource_rows(self) -> dict[str, int]:
        """Return the number of rows of each resource."""
        with self.connect() as connection:
            return stored_rows(connection)

    def host_problem(self, account: str, host: str) -> str | None:
        """Return why a run of this account at `host` would be refused; None if it would not."""
        with self.connect() as connection:
            return host_problem(connection, account, host)

    def redactions_awaiting(self, host: str, configured: Collection[str]) -> dict[int, set[str]]:
        """Return what is to be redacted or purged once these accounts have been listed, by id."""
        with self.connect() as connection:
            reader = RunReader(connection, self.dialect, "", host, self._clock(), configured)
            return reader.redactions_awaiting()

    @contextmanager
    def query(self, sql: str) -> Iterator[tuple[list[str], Iterator[Sequence[Any]]]]:
        """Run one statement of the user's; yield its column names and its rows.

        The connection can only read, whatever the statement is. Raises
        QueryRefused with the database's own words.
        """
        with answered(self._engine, self.dialect, sql) as answer:
            yield answer

    @contextmanager
    def tuples(self, statement: Select[Any]) -> Iterator[Iterable[Sequence[Any]]]:
        """Yield the rows of a query as tuples: for many rows, of which few are kept."""
        with (
            self.connect() as connection,
            connection.execution_options(yield_per=_AT_ONCE).execute(statement) as result,
        ):
            yield result

    def rows(self, statement: Select[Any]) -> Iterator[Row]:
        """Yield the rows of a query, a few hundred in memory at a time."""
        with (
            self.connect() as connection,
            connection.execution_options(yield_per=_AT_ONCE).execute(statement) as result,
        ):
            for row in result:
                yield plain(row)

    def _column(self, name: str, host: str, id_: int) -> Any:
        table = repositories.c
        statement = select(table[name]).where(table.host == host, table.id == id_)
        with self.connect() as connection:
            return connection.execute(statement).scalar()

    def _called(self, repository: str) -> list[Key]:
        with self.connect() as connection:
            return repositories_called(connection, self.dialect, repository)
