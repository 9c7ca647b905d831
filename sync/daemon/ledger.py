"""The ledger of a configuration, kept open as long as the daemon runs."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from sync.config import Account, Config
from sync.core.errors import RepoledgerError, RunInProgress
from sync.database import migrate
from sync.database.queries import Ledger
from sync.database.resource_standing import ResourceStanding
from sync.database.store import Store

Rows = Mapping[str, Mapping[str, Any]]  # rows of `Ledger.status`, by account
# Seconds to wait for another writer of a SQLite file: health checks have short timeouts, and a
# note for `repoledger status` must not keep a worker from due runs.
_PATIENCE = 2.0
_SOON = timedelta(days=3)  # figures that are lost within this time are warned of


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the resources of an account stand in the ledger.

    `resources`: those that are switched on, by name. `lost_days`: days of figures that the last
    day's runs found to be gone.
    """

    resources: Mapping[str, ResourceStanding] = field(default_factory=dict)
    lost_days: int = 0

    @property
    def next_at(self) -> datetime | None:
        """When something is due next, of what was read before."""
        times = (each.next_at for each in self.resources.values())
        return min((time for time in times if time is not None), default=None)

    def risk(self, now: datetime) -> str | None:
        """Return which figures are lost, or soon will be; None if none are."""
        problems = []
        soon = {n: r.lost_at for n, r in self.resources.items() if r.lost_at is not None}
        soon = {name: lost_at for name, lost_at in soon.items() if lost_at < now + _SOON}
        if soon:
            first = min(soon.values())
            problems.append(
                f"not read for long: {', '.join(sorted(soon))}; the first of it is lost at "
                f"{first:%Y-%m-%d %H:%M:%S} UTC"
            )
        if self.lost_days:
            problems.append(f"lost: figures of {self.lost_days} days, as the last day's runs found")
        return "; ".join(problems) or None


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

    def standings(self) -> dict[str, Standing]:
        """Return how the resources of each configured account stand, if that can be read."""
        found: dict[str, Standing] = {}
        with suppress(RepoledgerError):
            for each in self.config.accounts:
                found[each.name] = self.standing(each)
        return found

    def standing(self, account: Account) -> Standing:
        """Return how the resources stand that are read of an account."""
        chosen = {n: each for n, each in self.config.resources_of(account).items() if each.on}
        if not chosen:
            return Standing()
        return Standing(
            resources=self.reader.resource_standings(account.name, chosen),
            lost_days=self.reader.days_lost(account.name),
        )

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
