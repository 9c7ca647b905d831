"""Deadlines that hold although the clock may be wrong, or be corrected meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

# The longest wait: a server that asks for more is not believed.
LONGEST_WAIT = timedelta(days=1)
_DRIFT = timedelta(seconds=1)  # a difference between two clocks that is ignored


class Deadline:
    """The deadline `until`, set at the time `now`.

    It is reached by the wall clock, so that a suspend counts, or after `until - now` on the
    monotonic clock (at `end`, in its seconds), so that it does not move when the wall clock is
    set back.
    """

    def __init__(self, until: datetime, now: datetime) -> None:
        self._until = until
        self.end = time.monotonic() + (until - now).total_seconds()

    def left(self, now: datetime) -> timedelta:
        """Return the time left; zero if the deadline is reached."""
        later = timedelta(seconds=self.end - time.monotonic()) + _DRIFT
        return max(min(self._until - now, later), timedelta())


def believed(
    until: datetime | None, now: datetime, *, noted: Iterable[datetime | None]
) -> datetime | None:
    """Return `until` if it is plausible and in the future, else None.

    `noted`: times of the run that recorded it. It is not plausible if one of them is in the
    future, since the clock was set back in between, or if it is further away than LONGEST_WAIT.
    """
    if until is None or not now < until <= now + LONGEST_WAIT:
        return None
    return None if any(moment is not None and moment > now for moment in noted) else until
