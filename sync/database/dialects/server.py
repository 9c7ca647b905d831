"""The base class for databases on a server; SQLite does not import it."""

from __future__ import annotations

import math
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError

from sync.core.errors import (
    Interrupted,
    RepoledgerError,
    RunInProgress,
)
from sync.core.extras import needed_for
from sync.core.memory import is_exhausted
from sync.core.waiting import TICK, Unanswered, ask, wait_until
from sync.database.dialects.base import VERSION_TABLE, Dialect, in_progress
from sync.database.dialects.lease import Lease, LockName
from sync.database.failures import translated

_PLACES = ("host", "port", "unix_socket")  # options with a server's address
_NOTICED = 1.0  # seconds that a server may need to notice the end of a lock's holder
_NAME_PATIENCE = 20.0  # seconds for the name servers
_ROW_PATIENCE = 60.0  # seconds that a page waits for another account's page


class ServerDialect(Dialect):
    """A database on a server; `where` is its URL without the password."""

    product: str
    driver: str
    library: str  # of the driver, as pip takes it
    transient: frozenset[str | int]  # codes of errors after which a transaction is repeated
    free_locks: str  # the statement that frees all account locks of a connection
    lock_timeout_code: str | int  # of a statement that has waited too long for a lock
    mark = "%s"
    snapshot_level = "REPEATABLE READ"

    def __init__(self, url: str) -> None:
        self.url: URL = make_url(url).set(drivername=self.driver)

    @property
    def where(self) -> str:
        # Only options with the address: others may contain secrets.
        places = {key: self.url.query[key] for key in _PLACES if key in self.url.query}
        return self.url.set(drivername=self.name, query=places).render_as_string()

    def made_engine(self, connect: Callable[..., Any], **options: Any) -> Engine:
        """Return an engine whose connections `connect(dialect, arguments, options)` makes.

        Other exceptions of a driver, from another kind of server, become the driver's own
        errors. Raises ConfigError if the driver is not installed.
        """
        with needed_for(f"a ledger on {self.product}", self.library):
            engine = create_engine(self.url, **options)
        driver: Any = engine.dialect.loaded_dbapi
        stop = options.get("execution_options", {}).get("stop")

        def guarded(dialect: Any, _: object, arguments: Any, options: Any) -> Any:
            patience = _patience_with(options)
            try:
                return _connected(lambda: connect(dialect, arguments, options), patience, stop)
            except Unanswered:
                reason = (
                    "timeout expired: neither the name servers nor the server have answered within "
                    f"{patience:g} s"
                )
                raise driver.OperationalError(reason) from None
            except Exception as error:
                if isinstance(error, (driver.Error, Interrupted)) or is_exhausted(error):
                    raise
                reason = str(error) or type(error).__name__
            raise driver.InterfaceError(f"the driver cannot connect: {reason}")

        def foreign(context: ExceptionContext) -> None:
            error = context.original_exception
            ours = (driver.Error, RepoledgerError, UnicodeEncodeError)
            if isinstance(error, ours) or is_exhausted(error):
                return
            if isinstance(error, Exception):
                reason = f"the driver failed: {type(error).__name__}: {error}"
                raise InterfaceError(None, None, driver.InterfaceError(reason)) from None

        event.listen(engine, "do_connect", guarded)
        event.listen(engine, "handle_error", foreign)
        return engine

    @contextmanager
    def account_lock(
        self, account: str, *, wait: bool, stop: threading.Event | None = None
    ) -> Iterator[None]:
        """Hold the lock on a connection of its own, at whose end the server frees it."""
        name = account.lower()
        with translated(self.where):
            lease = Lease(
                self.locking_engine(),
                lambda connection: self.try_lock(connection, name),
                LockName(account, self.where, self.free_locks),
            )
        try:
            deadline = math.inf if wait else time.monotonic() + _NOTICED
            try:
                wait_until(lease.take, deadline=deadline, stop=stop, every=TICK)
            except Unanswered:
                raise in_progress(account) from None
            yield
        finally:
            lease.give_back()

    def is_same_as(self, other: Dialect) -> bool:
        if type(self) is not type(other):
            return False
        name = f"copy {uuid4().hex}"
        with self.account_lock(name, wait=False):
            try:
                with other.account_lock(name, wait=False):
                    return False
            except RunInProgress:  # both URLs lead to the same lock
                return True

    @abstractmethod
    def locking_engine(self) -> Engine:
        """Return an engine without a connection pool, for connections that hold a lock.

        The server must end such a connection after LEASE seconds of silence.
        """

    @abstractmethod
    def try_lock(self, connection: Connection, account: str) -> bool:
        """Take an account's lock, if it is free, until `connection` is closed."""

    def one_writer(self, connection: Connection) -> None:
        # A lock on a row that always exists; it ends with the transaction.
        row = f"SELECT version_num FROM {VERSION_TABLE} FOR UPDATE"  # noqa: S608  # our own name
        asked = time.monotonic()
        while True:
            try:
                return self.lock_row(connection, row)
            except DBAPIError as error:
                waited = time.monotonic() - asked
                if self.code_of(error) != self.lock_timeout_code or waited > _ROW_PATIENCE:
                    raise
            pause(connection, 0)

    @abstractmethod
    def lock_row(self, connection: Connection, statement: str) -> None:
        """Execute a transaction's first statement, which locks a row, and wait a second at most.

        After a lock timeout, the transaction must accept further statements.
        """

    def is_transient(self, error: DBAPIError) -> bool:
        return error.connection_invalidated or self.code_of(error) in self.transient

    @abstractmethod
    def code_of(self, error: DBAPIError) -> str | int | None:
        """Return the database's code for an error."""


def _patience_with(options: Mapping[str, Any]) -> float:
    """Return the seconds to wait for a connection: for name servers, and for each host."""
    hosts = str(options.get("host") or "").count(",") + 1
    return _NAME_PATIENCE + hosts * float(options["connect_timeout"])


def _connected(connect: Callable[[], Any], patience: float, stop: threading.Event | None) -> Any:
    """Return the connection of `connect`, by `ask`: a look-up of a name cannot be interrupted."""
    made: list[Any] = []

    def make() -> Any:
        made.append(connect())
        return made[0]

    def close() -> None:
        for connection in made:
            connection.close()

    return ask(make, patience=patience, stop=stop, too_late=close)


def pause(connection: Connection, seconds: float) -> None:
    """Wait, so that other writers come first. Raises Interrupted if the program is to stop."""
    stop: threading.Event = connection.get_execution_options()["stop"]
    if stop.wait(seconds):
        raise Interrupted("stopped while another program held the database")
