"""A digest as headings and lines, which every format writes in its own way. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from sync.digest.digest import LEVELS, Counted, CounterGrowth, Digest, Growth
from sync.digest.words import counted, repositories
from sync.events.words import sentence

_WORDS = {
    Counted.stars: "stars",
    Counted.forks: "forks",
    Counted.views: "views",
    Counted.clones: "clones (with those of CI)",
    Counted.downloads: "downloads",
}


class Line(NamedTuple):
    """A line: a repository, if it is about one, and what is said of it."""

    text: str
    full_name: str | None = None
    html_url: str | None = None


class Part(NamedTuple):
    """A part of a digest: a heading, and lines below it."""

    heading: str
    lines: Sequence[Line]


def title_of(digest: Digest) -> str:
    """Return the title, which is a mail's subject too."""
    return f"Your repositories, {days_of(digest)}"


def days_of(digest: Digest) -> str:
    """Return the days of a digest, such as "22 to 29 November 2026"."""
    last = digest.until.date()
    first = last - timedelta(days=digest.days - 1)
    if first == last:
        return _day(last)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {_day(last)}"
    if first.year == last.year:
        return f"{first.day} {first:%B} to {_day(last)}"
    return f"{_day(first)} to {_day(last)}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def parts_of(digest: Digest) -> Iterator[Part]:
    """Yield the parts of a digest: what waits for a person first, then news, then figures."""
    if digest.needs:
        yield Part("Needs you", [Line(each) for each in digest.needs])
    yield Part("In sum", list(_totals(digest)))
    for section in digest.sections:
        lines = [Line(sentence(e), e.full_name, e.html_url) for e in section.events]
        yield Part(section.title, [*lines, *_others(section.others)])
    for growth in digest.growth:
        most = [_line(each, growth.counter) for each in growth.gained_most]
        if most:
            gained = " gained" if growth.counter in LEVELS else ""
            yield Part(f"Most {growth.counter}{gained}", [*most, *_others(growth.others)])
        least = [_line(each, growth.counter) for each in growth.lost_most]
        if least:
            yield Part(f"{growth.counter.capitalize()} lost", least)
    if digest.quiet:
        quiet = [
            Line(f"last pushed to on {_day(each.pushed_at.date())}", each.full_name, each.html_url)
            for each in digest.quiet
        ]
        yield Part("Quiet for a year", quiet)


def _others(number: int) -> list[Line]:
    return [Line(f"and {number:,} more")] if number > 0 else []


def _totals(digest: Digest) -> Iterator[Line]:
    yield Line(repositories(digest.repositories))
    for growth in digest.growth:
        yield Line(_total(growth, digest.days))


def _total(growth: CounterGrowth, days: int) -> str:
    is_level = growth.counter in LEVELS
    gained, total = growth.all.gained, growth.all.total
    text = f"{_WORDS[growth.counter]}: "
    if total is None:
        text += _number(gained, is_level)
    else:
        text += f"{signed(gained)} to {total:,}" if gained else f"unchanged, {total:,}"
    if growth.all.before is not None:
        before = _number(growth.all.before, is_level)
        text += f" ({before} in the {counted(days, 'day')} before)"
    return text


def _number(number: int, is_level: bool) -> str:
    return signed(number) if is_level else f"{number:,}"


def _line(growth: Growth, counter: Counted) -> Line:
    is_level = counter in LEVELS
    text = _number(growth.gained, is_level)
    if growth.total is not None:
        text += f" to {growth.total:,}"
    if growth.before is not None:
        text += f" (before: {_number(growth.before, is_level)})"
    return Line(text, growth.full_name, growth.html_url)


def signed(number: int) -> str:
    """Return a number with its sign, such as +1,200 or −3; 0 has none."""
    return f"{'+' if number > 0 else '−' if number else ''}{abs(number):,}"
