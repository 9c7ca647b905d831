"""Times in options: a date, a time, or an age."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

import click


def moment_of(text: str | None, option: str) -> datetime | None:
    """Parse a date, a time (UTC unless it has a zone) or an age."""
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
            "must be a date (2026-05-01), a UTC time (2026-05-01T12:00) or an age (7d, 12h)",
            param_hint=option,
        ) from None


def past_moment_of(text: str | None, option: str) -> datetime | None:
    """Parse like `moment_of`; a date means the end of that day in UTC, or now if it is today.

    A time in the future is wrong use: most are typing errors, and the present state must not
    be shown under such a time.
    """
    moment = moment_of(text, option)
    if moment is None:
        return None
    now = datetime.now(UTC)
    if moment > now:
        raise click.BadParameter(
            f"that is in the future (now {now:%Y-%m-%d %H:%M} UTC)", param_hint=option
        )
    return min(datetime.combine(moment, time.max, UTC), now) if _is_date(text) else moment


def time_of(moment: datetime) -> str:
    """Return a time for people: in UTC, with its date if that is not today."""
    moment = moment.astimezone(UTC)
    day = "" if moment.date() == datetime.now(UTC).date() else f"{moment:%Y-%m-%d} "
    return f"{day}{moment:%H:%M:%S} UTC"


# A daemon starts a due run within seconds; after this time, no daemon is running.
OVERDUE = timedelta(minutes=1)


def until(moment: datetime | None, now: datetime) -> str | None:
    """Return when a daemon does something next; overdue if no daemon seems to be running."""
    if moment is None:
        return None
    if moment > now:
        return f"in {age_of(moment - now)}"
    return "now" if now - moment < OVERDUE else f"overdue {age_of(now - moment)}"


def age_of(span: timedelta) -> str:
    """Return a span of time in its largest unit: "3 d", "20 min"."""
    seconds = max(int(span.total_seconds()), 0)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _is_date(text: str | None) -> bool:
    try:
        date.fromisoformat((text or "").strip())
    except ValueError:
        return False
    return True
