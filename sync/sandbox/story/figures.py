"""The figures of a story: stars, visits and downloads of a day. No I/O here.

A day is a number, 0 for the first of the story. The same numbers always have the same figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from sync.sandbox.activity import draw
from sync.sandbox.traffic import Count, Row

FRONT_PAGE = "news.example"
# How a day on a front page goes on: the share of that day which is left a day later.
_LEFT, _LASTS = 0.45, 10
_STARS_OF_FRONT, _VIEWS_OF_FRONT = 62, 24  # times those of a usual day
_WEEK = (1.15, 1.2, 1.2, 1.15, 1.0, 0.65, 0.65)  # Monday first
_REFERRERS = ("Google", "github.com", "DuckDuckGo", "docs.example", "forum.example", "Bing")
_PAGES = (
    ("", "{place}"),
    ("/releases", "Releases · {place}"),
    ("/issues", "Issues · {place}"),
    ("/blob/main/README.md", "{name}/README.md at main · {place}"),
    ("/tree/main/docs", "{name}/docs at main · {place}"),
)


def crowd(days_after: int) -> float:
    """What is left of a front page after some days: 1 on the day itself, 0 before it."""
    return _LEFT**days_after if 0 <= days_after < _LASTS else 0.0


def drawn_count(mean: float, share: float) -> int:
    """The number of events of a day that has `mean` of them on average; `share` is from 0 to 1."""
    if mean > 40:  # the sum below would be long, and this is as good
        return round(mean + (share - 0.5) * 3.4 * math.sqrt(mean))
    count, chance = 0, math.exp(-mean)
    while share > chance and count < 200:
        share -= chance
        count += 1
        chance *= mean / count
    return count


def gained(seed: int, number: int, day: int, weekday: int, rate: float, crowds: float) -> int:
    """The stars that a day brings; `crowds` is the share of a front page on it."""
    mean = rate * (_WEEK[weekday] + _STARS_OF_FRONT * crowds)
    return drawn_count(mean, draw(seed, f"stars {number}", day))


def visited(
    seed: int, number: int, kind: str, day: int, weekday: int, usual: float, crowds: float
) -> Count:
    """The views or clones of a day and their visitors."""
    share = 0.6 + 0.8 * draw(seed, f"{kind} {number}", day)
    count = int(usual * _WEEK[weekday] * share + 0.5)
    visitors = -(-count * (28 + int(24 * draw(seed, f"{kind} visitors {number}", day))) // 100)
    more = int(usual * _VIEWS_OF_FRONT * crowds * (0.9 + 0.2 * share))
    return count + more, visitors + more * 7 // 10


def referrers(views: int, of_front: int) -> list[Row]:
    """The referrers of 14 days with this many views, `of_front` of them from a front page."""
    rest = max(0, views - of_front)
    rows = ((name, int(rest * 0.32 / at)) for at, name in enumerate(_REFERRERS, 1))
    told: list[Row] = [(name, count, -(-count * 2 // 5)) for name, count in rows if count]
    return [*told, (FRONT_PAGE, of_front, of_front * 4 // 5)] if of_front else told


def paths(views: int, place: str) -> list[Row]:
    """The pages of the repository `place` (`owner/name`) in 14 days with this many views."""
    name, rows = place.partition("/")[2], list[Row]()
    for at, (path, title) in enumerate(_PAGES, 1):
        if count := int(views * 0.5 / at**1.5):
            told = title.format(place=place, name=name)
            rows.append((f"/{place}{path}", told, count, -(-count * 2 // 5)))
    return rows


def views_of_front(usual: float, crowds: float) -> int:
    """The views that a front page brought, in days with these crowds."""
    return int(usual * _VIEWS_OF_FRONT * crowds)


def fortnight(of_day: Callable[[int], float], day: int) -> float:
    """The sum over the 14 days before a day."""
    return sum(of_day(day - at) for at in range(1, 15))


def downloaded(seed: int, asset: int, day: int, age: int, rate: float) -> int:
    """The downloads of an asset in a day: most soon after its release, some for ever."""
    mean = rate * (0.15 + math.exp(-age / 12))
    return drawn_count(mean, draw(seed, f"asset {asset}", day))


def downloaded_until(age: int, rate: float) -> int:
    """The downloads of an asset in this many days since its release, as they were on average."""
    return int(rate * (0.15 * age + 12 * (1 - math.exp(-age / 12))))
