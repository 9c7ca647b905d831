"""What can happen to the traffic of repositories, and to GitHub's account of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date

from sync.sandbox.registry import Repositories
from sync.sandbox.traffic import Count, Hidden, Rows, Traffic


class TrafficChanges:
    """Sets the traffic of repositories, given by id, and what GitHub leaves out of it."""

    def __init__(self, repositories: Repositories, hidden: Hidden) -> None:
        self._repositories = repositories
        self._hidden = hidden

    def set_traffic(
        self,
        rid: int,
        kind: str,
        days: Mapping[date, Count] | Callable[[date], Count],
        *,
        uniques: int | None = None,
    ) -> None:
        """Sets `(count, uniques)` of whole days, of the kind `views` or `clones`.

        `days` may be a function of the day. `uniques` are those of each window of 14 days; they
        are estimated when not given.
        """
        visits = self._of(rid).visits[kind]
        visits.of_day = days if callable(days) else (lambda day: days.get(day, (0, 0)))
        visits.uniques = uniques

    def set_popular(self, rid: int, name: str, rows: Rows, *, since: date = date.min) -> None:
        """Sets the rows of `referrers` or `paths`, which are told from the day `since` on.

        A row is `(referrer, count, uniques)` or `(path, title, count, uniques)`; `rows` may be a
        function of the day. The ten largest are told.
        """
        self._of(rid).popular[name][since] = rows

    def stall_traffic(self, newest: date | None, *, rid: int | None = None) -> None:
        """Leaves out views and clones after a day; with None, no longer.

        Of one repository, or of all.
        """
        self._hidden_of(rid).newest = newest

    def drop_traffic(self, days: Iterable[date], *, rid: int | None = None) -> None:
        """Leaves out exactly these days of views and clones; with (), all are back."""
        self._hidden_of(rid).dropped = frozenset(days)

    def cut_traffic(self, *, shown: bool, rid: int | None = None) -> None:
        """Tells the part of the oldest day that is within the window, or leaves that day out.

        GitHub told it until 2021, and since then mostly does not.
        """
        self._hidden_of(rid).cut = not shown

    def flip_traffic(self, rid: int, kind: str, day: date, other: Count | None) -> None:
        """Tells another value of a day at every second reading; with None, no longer."""
        flips = self._of(rid).visits[kind].flips
        if other is None:
            flips.pop(day, None)
        else:
            flips[day] = other

    def _of(self, rid: int) -> Traffic:
        found = self._repositories.get(rid)
        if found.traffic is None:
            found.traffic = Traffic()
        return found.traffic

    def _hidden_of(self, rid: int | None) -> Hidden:
        return self._hidden if rid is None else self._of(rid).hidden
