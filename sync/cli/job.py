"""The parts that all accounts of a backfill, or of a dry run, share."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sync.config import Account, Config
    from sync.database.store import Store
    from sync.forges.forge import Forge
    from sync.run.outcome import RunOutcome
    from sync.run.progress import Progress


class Job:
    """A backfill: its configuration and stop event.

    `max_wait`: longest wait for quota (seconds); None for that of each account's host.
    """

    def __init__(self, config: Config, stop: threading.Event, max_wait: float | None) -> None:
        from sync.forges.limits import SharedLimits

        self.config = config
        self.stop = stop
        self.limits = SharedLimits()
        self._max_wait = max_wait

    def client(self, account: Account) -> Forge:
        """Return a client for an account. Raises ConfigError."""
        from sync.signin.clients import client_for

        return client_for(
            account,
            self.config,
            os.environ,
            stop=self.stop,
            max_wait=self._max_wait,
            limits=self.limits,
        )

    def sync(
        self,
        account: Account,
        client: Forge,
        store: Store,
        progress: Progress,
        trigger: str,
        **asked: Any,
    ) -> RunOutcome:
        """Sync an account into `store`, after a noted wait; `asked` as in `RunOptions.of`.

        Raises RepoledgerError if the run cannot begin.
        """
        from sync.run.options import RunOptions
        from sync.run.run import run_account

        client.on_wait = progress.waiting
        self._respect_deferral(
            account, client, store.deferred_until(account.name, client.identity_key)
        )
        options = RunOptions.of(account, self.config, trigger, **asked)
        return run_account(options, client, store, progress=progress, limits=self.limits)

    def _respect_deferral(
        self, account: Account, client: Forge, not_before: datetime | None
    ) -> None:
        """Wait, or give up, if GitHub has asked to wait until a certain time.

        Raises RateLimited, Interrupted.
        """
        from structlog.contextvars import bound_contextvars

        from sync.core.errors import Interrupted, RateLimited

        if self.stop.is_set():
            raise Interrupted("stopped before the run began")
        seconds = (not_before - datetime.now(UTC)).total_seconds() if not_before else 0
        most = self.config.forge_of(account).max_wait if self._max_wait is None else self._max_wait
        if seconds > most:
            raise RateLimited(
                "GitHub has asked to wait longer than --max-wait allows",
                retry_at=not_before,
                sent=False,
            )
        if seconds > 0:
            with bound_contextvars(account=account.name):
                client.wait_for_limit(seconds)
