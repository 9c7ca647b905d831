"""A lock of a server's that lives on a connection of its own, and is kept alive there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from sync.database.failures import reason_of
from sync.errors import RepoledgerError
from sync.loggers import get_logger

log = get_logger("sync.database")

LEASE = 60  # seconds that a server keeps the lock of a process that shows no sign of life
_BEAT = 10.0  # seconds between two signs of life
_FAREWELL = 2.0  # seconds that a server may take to free the lock


class LockName(NamedTuple):
    """Which lock: of `account`, at the database that people know as `where`.

    `free` is the statement that gives back every lock of a connection.
    """

    account: str
    where: str
    free: str


class Lease:
    """A lock held on `engine`'s connection, between `take` and `give_back`.

    The server ends a connection that is silent for LEASE seconds. A process
    that is frozen, or whose host has vanished, does not close its connection,
    and would keep the lock for hours. A lock that was lost is taken again as
    soon as it is free: if another run has begun meanwhile, the fence stops this one.
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
        """Free the lock and close its connection; a server that is slow is not waited for."""
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
            # In this thread, since a line that no longer forwards anything answers nothing.
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

    def _free(self) -> None:
        if self._held and self._connection is not None:
            # A server takes its time to notice that a connection was closed.
            with suppress(SQLAlchemyError):
                self._connection.exec_driver_sql(self._name.free)
        self._close()

    def _lost(self, reason: str) -> None:
        if self._connection is None or self._over.is_set():
            return  # told already, or nobody's loss
        self._close()
        told = f"{self._name.where}: {reason}"
        log.warning("database.lock_lost", account=self._name.account, message=told)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()
