"""Plausible figures of a repository by the day, computed from a number alone. No I/O here.

The same number and day always have the same figures, so nothing has to be kept of them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from hashlib import blake2b

_DAY = timedelta(days=1)
_WEEKDAYS = (1.15, 1.2, 1.2, 1.15, 1.0, 0.65, 0.65)  # Monday first
_REFERRERS = (
    *("Google", "github.com", "Bing", "DuckDuckGo", "news.example", "forum.example"),
    *("chat.example", "docs.example", "blog.example", "mail.example", "wiki.example"),
)
_PAGES = (
    ("", "{place}"),
    ("/releases", "Releases · {place}"),
    ("/issues", "Issues · {place}"),
    ("/blob/main/README.md", "{name}/README.md at main · {place}"),
    ("/pulls", "Pull requests · {place}"),
    ("/tree/main/docs", "{name}/docs at main · {place}"),
    ("/wiki", "Home · {place} Wiki"),
    ("/releases/latest", "Releases · {place}"),
    ("/stargazers", "Stargazers · {place}"),
    ("/actions", "Actions · {place}"),
    ("/network/members", "Forks · {place}"),
)

Count = tuple[int, int]


def draw(seed: int, what: str, at: int = 0) -> float:
    """A number from 0 to 1, always the same for the same arguments."""
    drawn = blake2b(f"{seed} {what} {at}".encode(), digest_size=4).digest()
    return int.from_bytes(drawn) / 2**32


def usual_visits(seed: int) -> int:
    """The views of a usual day: none for seven of ten repositories, hundreds for a few."""
    share = draw(seed, "popularity")
    return 0 if share < 0.7 else int(2 * 250 ** ((share - 0.7) / 0.3))


def visits(seed: int, what: str, day: date, usual: float) -> Count:
    """The visits of a day and their visitors: fewer at weekends, many now and then."""
    if usual <= 0:
        return 0, 0
    at = day.toordinal()
    share = 0.5 + draw(seed, what, at)
    peak = 6 if draw(seed, f"{what} peak", at) < 0.01 else 1
    count = int(usual * _WEEKDAYS[day.weekday()] * share * peak + 0.5)
    return count, -(-count * (25 + int(30 * draw(seed, f"{what} visitors", at))) // 100)


def referrers(seed: int, day: date, usual: float) -> list[tuple[str, int, int]]:
    """The referrers of the 14 days before a day."""
    total = _fortnight(seed, day, usual)
    shares = _shares(seed, "referrers", len(_REFERRERS), day)
    rows = ((name, int(total * share)) for name, share in zip(_REFERRERS, shares, strict=True))
    return [(name, count, -(-count * 2 // 5)) for name, count in rows if count]


def paths(seed: int, day: date, usual: float, place: str) -> list[tuple[str, str, int, int]]:
    """The pages of the repository `place` (`owner/name`) in the 14 days before a day."""
    total = _fortnight(seed, day, usual)
    name, found = place.partition("/")[2], []
    shares = _shares(seed, "paths", len(_PAGES), day)
    for (path, title), share in zip(_PAGES, shares, strict=True):
        if count := int(total * share):
            told = title.format(place=place, name=name)
            found.append((f"/{place}{path}", told, count, -(-count * 2 // 5)))
    return found


def growth(seed: int, total: int, first: date, last: date) -> Callable[[date], int]:
    """The new ones of a day, of `total` that came from `first` to `last`, sooner or later."""
    length, power = (last - first).days + 1, 0.6 + 1.4 * draw(seed, "growth")

    def until(number: int) -> int:
        if total == 0 or number <= 0:
            return 0
        if number >= length:
            return total
        return int(total * ((number + draw(seed, "growth", number)) / (length + 1)) ** power)

    def of_day(day: date) -> int:
        number = (day - first).days
        return until(number + 1) - until(number)

    return of_day


def downloads(seed: int, asset: int, age: int) -> int:
    """The downloads of an asset in the days since its release; they never fall."""
    usual = 1 + 40 * draw(seed, "downloads", asset) ** 3
    return int(usual * (age + draw(seed, f"downloads of {asset}", age)) ** 0.9) if age > 0 else 0


def release_days(seed: int, number: int, first: date, last: date) -> list[date]:
    """The days of this many releases between two days, oldest first."""
    between = (last - first).days
    shares = sorted(draw(seed, "release", at) for at in range(number))
    return [first + int(between * share) * _DAY for share in shares]


def _fortnight(seed: int, day: date, usual: float) -> int:
    if usual <= 0:
        return 0
    return sum(visits(seed, "views", day - at * _DAY, usual)[0] for at in range(1, 15))


def _shares(seed: int, what: str, number: int, day: date) -> list[float]:
    at = day.toordinal()
    weights = [
        (0.8 + 0.4 * draw(seed, f"{what} {each}", at)) / (each + 1) for each in range(number)
    ]
    return [weight / sum(weights) for weight in weights]
