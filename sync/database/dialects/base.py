"""The interface of a database: everything that differs between SQLite, PostgreSQL and MySQL."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Engine, Table, bindparam, func
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError

from sync.core.errors import RunInProgress
from sync.database.dialects import word_search

# Not Alembic's usual name, which another program's table may have in the same database.
VERSION_TABLE = "repoledger_schema"


class Dialect(ABC):
    """A database at a URL, with its SQL."""

    name: Literal["sqlite", "postgresql", "mysql"]
    # The quote of a name and the mark of a parameter.
    quote = '"'
    mark = "?"
    # The isolation level for a consistent snapshot; None if every transaction has one.
    snapshot_level: Literal["REPEATABLE READ"] | None = None

    @property
    @abstractmethod
    def where(self) -> str:
        """The database's name in messages."""

    def exists(self) -> bool:
        """Return whether the database exists."""
        return True

    @abstractmethod
    def writing_engine(
        self, stop: threading.Event | None = None, *, create: bool = False
    ) -> Engine:
        """Return an engine for writers. Setting `stop` ends their waits for other writers.

        `create`: create a missing SQLite file.
        """

    @abstractmethod
    def reading_engine(self) -> Engine:
        """Return an engine whose connections can only read."""

    @abstractmethod
    def account_lock(
        self, account: str, *, wait: bool, stop: threading.Event | None = None
    ) -> AbstractContextManager[None]:
        """Hold the lock on one account's runs; it is freed when the process ends.

        `wait`: wait until it is free or `stop` is set. Raises RunInProgress, Interrupted.
        """

    @abstractmethod
    def is_same_as(self, other: Dialect) -> bool:
        """Return whether both URLs lead to the same database."""

    def migration_lock(self, connection: Connection) -> AbstractContextManager[None]:  # noqa: ARG002  # for servers
        """Keep other processes from migrating, while `connection`'s transaction does.

        It does nothing where a transaction excludes all other writers. Raises
        DatabaseUnusable, Interrupted.
        """
        return nullcontext()

    def kept_copy(
        self,
        revision: str,  # noqa: ARG002  # for files
        stop: threading.Event | None = None,  # noqa: ARG002  # as above
    ) -> AbstractContextManager[Path | None]:
        """Copy a ledger at `revision` before the block changes its schema.

        Yields the copy's path; None for a server, whose owner makes dumps. To be called under
        the lock on migrations.
        """
        return nullcontext()

    def copy_file(
        self,
        connection: Connection,  # noqa: ARG002  # for SQLite
        file: Path,  # noqa: ARG002  # as above
        stop: threading.Event,  # noqa: ARG002  # as above
    ) -> bool:
        """Copy the database as a whole to an empty SQLite `file`, as `connection` sees it.

        Returns False if the database cannot do that. Raises sqlite3.Error; Interrupted once
        `stop` is set.
        """
        return False

    def one_writer(self, connection: Connection) -> None:  # noqa: B027  # for servers
        """Exclude other transactions that write pages until this one ends; wait for them.

        To be called first in a transaction. Otherwise two accounts that list the same
        repository could both insert it, or log the same change twice. Raises Interrupted.
        """

    def blames_row(self, error: DBAPIError) -> bool:
        """Return whether a single bad row can have caused `error`.

        Not so for a lost connection or a full disk.
        """
        return isinstance(error, (IntegrityError, DataError, InterfaceError))

    def too_long(self, connection: Connection, texts: Iterable[str]) -> str | None:  # noqa: ARG002  # for servers
        """Return why a row with these texts is too large to send; None if it is not."""
        return None

    def write_nothing(self, connection: Connection) -> None:
        """Execute a statement that changes nothing, but fails if the database is read-only."""
        connection.exec_driver_sql("UPDATE accounts SET generation = generation WHERE name = ''")

    def check_constraints(self, connection: Connection) -> None:  # noqa: B027  # for SQLite, PostgreSQL
        """Check the constraints now that are otherwise checked at the end of the transaction.

        Raises IntegrityError or QueryRefused.
        """

    def erase(self, connection: Connection) -> None:  # noqa: B027  # for SQLite
        """Overwrite the data that this transaction deletes, if the database supports that."""

    def is_transient(self, error: DBAPIError) -> bool:  # noqa: ARG002  # for servers
        """Return whether `error` is transient: the transaction may succeed if repeated."""
        return False

    def in_code_point_order(self, column: Column[Any]) -> ColumnElement[Any]:
        """Return the expression that orders texts as Python does."""
        return column

    def name_key(self, column: Column[Any]) -> ColumnElement[Any]:
        """Return a full name's expression to search with LIKE and lower-case letters."""
        return func.lower(column)

    def is_name(self, column: Column[Any], name: str) -> ColumnElement[bool]:
        """Return the condition that a full name equals `name` in any case, for use of an index.

        The index of former names needs the condition on the changed field besides.
        """
        condition: ColumnElement[bool] = self.name_key(column) == func.lower(name)
        return condition

    def may_hold_words(self, table: Table, words: Sequence[str]) -> ColumnElement[bool]:
        """Return the condition by which repositories with these words are looked for."""
        return word_search.by_reading(table, words)

    def is_common(self, column: Column[Any], value: Any) -> ColumnElement[bool]:
        """Return that a column holds `value`, as most rows may: it is no way to find a few."""
        condition: ColumnElement[bool] = column == value
        return condition

    def is_among(self, column: Column[int], name: str) -> ColumnElement[bool]:
        """Return the condition that a column's value is in the list bound as `name`."""
        return column.in_(bindparam(name, expanding=True))

    def gather_statistics(self, engine: Engine) -> None:  # noqa: B027  # for PostgreSQL
        """Update the planner's statistics after the tables have grown; errors are ignored."""

    def leave_as_found(self) -> None:  # noqa: B027  # for SQLite
        """Remove what reading has made beside the ledger, once its connections are closed."""

    def shrink(self, engine: Engine) -> None:  # noqa: B027  # for SQLite
        """Give back disk space that only the largest transaction so far needed."""

    def continue_numbering(self, connection: Connection, table: Table) -> None:  # noqa: B027  # for PostgreSQL
        """Continue the table's sequence of ids after rows that were inserted with their ids."""

    def take_any_value(self, connection: Connection) -> None:  # noqa: B027  # for PostgreSQL, SQLite
        """Make `connection` return values without a Python type as text."""

    def is_streamable(self, statement: str) -> bool:  # noqa: ARG002  # for PostgreSQL
        """Return whether the rows of a user's statement can be fetched in batches."""
        return True

    # Statements for the driver itself, in half the time of SQLAlchemy's executemany

    def send(self, connection: Connection, statement: str, rows: list[tuple[Any, ...]]) -> None:
        """Write `rows` with a `statement` made by `insert` or `upsert`.

        There must be at least one row, and no two with the same key.
        """
        connection.exec_driver_sql(statement, rows)

    def adapt(self, value: Any) -> Any:
        """Return `value` in the driver's type; JSON as text."""
        if isinstance(value, (list, tuple, dict)):
            return msgspec.json.encode(value).decode()
        return value

    def insert(self, table: str, columns: Sequence[str]) -> str:
        """Return an INSERT of `columns`."""
        marks = ", ".join([self.mark] * len(columns))
        return f"INSERT INTO {self._name(table)} ({self._names(columns)}) VALUES ({marks})"  # noqa: S608  # our own names

    def upsert(
        self, table: str, key: Sequence[str], columns: Sequence[str], update: Sequence[str]
    ) -> str:
        """Return an INSERT of `columns` that updates `update` if the `key` exists already."""
        sets = ", ".join(f'"{column}" = excluded."{column}"' for column in update)
        action = f"DO UPDATE SET {sets}" if update else "DO NOTHING"
        return f"{self.insert(table, columns)} ON CONFLICT ({self._names(key)}) {action}"

    def _name(self, name: str) -> str:
        return f"{self.quote}{name}{self.quote}"

    def _names(self, columns: Sequence[str]) -> str:
        return ", ".join(map(self._name, columns))


def in_progress(account: str) -> RunInProgress:
    """Return the error of an account that another process is syncing."""
    return RunInProgress(
        f"another process is syncing the account {account}; wait for it to finish, or use --wait"
    )
