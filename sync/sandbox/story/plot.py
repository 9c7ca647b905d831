"""The plot of a story: what happens on each of its days. No I/O here."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from sync.sandbox.activity import draw
from sync.sandbox.story import figures
from sync.sandbox.story.cast import LEADS, Character, cast
from sync.sandbox.story.turns import Turn, turns


class Deed(NamedTuple):
    """What happens to the repository `number`, at a share of a day."""

    share: float
    kind: str
    number: int
    value: Any = None


class Release(NamedTuple):
    """A release of a story; its day is negative where it was before the story."""

    tag: str
    day: int


@dataclass(frozen=True, kw_only=True)
class Story:
    """The past of `repositories` repositories over `days` days; another `seed`, another past."""

    repositories: int = 8
    days: int = 90
    seed: int = 1

    @cached_property
    def cast(self) -> tuple[Character, ...]:
        """The repositories as they begin: those that are created later have no stars yet."""
        found = list(self._drawn)
        for turn in self.turns:
            was = found[turn.number]
            if turn.kind == "create":
                rate = max(0.4, was.rate)
                found[turn.number] = replace(
                    was, stars=0, forks=0, issues=0, releases=0, older=0, rate=rate
                )
            elif turn.kind == "public":
                found[turn.number] = replace(was, private=True, stars=0, forks=0, rate=0.0)
        return tuple(found)

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """What happens once, in the order of days."""
        return tuple(turns(self._drawn, self.days, self.seed, min(len(LEADS), self.repositories)))

    @cached_property
    def begins(self) -> dict[int, int]:
        """The days on which repositories are created, by number; the others are there before."""
        return {turn.number: turn.day for turn in self.turns if turn.kind == "create"}

    def deeds(self, day: int, weekday: int) -> list[Deed]:
        """What happens on a day, in its order."""
        found = [self._deed(turn) for turn in self._turns_by_day[day]]
        for number, each in enumerate(self.cast):
            if self._lives(number, day):
                found += self._usual(number, each, day, weekday)
        return sorted(found, key=lambda deed: deed.share)

    def crowd(self, number: int, day: float) -> float:
        """How much of a front page a repository has on a day: 1 on the day itself."""
        return sum(figures.crowd(int(day) - front) for front in self._fronts[number])

    def releases(self, number: int) -> list[Release]:
        """The releases of a repository, oldest first, as its first day has them and later ones."""
        each = self.cast[number]
        days = [-each.older * at // (each.releases + 1) for at in range(each.releases, 0, -1)]
        days += [t.day for t in self.turns if t.number == number and t.kind == "release"]
        return [Release(f"v1.{at}.0", day) for at, day in enumerate(days)]

    def download_rate(self, number: int) -> float:
        """The downloads of a release's file on its first day, on average."""
        return 2 + self.cast[number].visits / 4

    def visits(self, number: int, kind: str, day: int, weekday: int) -> tuple[int, int]:
        """The views or clones of a repository on a day, and their visitors."""
        usual = self.cast[number].visits / (1 if kind == "views" else 8)
        if not usual or day < self.begins.get(number, day):
            return 0, 0
        crowds = self.crowd(number, day)
        return figures.visited(self.seed, number, kind, day, weekday, usual, crowds)

    @cached_property
    def _drawn(self) -> tuple[Character, ...]:
        return cast(self.repositories, self.seed)

    @cached_property
    def _turns_by_day(self) -> dict[int, list[Turn]]:
        found = defaultdict(list)
        for turn in self.turns:
            found[turn.day].append(turn)
        return found

    @cached_property
    def _fronts(self) -> dict[int, list[int]]:
        found = defaultdict(list)
        for turn in self.turns:
            if turn.kind == "front":
                found[turn.number].append(turn.day)
        return found

    @cached_property
    def _ends(self) -> dict[int, int]:
        """The days from which nothing usual happens any more."""
        ends = ("archive", "delete", "private")
        return {turn.number: turn.day for turn in self.turns if turn.kind in ends}

    def _lives(self, number: int, day: int) -> bool:
        return self.begins.get(number, -1) < day < self._ends.get(number, self.days)

    def _deed(self, turn: Turn) -> Deed:
        number, value = turn.number, turn.value
        if turn.kind == "release":
            value = next(each.tag for each in self.releases(number) if each.day == turn.day)
        share = (
            0.9 if turn.kind == "delete" else 0.3 + 0.5 * self._share(turn.kind, number, turn.day)
        )
        return Deed(share, turn.kind, number, value)

    def _usual(self, number: int, each: Character, day: int, weekday: int) -> list[Deed]:
        found, crowds = [], self.crowd(number, day)
        if count := figures.gained(self.seed, number, day, weekday, each.rate, crowds):
            found.append(Deed(0.7, "stars", number, count))
            if forks := figures.drawn_count(count / 18, self._share("forks", number, day)):
                found.append(Deed(0.75, "forks", number, forks))
        pushes = each.work * (0.4 if weekday >= 5 else 1.1)
        if self._share("push", number, day) < pushes:
            found.append(Deed(0.1 + 0.8 * self._share("pushed", number, day), "push", number))
        if each.issues and (drawn := self._share("issues", number, day)) < 0.24:
            found.append(Deed(0.5, "issues", number, 1 if drawn < 0.13 else -1))
        for at, (tag, since) in enumerate(self.releases(number)):
            rate, age = self.download_rate(number), day - since
            asset = number * 100 + at
            if age >= 0 and (
                more := figures.downloaded(self.seed, asset, day, age, rate * (1 + 2 * crowds))
            ):
                found.append(Deed(0.95, "downloads", number, (tag, more)))
        return found

    def _share(self, what: str, number: int, day: int) -> float:
        return draw(self.seed, f"{what} {number}", day)
