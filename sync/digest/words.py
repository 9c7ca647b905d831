"""Words that messages about a ledger share. No I/O here."""

from __future__ import annotations

from datetime import datetime


def first_loss(lost_at: datetime, now: datetime) -> str:
    """Return in words when the first of what waits is lost."""
    day = f"{lost_at:%Y-%m-%d}"
    return f"nothing is lost before {day}" if lost_at > now else f"some of it is lost since {day}"


def repositories(number: int) -> str:
    """Return "1 repository" or "12 repositories"."""
    return "1 repository" if number == 1 else f"{number:,} repositories"


def counted(number: int, word: str) -> str:
    """Return "1 day" or "3 days"."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
