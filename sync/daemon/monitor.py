"""What the listener's pages are made of: the heartbeat, the accounts, the figures."""

from __future__ import annotations

import time
from collections.abc import Collection

import msgspec

from sync.clock import Clock
from sync.daemon import health
from sync.daemon.accounts import AccountState
from sync.daemon.http import Answer, Pages
from sync.daemon.jobs import is_alive
from sync.daemon.metrics import CONTENT_TYPE, Metrics
from sync.database.queries import Ledger
from sync.errors import RepoledgerError


class Monitor:
    """Answers how the daemon is. `heartbeat` is the time between two beats in seconds."""

    def __init__(self, metrics: Metrics, heartbeat: float, clock: Clock) -> None:
        self.heartbeat = heartbeat
        self._metrics = metrics
        self._clock = clock
        self._last_beat = time.monotonic()
        self._database = ""
        self._states: Collection[AccountState] = ()

    def watch(self, database: str, states: Collection[AccountState]) -> None:
        """Look at these accounts and this ledger (a URL) from now on."""
        self._database, self._states = database, states

    def beat(self) -> None:
        """Take note of a heartbeat."""
        self._last_beat = time.monotonic()

    def pages(self) -> Pages:
        """Return what to serve."""
        return {"/livez": self._livez, "/readyz": self._readyz, "/metrics": self._metricsz}

    def liveness(self) -> health.Health:
        """Return whether the daemon works."""
        age = time.monotonic() - self._last_beat
        return health.liveness(beat_age=age, heartbeat=self.heartbeat, scheduler_alive=is_alive())

    def _livez(self) -> Answer:
        return _as_json(self.liveness())

    def _readyz(self) -> Answer:
        problem = None
        try:
            Ledger(self._database).close()
        except RepoledgerError as error:
            problem = str(error)
        return _as_json(health.readiness(self._states, self._clock(), problem))

    def _metricsz(self) -> Answer:
        return Answer(200, CONTENT_TYPE, self._metrics.exposition(self._states))


def _as_json(verdict: health.Health) -> Answer:
    body = msgspec.json.encode(verdict.as_dict()) + b"\n"
    return Answer(200 if verdict.good else 503, "application/json", body)
