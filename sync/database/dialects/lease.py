"""A lease: a server's lock on a connection of its own, renewed by a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from sync.core.errors import RepoledgerError
from sync.database.failures import reason_of

log = get_logger("sync.database")

LEASE = 60  # seconds that a server keeps the lock of a silent connection
_BEAT = 10.0  # seconds between two signs of life
_FAREWELL = 2.0  # seconds that a server may take to free the lock


class LockName(NamedTuple):
    """The lock of `account` in the database named `where`.

    `free`: the statement that frees all locks of a connection.
    """

    account: str
    where: str
    free: str


class Lease:
    """A lock held on a connection of `engine`, between `take` and `give_back`.

    The server ends a connection that is silent for LEASE seconds: otherwise a frozen process,
    or one whose host has vanished, would keep the lock for hours. A lost lock is taken again
    as soon as it is free; if another run has begun meanwhile, the fence stops this one.
    """

    def __init__(
        self, engine: Engine, try_lock: Callable[[Connection], bool], name: LockName
    ) -> None:
        self._engine = engine
        self._try_lock = try_lock
        self._name = name
        self._connection: Connection | None = engine.connect()
        self._held = False
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="lock", daemon=True)

    def take(self) -> bool:
        """Take the lock, if it is free."""
        self._held = self._connection is not None and self._try_lock(self._connection)
        if self._held:
            self._keeper.start()
        return self._held

    def give_back(self) -> None:
        """Free the lock and close its connection, without waiting for a slow server."""
        self._over.set()
        if self._keeper.ident is None:  # never started
            self._close()
        else:
            self._keeper.join(_FAREWELL)

    def _keep(self) -> None:
        try:
            while not self._over.wait(_BEAT):
                self._beat()
        finally:
            # In this thread, since freeing the lock blocks if the network is down.
            self._free()

    def _beat(self) -> None:
        try:
            if self._connection is None:
                self._connection, self._held = self._engine.connect(), False
            if self._held:
                self._connection.exec_driver_sql("SELECT 1")
            else:
                self._held = self._try_lock(self._connection)
        except SQLAlchemyError as error:
            self._lost(reason_of(error))
        except RepoledgerError as error:
            self._lost(str(error))
        except Exception as error:  # no error of a driver may end this thread
            self._lost(type(error).__name__)

    def _free(self) -> None:
        if self._held and self._connection is not None:
            # First the locks, since a server notices a closed connection late.
            with suppress(SQLAlchemyError):
                self._connection.exec_driver_sql(self._name.free)
        self._close()

    def _lost(self, reason: str) -> None:
        if self._connection is None or self._over.is_set():
            return  # logged already, or given back
        self._close()
        told = f"{self._name.where}: {reason}"
        log.warning("database.lock_lost", account=self._name.account, message=told)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()
