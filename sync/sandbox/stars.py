"""The star history of a repository, which agrees with its counter of stars."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sync.sandbox.registry import Repository
from sync.sandbox.star_history import Stars


def created_on(found: Repository, now: datetime) -> date:
    """The day on which a repository was created; today where it tells none."""
    try:
        return datetime.fromisoformat(found.text("created_at")).astimezone(UTC).date()
    except ValueError:
        return now.astimezone(UTC).date()


def settled(found: Repository, now: datetime) -> Stars:
    """The retained stars of a repository, made equal to its counter.

    At first all are of the day of its creation; what the counter gains later is of today.
    """
    today, created = now.astimezone(UTC).date(), created_on(found, now)
    count = found.fields.get("stargazers_count", 0) if isinstance(found.fields, dict) else 0
    if found.stars is None:
        found.stars = Stars(by_day={created: count} if count else {})
    found.stars.settle(count, created, max(today, created))
    return found.stars
