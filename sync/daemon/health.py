"""The daemon's health: judged by pure functions, served as pages by `http.py`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from sync.core.clock import Clock
from sync.daemon.accounts import Accounts, AccountState
from sync.daemon.http import Answer, Pages
from sync.daemon.jobs import Jobs
from sync.daemon.metrics import CONTENT_TYPE, Metrics
from sync.daemon.runs import Runs

_MISSING_BEATS = 3  # late heartbeats after which the daemon counts as dead
_LEAST_PATIENCE = 10.0  # seconds, if heartbeats are more frequent


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The result of a health check, with details as flat JSON values."""

    good: bool
    details: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"status": "ok" if self.good else "not ok", **self.details}


def liveness(
    *, beat_age: float, heartbeat: float, scheduler_alive: bool, silent: Mapping[str, float]
) -> Health:
    """Return whether the daemon works.

    `beat_age`: seconds since its last heartbeat. `silent`: accounts whose run shows no sign of
    life, with the seconds of silence.
    """
    late = beat_age > max(heartbeat * _MISSING_BEATS, _LEAST_PATIENCE)
    details: dict[str, Any] = {"heartbeat_age_seconds": round(beat_age, 1)}
    if late:
        details["problem"] = "the heartbeat has stopped"
    elif not scheduler_alive:
        details["problem"] = "the scheduler has stopped"
    elif silent:
        runs = ", ".join(f"{name} for {seconds:.0f} s" for name, seconds in silent.items())
        details["problem"] = f"a run has shown no sign of life: {runs}"
    return Health(good="problem" not in details, details=details)


def readiness(
    states: Iterable[AccountState], now: datetime, database_problem: str | None
) -> Health:
    """Return whether every account is current and the database works; else each problem.

    Figures that are lost, or soon will be, are a warning: nothing that waits for readiness can
    bring them back.
    """
    states = list(states)
    accounts = {state.name: state.problem(now) for state in states}
    problems = {name: problem for name, problem in accounts.items() if problem is not None}
    risks = {state.name: state.standing.risk(now) for state in states}
    warnings = {name: risk for name, risk in risks.items() if risk is not None}
    return Health(
        good=not problems and database_problem is None,
        details={"database": database_problem or "ok", "accounts": len(accounts)}
        | ({"problems": problems} if problems else {})
        | ({"warnings": warnings} if warnings else {}),
    )


class Monitor:
    """Answers /livez, /readyz and /metrics. `heartbeat`: seconds between two heartbeats."""

    def __init__(
        self,
        accounts: Accounts,
        jobs: Jobs,
        runs: Runs,
        metrics: Metrics,
        heartbeat: float,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._jobs = jobs
        self._runs = runs
        self._metrics = metrics
        self._heartbeat = heartbeat
        self._clock = clock
        self._last_beat = time.monotonic()

    def beat(self) -> Health:
        """Record a heartbeat, and return whether the daemon works."""
        self._last_beat = time.monotonic()
        return self._liveness()

    def pages(self) -> Pages:
        """Return the pages to serve, by path."""
        return {
            "/livez": lambda: _as_json(self._liveness()),
            "/readyz": lambda: _as_json(self._readiness()),
            "/metrics": lambda: Answer(200, CONTENT_TYPE, self._metrics.exposition()),
        }

    def _liveness(self) -> Health:
        return liveness(
            beat_age=time.monotonic() - self._last_beat,
            heartbeat=self._heartbeat,
            scheduler_alive=self._jobs.is_alive(),
            silent=self._runs.silent(),
        )

    def _readiness(self) -> Health:
        problem = self._accounts.ledger.problem()
        return readiness(self._accounts.states(), self._clock(), problem)


def _as_json(health: Health) -> Answer:
    body = msgspec.json.encode(health.as_dict()) + b"\n"
    return Answer(200 if health.good else 503, "application/json", body)
