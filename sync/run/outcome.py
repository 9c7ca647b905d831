"""The outcome of a run, and the status that an error gives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from structlog import get_logger

from sync.core.clock import utc_now
from sync.core.errors import Interrupted, RateLimited, RemovalsWithheld, RepoledgerError
from sync.database.writes import RunCounts, RunStatus
from sync.load.loading import Loaded

log = get_logger("sync.runner")

_DEFAULT_DEFERRAL = timedelta(minutes=15)  # after a rate limit without a reset time


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """The outcome of a run, the same as its row in `sync_runs`.

    `run_id`: None if the run could not begin; then there is no row. `not_before`: the UTC
    time from which GitHub will answer again, for a deferred run and for one that ended
    while it waited for quota. `seconds`: the run's duration. `complete`: whether every page
    of the listing arrived. `loaded`: what was loaded of the resources. `forgotten`: whether the
    run was left out of the ledger, since it changed nothing.
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
    loaded: Loaded = field(default_factory=Loaded)
    forgotten: bool = False

    @property
    def is_unchanged(self) -> bool:
        """Whether it succeeded and found nothing to tell of: no change, no trouble."""
        counts, read = self.counts, self.loaded.counts.values()
        changed = counts.inserted + counts.updated + counts.removed + counts.withheld
        told = sum(each.stored + each.failed + each.lost_days for each in read)
        return self.status == "succeeded" and self.error is None and not (changed or told)

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
            "lost_days": self.loaded.lost_days,
            "waiting": sum(self.loaded.waiting.values()),
            "seconds": round(self.seconds, 3),
            "rate_limit_remaining": self.rate_limit_remaining,
            "error_type": self.error.code if self.error else None,
            "error_message": str(self.error) if self.error else None,
            "not_before": self.not_before.isoformat() if self.not_before else None,
        }


def judge(
    error: RepoledgerError | None, *, flawed: bool, now: datetime
) -> tuple[RunStatus, datetime | None]:
    """Return the final status of a run, and the time before which the next one must not start.

    `flawed`: whether items were rejected, organizations left out, days lost, or what was asked
    for by name was not given.
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
    """Log the summary of a run with every count; at level error if it failed."""
    if outcome.status == "failed":
        log.error("sync.run_failed", **outcome.as_dict())
    else:
        log.info("sync.run_finished", **outcome.as_dict())
