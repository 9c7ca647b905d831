"""Log events about a run's clock, its user and the cost of its listing."""

from __future__ import annotations

from structlog import get_logger

from sync.core.clock import wrong_by
from sync.run.forecast import Forecast

log = get_logger("sync.runner")


def log_clock(skew: float | None) -> None:
    """Log that this machine's clock is wrong: `skew` seconds ahead of the server's."""
    wrong = wrong_by(skew)
    if wrong is not None:
        log.warning("clock.wrong", message=f"this clock is {wrong}")


def log_identity_changed(before: str | None, now: str) -> None:
    """Log that the account's token belongs to another user than before."""
    log.warning("account.identity_changed", before=before, now=now)


def log_quota_shared(other: str) -> None:
    """Log that the account `other` belongs to the same user and shares the quota."""
    log.warning("account.quota_shared", other=other)


def log_forecast(forecast: Forecast) -> None:
    """Log the cost of a listing; at level warning if the quota is too small for it."""
    say = log.info if forecast.resets == 0 else log.warning
    enough_at = forecast.quota_enough_at
    say(
        "sync.forecast",
        pages=forecast.pages,
        requests=forecast.requests,
        seconds=round(forecast.seconds),
        available=forecast.available,
        hourly=forecast.hourly,
        reset=forecast.reset.isoformat() if forecast.reset else None,
        resets=forecast.resets,
        enough_at=enough_at.isoformat() if enough_at else None,
    )
