"""The time of day, in one place, so that it can be handed in; and times as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

_encoder = msgspec.json.Encoder()
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present time in UTC, aware."""
    return datetime.now(UTC)


def as_iso(moment: datetime) -> str:
    """Return an aware time in UTC as ISO 8601, like `2026-01-01T00:00:00Z`.

    With six digits of a second's fraction, if there is one.
    """
    # A seventh of what `datetime.isoformat` takes; so many times are written that it shows.
    return _encoder.encode(moment.astimezone(UTC))[1:-1].decode()
