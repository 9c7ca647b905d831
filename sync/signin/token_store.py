"""The interface of the two token stores: a file, and the keyring."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync.core.errors import ConfigError
from sync.core.waiting import Unanswered, taken

_LOCK_PATIENCE = 60.0  # seconds; the lock's holder asks GitHub for a new token


class TokenStore(ABC):
    """Stores one account's token; `str` of it is its name for people.

    Each method raises ConfigError. Setting `stop` ends reading and the wait for the lock with
    Interrupted. Writing is not interrupted, so that an issued token is not lost.
    """

    def __init__(self, account: str, stop: threading.Event | None = None) -> None:
        self.account = account
        self._stop = stop

    @abstractmethod
    def require(self) -> None:
        """Raise ConfigError if no token can be stored here."""

    @abstractmethod
    def read(self) -> str:
        """Return the stored text of the token."""

    @abstractmethod
    def write(self, secret: str) -> None:
        """Replace the old token by `secret`, in full or not at all."""

    @abstractmethod
    def remove(self) -> bool:
        """Delete the token; tell whether there was one."""

    @abstractmethod
    def lock_file(self) -> Path:
        """Return the file of the lock. Raises OSError."""

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock, so that other processes and threads cannot change the token."""
        lock, reason = None, None
        try:
            lock = taken(self.lock_file(), patience=_LOCK_PATIENCE, stop=self._stop)
        except Unanswered:
            reason = f"another process has been changing it for {_LOCK_PATIENCE:g} s"
        except OSError as error:
            reason = f"{error.filename}: {error.strerror}"
        if lock is None:
            raise ConfigError(f"account {self.account}: {self} cannot be changed: {reason}")
        try:
            yield
        finally:
            lock.release()
