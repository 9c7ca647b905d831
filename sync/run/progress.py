"""Progress callbacks of a run, for a progress bar and for a dry run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sync.database.writes import RunCounts
    from sync.run.forecast import Forecast


class Progress:
    """Callbacks of a run that do nothing; subclasses override them.

    Only `waiting` is called from several threads.
    """

    def forecast_made(self, forecast: Forecast) -> None:
        """The cost of the listing is known, after its first page."""

    def page_stored(self, counts: RunCounts, pages: int | None) -> None:
        """A page is stored; `pages` is their number, None if GitHub does not announce it."""

    def resource_stored(self, resource: str, left: int) -> None:
        """An answer about a resource is stored; `left` are still to come."""

    def waiting(self, until: datetime) -> None:
        """Requests wait for a rate limit to end at `until` (UTC)."""

    def withheld(self, host: str, ids: Collection[int], reason: str) -> None:
        """Repositories missing from the listing stay undecided, for `reason`."""
