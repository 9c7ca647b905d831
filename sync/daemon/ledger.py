"""The ledger of a configuration, kept open as long as the daemon runs."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sync.config import Config
from sync.core.errors import RepoledgerError, RunInProgress
from sync.database import migrate
from sync.database.queries import Ledger
from sync.database.store import Store

Rows = Mapping[str, Mapping[str, Any]]  # rows of `Ledger.status`, by account
# Seconds to wait for another writer of a SQLite file: health checks have short timeouts, and a
# note for `repoledger status` must not keep a worker from due runs.
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class OpenLedger:
    """A configuration and its open ledger, for writing (`store`) and reading (`reader`)."""

    config: Config
    store: Store
    reader: Ledger

    @classmethod
    def open(cls, config: Config, stop: threading.Event) -> Self:
        """Open the ledger of `config`. Raises DatabaseError.

        It stays open: closing a SQLite file as its last user checkpoints it, and connecting to
        a server costs time.
        """
        url = config.database.url
        migrate.prepare(url, config.database.migrate, stop)
        reader = Ledger(url)
        return cls(config, Store(url, stop=stop), reader)

    def close(self) -> None:
        """Close every connection; a later use opens new ones."""
        self.store.close()
        self.reader.close()

    def rows(self) -> Rows:
        """Return the status of each account in the ledger, by name."""
        return {row["account"]: row for row in self.reader.status(counted=False)}

    def problem(self) -> str | None:
        """Return why the ledger cannot be read or written; None if it can."""
        try:
            self.reader.require_current()
            self.store.require_writable(_PATIENCE)
        except RepoledgerError as error:
            return str(error)
        return None

    def mend(self) -> None:
        """Record runs whose process died as interrupted, also of removed accounts."""
        for name in self.store.accounts_running():
            with suppress(RunInProgress), self.store.lock(name):
                self.store.interrupt_stale_run(name)

    def heal(self, stop: threading.Event) -> None:
        """Create the ledger again after somebody deleted it, if migrations are automatic."""
        with suppress(RepoledgerError):
            migrate.prepare(self.config.database.url, self.config.database.migrate, stop)

    def note_next_runs(self, times: Mapping[str, datetime | None]) -> None:
        """Note the next runs for `repoledger status`; errors are ignored."""
        with suppress(RepoledgerError, OSError):
            self.store.note_next_runs(times, _PATIENCE)

    def leave(self, accounts: Collection[str], stuck: Collection[str]) -> None:
        """Close the ledger: no run of `accounts` is planned, those of `stuck` are interrupted."""
        with suppress(RepoledgerError, OSError):
            for name in stuck:
                self.store.interrupt_stale_run(name)
            self.store.note_next_runs(dict.fromkeys(accounts), _PATIENCE)
        self.close()
