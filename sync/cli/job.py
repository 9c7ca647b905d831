"""What the accounts of one backfill, or of its dry run, have in common."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.config import Account, Config
    from sync.github.client import GitHubClient


class Job:
    """A backfill: its configuration, what stops it, how long it waits for quota (seconds)."""

    def __init__(self, config: Config, stop: threading.Event, max_wait: float | None) -> None:
        from sync.github.limits import SharedLimits

        self.config = config
        self.stop = stop
        self.limits = SharedLimits()
        self.max_wait = config.github.max_wait if max_wait is None else max_wait

    def client(self, account: Account) -> GitHubClient:
        """Return a client for an account. Raises ConfigError."""
        from sync.clients import client_for

        return client_for(
            account,
            self.config,
            os.environ,
            stop=self.stop,
            max_wait=self.max_wait,
            limits=self.limits,
        )

    def respect_deferral(
        self, account: Account, client: GitHubClient, not_before: datetime | None
    ) -> None:
        """Wait, or give up, if GitHub has said that it will not answer before a certain time.

        Raises RateLimited, Interrupted.
        """
        from sync.errors import Interrupted, RateLimited
        from sync.loggers import bound_contextvars

        if self.stop.is_set():
            raise Interrupted("stopped before it began")
        seconds = (not_before - datetime.now(UTC)).total_seconds() if not_before else 0
        if seconds > self.max_wait:
            raise RateLimited(
                "GitHub has asked to wait, longer than --max-wait allows",
                retry_at=not_before,
                sent=False,
            )
        if seconds > 0:
            with bound_contextvars(account=account.name):
                client.wait_for_limit(seconds)
