"""What the daemon answers when asked how it is: decided here, served by `http.py`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sync.daemon.accounts import AccountState

# Heartbeats that may be missing before the daemon is called dead.
_MISSING_BEATS = 3
_LEAST_PATIENCE = 10.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """An answer: whether all is well, and the details, flat enough for a person and for JSON."""

    good: bool
    details: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"status": "ok" if self.good else "not ok", **self.details}


def liveness(*, beat_age: float, heartbeat: float, scheduler_alive: bool) -> Health:
    """Return whether the daemon works; `beat_age` is the age of its last heartbeat in seconds."""
    late = beat_age > max(heartbeat * _MISSING_BEATS, _LEAST_PATIENCE)
    details: dict[str, Any] = {"heartbeat_age_seconds": round(beat_age, 1)}
    if late:
        details["problem"] = "the heartbeat has stopped"
    elif not scheduler_alive:
        details["problem"] = "the scheduler has stopped"
    return Health(good="problem" not in details, details=details)


def readiness(
    states: Iterable[AccountState], now: datetime, database_problem: str | None
) -> Health:
    """Return whether the ledger can be relied upon, and if not, what is wrong with what."""
    accounts = {state.name: state.problem(now) for state in states}
    problems = {name: problem for name, problem in accounts.items() if problem is not None}
    return Health(
        good=not problems and database_problem is None,
        details={"database": database_problem or "ok", "accounts": len(accounts)}
        | ({"problems": problems} if problems else {}),
    )
