"""What the ledger asks of a database: what is different from one to the next, and nothing else."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Engine, Table, bindparam, func
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError

from sync.errors import RunInProgress
from sync.finding import Finding

# A name of our own: a database may hold other programs' tables, and theirs may
# be Alembic's usual one.
VERSION_TABLE = "repoledger_schema"
LOCK_POLL = 0.2  # seconds between two looks at a lock that another process holds


class Dialect(ABC):
    """A database at a URL, and the statements that it takes."""

    # How an upsert quotes a name, marks a parameter, and refers to the row that was to be inserted.
    quote = '"'
    mark = "?"
    # The isolation at which a transaction sees one state throughout; None where each one does.
    snapshot_level: Literal["REPEATABLE READ"] | None = None

    @property
    @abstractmethod
    def where(self) -> str:
        """What people are told of it."""

    def exists(self) -> bool:
        """Tell whether there is a database to read at all."""
        return True

    @abstractmethod
    def writing_engine(
        self, stop: threading.Event | None = None, *, create: bool = False
    ) -> Engine:
        """Return an engine for writers. Setting `stop` shortens their waits for others.

        With `create`, a database that is only a file is made if it is not there.
        """

    @abstractmethod
    def reading_engine(self) -> Engine:
        """Return an engine whose connections can do nothing but read."""

    @abstractmethod
    def account_lock(
        self, account: str, *, wait: bool, stop: threading.Event | None = None
    ) -> AbstractContextManager[None]:
        """Hold the lock on one account's runs, which goes with the process that holds it.

        With `wait`, waits until it is free or `stop` is set. Raises RunInProgress, Interrupted.
        """

    @abstractmethod
    def is_same_as(self, other: Dialect) -> bool:
        """Tell whether both are one database, however their URLs are written."""

    @abstractmethod
    def migration_lock(self, connection: Connection) -> AbstractContextManager[None]:
        """Keep other processes from migrating, while `connection`'s transaction does.

        Raises DatabaseUnusable, Interrupted.
        """

    def kept_copy(
        self,
        revision: str,  # noqa: ARG002  # for files
        stop: threading.Event | None = None,  # noqa: ARG002  # as above
    ) -> AbstractContextManager[Path | None]:
        """Keep a copy of a ledger at `revision` before the block changes its schema.

        Gives where it is; None for a server, whose owner takes a dump.
        To be called under the lock on migrations.
        """
        return nullcontext()

    def one_writer(self, connection: Connection) -> None:  # noqa: B027  # for servers
        """Wait until no other transaction writes pages, and let none begin until this one ends.

        To be called first in a transaction. Two accounts that list the same
        repository would both find it new, or both log the same change. Raises Interrupted.
        """

    def blames_row(self, error: DBAPIError) -> bool:
        """Tell whether a single bad row can have caused `error`.

        A lost connection or a full disk is none of these.
        """
        return isinstance(error, (IntegrityError, DataError, InterfaceError))

    def too_long(self, connection: Connection, texts: Iterable[str]) -> str | None:  # noqa: ARG002  # for servers
        """Return why a row with these texts cannot be sent at all; None if it can."""
        return None

    def check_constraints(self, connection: Connection) -> None:  # noqa: B027  # for SQLite, PostgreSQL
        """Find out now what the end of the transaction would be refused for.

        Raises IntegrityError, or QueryRefused.
        """

    def erase(self, connection: Connection) -> None:  # noqa: B027  # for SQLite
        """Have what this transaction deletes overwritten, where the database can be told to."""

    def may_pass(self, error: DBAPIError) -> bool:  # noqa: ARG002  # for servers
        """Tell whether a transaction that ended in `error` may succeed if it is done again."""
        return False

    @abstractmethod
    def findings(self, newest: str) -> Iterator[Finding]:
        """Yield what is good and bad about the database and the rights in it, writing nothing.

        `newest` is the revision of the schema that the program needs: a ledger
        at another one is to be migrated. Raises DatabaseError.
        """

    def in_code_point_order(self, column: Column[Any]) -> ColumnElement[Any]:
        """Return what to order by, so that texts come as Python sorts them."""
        return column

    def is_name(self, column: Column[Any], name: str) -> ColumnElement[bool]:
        """Return that a column of full names holds `name`, in any case, as an index of it has it.

        Of former names, only with the condition that the change is one of a name.
        """
        return func.lower(column) == func.lower(name)

    def is_among(self, column: Column[int], name: str) -> ColumnElement[bool]:
        """Return that a column's value is among the numbers that are given as `name`."""
        return column.in_(bindparam(name, expanding=True))

    def gather_statistics(self, engine: Engine) -> None:  # noqa: B027  # for PostgreSQL
        """Have the database learn how its tables have grown, by which it plans how to look up.

        Whether it can is no condition of anything.
        """

    def continue_numbering(self, connection: Connection, table: Table) -> None:  # noqa: B027  # for PostgreSQL
        """Have the table's next row numbered after those that were inserted with their numbers."""

    # Statements, as the driver takes them: half the time of SQLAlchemy's own executemany.

    def send(self, connection: Connection, statement: str, rows: list[tuple[Any, ...]]) -> None:
        """Write `rows` with a `statement` that `insert` or `upsert` made.

        There is at least one, and no two have the same key.
        """
        connection.exec_driver_sql(statement, rows)

    def adapt(self, value: Any) -> Any:
        """Return `value` as the driver takes it; JSON as text."""
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
        """Return an INSERT of `columns` that updates only `update` where `key` is there already."""
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
