"""What databases on a server have in common; apart, since a SQLite file needs no lease."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError

from sync.database.dialects.base import LOCK_POLL, VERSION_TABLE, Dialect, in_progress
from sync.database.dialects.lease import Lease, LockName
from sync.database.failures import translated
from sync.errors import Interrupted, RunInProgress
from sync.finding import Finding

_PLACES = ("host", "port", "unix_socket")  # options that say where a server is
_NOTICED = 1.0  # seconds that a server may need to see that the holder of a lock has ended
_ROW_PATIENCE = 60.0  # seconds that a page waits for the one before it


class ServerDialect(Dialect):
    """A database on a server; `where` is its URL without the password."""

    driver: str
    # The codes of errors that pass: deadlocks, servers that restart or change roles.
    passing: frozenset[str | int]
    free_locks: str  # the statement that gives back every account's lock of a connection
    waited_in_vain: str | int  # the code of a statement that another transaction kept waiting
    mark = "%s"
    snapshot_level = "REPEATABLE READ"

    def __init__(self, url: str) -> None:
        self.url: URL = make_url(url).set(drivername=self.driver)

    @property
    def where(self) -> str:
        # Of the options only those that say where: others may hold secrets.
        places = {key: self.url.query[key] for key in _PLACES if key in self.url.query}
        name = self.driver.partition("+")[0]
        return self.url.set(drivername=name, query=places).render_as_string()

    def findings(self, newest: str) -> Iterator[Finding]:
        # As a run would connect, since what its sessions may do is the question.
        engine = self.writing_engine()
        try:
            with translated(self.where), engine.connect() as connection:
                yield from list(self.examined(connection, newest))
        finally:
            engine.dispose()

    @abstractmethod
    def examined(self, connection: Connection, newest: str) -> Iterator[Finding]:
        """Yield the findings of a server that could be connected to."""

    @contextmanager
    def account_lock(
        self, account: str, *, wait: bool, stop: threading.Event | None = None
    ) -> Iterator[None]:
        """Hold the lock on a connection of its own: the server frees it with that."""
        stop = stop or threading.Event()
        name = account.lower()
        with translated(self.where):
            lease = Lease(
                self.locking_engine(),
                lambda connection: self.try_lock(connection, name),
                LockName(account, self.where, self.free_locks),
            )
        try:
            asked = time.monotonic()
            while not lease.take():
                if not wait and time.monotonic() > asked + _NOTICED:
                    raise in_progress(account)
                if stop.wait(LOCK_POLL):
                    raise Interrupted("stopped while waiting for another run")
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
            except RunInProgress:  # what is locked on the one side is locked on the other
                return True

    @abstractmethod
    def locking_engine(self) -> Engine:
        """Return an engine, without a pool, for connections that hold a lock.

        The server ends one that is silent for LEASE seconds.
        """

    @abstractmethod
    def try_lock(self, connection: Connection, account: str) -> bool:
        """Take the lock on an account's runs, if it is free, for as long as `connection` lives."""

    def one_writer(self, connection: Connection) -> None:
        # A row that is always there; the lock on it goes with the transaction.
        row = f"SELECT version_num FROM {VERSION_TABLE} FOR UPDATE"  # noqa: S608  # our own name
        asked = time.monotonic()
        while True:
            try:
                return self.lock_row(connection, row)
            except DBAPIError as error:
                waited = time.monotonic() - asked
                if self.code_of(error) != self.waited_in_vain or waited > _ROW_PATIENCE:
                    raise
            pause(connection, 0)

    @abstractmethod
    def lock_row(self, connection: Connection, statement: str) -> None:
        """Carry out a statement, the first of a transaction, that waits a second for a row.

        If that was in vain, another can follow.
        """

    def may_pass(self, error: DBAPIError) -> bool:
        return error.connection_invalidated or self.code_of(error) in self.passing

    @abstractmethod
    def code_of(self, error: DBAPIError) -> str | int | None:
        """Return the database's code for an error."""


def pause(connection: Connection, seconds: float) -> None:
    """Let others go first. Raises Interrupted if whoever has opened `connection` is to stop."""
    stop: threading.Event = connection.get_execution_options()["stop"]
    if stop.wait(seconds):
        raise Interrupted("stopped while another program held the database")
