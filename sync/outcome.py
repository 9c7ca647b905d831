"""How a run ended, as a value; and how an error becomes a status."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from sync.clock import utc_now
from sync.database.rows import RunCounts, RunStatus
from sync.errors import Interrupted, RateLimited, RemovalsWithheld, RepoledgerError
from sync.loggers import get_logger

log = get_logger("sync.runner")

# For a limit that names no time.
_DEFAULT_DEFERRAL = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """How a run ended: the same as its row in `sync_runs`.

    `run_id` is None if the run could not even begin, and then there is no row.
    `not_before` is set on a deferred run: the UTC time from which GitHub will
    answer again. `seconds` is how long it took. `complete` is whether every
    page of the listing arrived.
    """

    run_id: int | None
    account: str
    status: RunStatus
    complete: bool = False
    counts: RunCounts = field(default_factory=RunCounts)
    seconds: float = 0.0
    rate_limit_remaining: int | None = None
    error: RepoledgerError | None = None
    not_before: datetime | None = None

    @classmethod
    def not_begun(cls, account: str, error: RepoledgerError) -> Self:
        """Return the outcome of a run that could not begin because of `error`."""
        status, not_before = judge(error, flawed=False, now=utc_now())
        return cls(run_id=None, account=account, status=status, error=error, not_before=not_before)

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as flat values, for a log line or JSON."""
        return {
            "run_id": self.run_id,
            "account": self.account,
            "status": self.status,
            "complete": self.complete,
            **self.counts.as_dict(),
            "seconds": round(self.seconds, 3),
            "rate_limit_remaining": self.rate_limit_remaining,
            "error_type": type(self.error).__name__ if self.error else None,
            "error_message": str(self.error) if self.error else None,
            "not_before": self.not_before.isoformat() if self.not_before else None,
        }


def judge(
    error: RepoledgerError | None, *, flawed: bool, now: datetime
) -> tuple[RunStatus, datetime | None]:
    """Return the status that a run ends with, and when the account may be synced again.

    `flawed` is whether items were rejected or organizations left out.
    """
    if isinstance(error, RateLimited):
        return "deferred", error.retry_at or now + _DEFAULT_DEFERRAL
    if isinstance(error, Interrupted):
        return "interrupted", None
    if isinstance(error, RemovalsWithheld):
        return "partial", None
    if error is not None:
        return "failed", None
    return ("partial" if flawed else "succeeded"), None


def log_outcome(outcome: RunOutcome) -> None:
    """Log the one line of a run: every count, at error level if it failed."""
    if outcome.status == "failed":
        log.error("sync.run_failed", **outcome.as_dict())
    else:
        log.info("sync.run_finished", **outcome.as_dict())
