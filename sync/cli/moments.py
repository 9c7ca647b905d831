"""Times as people write them in options: a date, a time, an age."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

import click


def moment_of(text: str | None, option: str) -> datetime | None:
    """Parse a date, a time (UTC unless it says otherwise) or an age."""
    if text is None:
        return None
    age = re.fullmatch(r"(\d{1,5})\s*([mhdw])", text.strip())
    if age:
        unit = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[age[2]]
        return datetime.now(UTC) - timedelta(**{unit: int(age[1])})
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            "it must be a date (2026-05-01), a time (2026-05-01T12:00) or an age (7d, 12h)",
            param_hint=option,
        ) from None


def past_moment_of(text: str | None, option: str) -> datetime | None:
    """Parse what `moment_of` does, a date as the end of that day in UTC, or as now if it is today.

    What is yet to come is wrong use: the present, shown under that time, would
    look like knowledge of it, and most such times are slips of a digit.
    """
    moment = moment_of(text, option)
    if moment is None:
        return None
    now = datetime.now(UTC)
    if moment > now:
        raise click.BadParameter(
            f"it is yet to come: it is now {now:%Y-%m-%d %H:%M} UTC", param_hint=option
        )
    return min(datetime.combine(moment, time.max, UTC), now) if _is_date(text) else moment


def _is_date(text: str | None) -> bool:
    try:
        date.fromisoformat((text or "").strip())
    except ValueError:
        return False
    return True
