"""Times in options, as people say them: a date, a time, an age, yesterday, last week."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta

import click

ACCEPTED = (
    "a date (2026-05-01), a month (2026-05), a UTC time (2026-05-01T12:00), an age (12h, 7d, "
    "30d ago, 2 weeks, 1y), today, yesterday, or last week, month or year"
)
_UNITS = {
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "minutes"),
    **dict.fromkeys(("h", "hour", "hours"), "hours"),
    **dict.fromkeys(("d", "day", "days"), "days"),
    **dict.fromkeys(("w", "week", "weeks"), "weeks"),
    **dict.fromkeys(("mo", "month", "months"), "months"),
    **dict.fromkeys(("y", "year", "years"), "years"),
}
_AGE = re.compile(r"(?P<number>\d{1,5})\s*(?P<unit>[a-z]+)(?:\s+ago)?")
_LAST = re.compile(r"last\s+(?P<unit>day|week|month|year)")
_MONTHS = {"months": 1, "years": 12}


def moment_of(text: str | None, option: str) -> datetime | None:
    """Parse a time in any of the forms that `ACCEPTED` names.

    A day, a month and yesterday mean their begin in UTC; `last week` means a week ago.
    """
    return None if text is None else required_moment_of(text, option)


def required_moment_of(text: str, option: str) -> datetime:
    """Parse a time as `moment_of` does."""
    moment = _moment(text, datetime.now(UTC))
    if moment is None:
        raise click.BadParameter(f"{text!r} is not a time; write {ACCEPTED}", param_hint=option)
    return moment


def end_of(text: str | None, option: str) -> datetime | None:
    """Parse like `moment_of`, but a day or a month means its end."""
    moment = moment_of(text, option)
    if moment is None:
        return None
    spoken, day = _spoken(str(text)), moment
    if _is_month(spoken):
        day = _months_later(moment, 1) - timedelta(days=1)
    elif not (_is_date(spoken) or spoken in ("today", "yesterday")):
        return moment
    return min(datetime.combine(day, time.max, UTC), max(datetime.now(UTC), moment))


def past_moment_of(text: str | None, option: str) -> datetime | None:
    """Parse like `end_of`; the end of today is now.

    A time in the future is wrong use: most are typing errors, and the present state must not
    be shown under such a time.
    """
    begin, end = moment_of(text, option), end_of(text, option)
    _require_past(begin, option)
    return end


def require_period(
    begin: datetime | None, end: datetime | None, since: str | None, until: str | None
) -> None:
    """Refuse a time that begins in the future, or ends before it begins.

    `since`, `until`: how it was said.
    """
    _require_past(begin, "--since")
    if begin is not None and end is not None and end < begin:
        raise click.UsageError(f"--until {until} is before --since {since}")


def _require_past(moment: datetime | None, option: str) -> None:
    now = datetime.now(UTC)
    if moment is not None and moment > now:
        raise click.BadParameter(
            f"that is in the future (now {now:%Y-%m-%d %H:%M} UTC)", param_hint=option
        )


def _moment(text: str, now: datetime) -> datetime | None:
    """Return the time that a text means; None if it means none."""
    spoken, midnight = _spoken(text), datetime.combine(now, time.min, UTC)
    if spoken in ("now", "today", "yesterday"):
        return {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}[spoken]
    try:
        if age := _AGE.fullmatch(spoken):
            unit = _UNITS.get(age["unit"])
            return _earlier(now, int(age["number"]), unit) if unit else None
        if last := _LAST.fullmatch(spoken):
            return _earlier(now, 1, _UNITS[last["unit"]])
        if _is_month(spoken):
            return datetime.strptime(spoken, "%Y-%m").replace(tzinfo=UTC)
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _spoken(text: str) -> str:
    return " ".join(text.lower().split())


def _is_month(spoken: str) -> bool:
    return re.fullmatch(r"\d{4}-\d{2}", spoken) is not None


def _earlier(now: datetime, number: int, unit: str) -> datetime:
    if unit in _MONTHS:
        return _months_later(now, -number * _MONTHS[unit])
    return now - timedelta(**{unit: number})


def _months_later(moment: datetime, months: int) -> datetime:
    """Return the same day so many months later, or the month's last day if that is earlier."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


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
