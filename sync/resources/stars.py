"""The stars that a repository has kept, by the day on which they were given.

GitHub rewrites this history: a star that is taken back leaves the day of its giving. What the
number of stars was on a day is in `repository_metrics`. No one who starred is named.
https://docs.github.com/rest/activity/starring
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec
from msgspec import Raw, Struct

from sync.resources.fields import Addend
from sync.resources.figures import Answer, Asked, Figures, Memory, Merge, Oddity, RowTable, Told
from sync.resources.resource import Due, Endpoint

_DAY = timedelta(days=1)
_SUNDAY = 6
# A number of stars that differs from the listing's has the whole history read again: at most
# once in this time, since stars come and go while it is read.
_WHOLE_AGAIN = timedelta(days=7)
_WHOLE_AT_LEAST = timedelta(days=90)


class StarDay(Struct, frozen=True, kw_only=True):
    """The stars given on a day and not taken back."""

    day: date
    stars: Addend


STAR_HISTORY = RowTable(
    name="star_history",
    record=StarDay,
    key=("day",),
    merge=Merge.LATEST,
    stamps=("changed_at",),
    private=(),
)


class _Week(Struct):
    week: int  # seconds since 1970: the Sunday that it begins with
    total: Addend
    days: tuple[Addend, Addend, Addend, Addend, Addend, Addend, Addend]


_list_decoder = msgspec.json.Decoder(list[Raw])
_week_decoder = msgspec.json.Decoder(_Week)


def _read(answers: Sequence[Answer], asked: Asked) -> Told:
    """Return the days of one page of weeks, and the page to be read after it."""
    (answer,) = answers
    memory = dict(asked.memory)
    going_on = memory.pop("next", None) is not None or "whole_at" not in memory
    memory.pop("again_at", None)
    days: dict[date, int] = {}
    oddities: list[Oddity] = []
    for raw in () if answer.body is None else _list_decoder.decode(answer.body):
        try:
            week = _week_decoder.decode(raw)
            days |= dict(_days(week, asked.until.date()))
        except (msgspec.DecodeError, OverflowError, OSError, ValueError) as error:
            payload = bytes(raw).decode("utf-8", "replace")
            oddities.append(Oddity(f"weeks: {str(error)[:200]}", payload))
    if answer.next_url is None:
        memory["whole_at"] = asked.now.isoformat()
    else:
        memory["next" if going_on else "second"] = answer.next_url
    rows = [StarDay(day=day, stars=stars) for day, stars in sorted(days.items())]
    return Told({STAR_HISTORY: rows}, memory, oddities=tuple(oddities))


def _days(week: _Week, today: date) -> Iterator[tuple[date, int]]:
    """Yield the days of a week that have begun. Raises ValueError."""
    begin = datetime.fromtimestamp(week.week, UTC)
    if begin.time() != time() or begin.weekday() != _SUNDAY:
        raise ValueError(f"{begin.isoformat()} is not the beginning of a Sunday in UTC")
    if sum(week.days) != week.total:
        raise ValueError(f"the days of {begin.date()} are not {week.total} in total")
    for number, stars in enumerate(week.days):
        if (day := begin.date() + number * _DAY) <= today:
            yield day, stars


def _settle(asked: Asked, told: Told, total: int) -> Memory:
    """Return the memory, with the next page if the whole history has to be read again.

    If it differs but was read lately, the memory says when it is to be read again.
    """
    memory: dict[str, Any] = dict(told.memory)
    second = memory.pop("second", None)
    if "next" in memory:
        return memory
    differs = total != asked.listed["stargazers_count"]
    again_at = datetime.fromisoformat(memory["whole_at"])
    again_at += _WHOLE_AGAIN if differs else _WHOLE_AT_LEAST
    if second is not None and asked.now >= again_at:
        return memory | {"next": second}
    return memory | {"again_at": again_at.isoformat()} if differs else memory


STARS = Figures(
    name="stars",
    tables=(STAR_HISTORY,),
    due=Due(
        every=_WHOLE_AT_LEAST,
        when_changed=("stargazers_count",),
        not_if_zero="stargazers_count",
    ),
    endpoints=(
        Endpoint(path="/repositories/{id}/stargazers/history", query="per_page=30", paged=True),
    ),
    needs="metadata: read",
    read=_read,
    total=(STAR_HISTORY, "stars"),
    settle=_settle,
)
