"""Write transactions of a ledger, which check that its schema is this program's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection
from structlog import get_logger

from sync.core.errors import DatabaseError
from sync.database import migrate
from sync.database.dialects import Dialect
from sync.database.failures import TransientDatabaseError, translated

T = TypeVar("T")
log = get_logger("sync.database")

_PAUSES = (0.1, 0.5, 2.0, 5.0)  # seconds before each repetition after a transient error


class Transactions:
    """The write transactions of this process. Setting `stop` ends their waits."""

    def __init__(self, dialect: Dialect, stop: threading.Event | None) -> None:
        migrate.revisions()  # cached now: an update may replace the program's files later
        self.dialect = dialect
        self.engine = dialect.writing_engine(stop)
        self._stop = stop or threading.Event()
        self._away: set[str] = set()  # accounts whose last transaction failed after all retries

    def require_version(self, version: object) -> None:
        """Raise SchemaTooNew or SchemaOutdated if another version has migrated the schema."""
        migrate.require_current(str(version), self.dialect.where)

    def require_schema(self, connection: Connection) -> None:
        """Read the schema's version with `connection`, and do the same."""
        self.require_version(connection.exec_driver_sql(migrate.READ_VERSION).scalar())

    @contextmanager
    def writing(self, **options: Any) -> Iterator[Connection]:
        """Yield a transaction without retries, on a connection with `options`."""
        engine = self.engine.execution_options(**options)
        with translated(self.dialect.where), engine.begin() as connection:
            self.require_schema(connection)
            yield connection

    def again(self, account: str, work: Callable[[Connection], T]) -> T:
        """Do `work` for an account in a transaction, with retries after transient errors.

        If all retries have failed, the account's next transaction gets one attempt only.
        """
        pauses = () if account in self._away else _PAUSES
        self._away.discard(account)
        for pause in pauses:
            try:
                return self._once(work)
            except TransientDatabaseError as error:
                log.warning("database.retry_scheduled", message=str(error), seconds=pause)
                self._stop.wait(pause)
        try:
            return self._once(work)
        except TransientDatabaseError as error:
            self._away.add(account)
            raise DatabaseError(str(error)) from None

    def _once(self, work: Callable[[Connection], T]) -> T:
        with (
            translated(self.dialect.where, self.dialect.is_transient),
            self.engine.begin() as connection,
        ):
            return work(connection)
