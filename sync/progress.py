"""What a run tells of itself while it goes on, to whoever wants to show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from sync.database.rows import RunCounts
    from sync.forecast import Forecast


class Progress:
    """Hears of a run's progress, and does nothing with it: a subclass does.

    `waiting` may be called from several threads at a time, the others are not.
    """

    def foreseen(self, forecast: Forecast) -> None:
        """The first page tells what the listing will cost."""

    def page_stored(self, counts: RunCounts, pages: int | None) -> None:
        """A page is stored; `pages` is how many there will be, if GitHub has said so."""

    def waiting(self, until: datetime) -> None:
        """Requests wait for a limit to end, at a time in UTC."""
