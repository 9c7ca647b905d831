"""Tells a story to the stand-in: its repositories as they begin, then one day after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

from sync.sandbox.sandbox import Sandbox
from sync.sandbox.story import figures
from sync.sandbox.story.calendar import Calendar
from sync.sandbox.story.cast import Character
from sync.sandbox.story.plot import Deed, Story
from sync.sandbox.story.turns import FRIEND, ORGANIZATION

OWNER = "ada"
_DAY = timedelta(days=1)


class Past:
    """A story at a stand-in, whose clock is `calendar`. `ids` are those of the repositories that
    there have been so far, by their number in the story.
    """

    def __init__(self, github: Sandbox, story: Story, calendar: Calendar) -> None:
        self.ids: dict[int, int] = {}
        self._github = github
        self._story = story
        self._calendar = calendar
        self._first = calendar.end_of(0).date()

    def begin(self, token: str, scopes: Iterable[str] = ("repo",)) -> None:
        """Adds the owner with this token, an organization of hers, a friend, and repositories."""
        github, story = self._github, self._story
        github.add_user(OWNER, token=token, scopes=scopes, name="Ada Byron")
        github.add_user(FRIEND, name="Grace Murray")
        github.add_user(ORGANIZATION, kind="Organization", name="Harbour Lab")
        github.add_member(ORGANIZATION, OWNER, role="admin")
        there = [number for number in range(len(story.cast)) if number not in story.begins]
        for number in sorted(there, key=lambda at: -story.cast[at].older):
            self._add(number, story.cast[number])

    def live(self, day: int) -> list[Deed]:
        """Makes a day happen, moves the clock to its end, and returns what has happened."""
        deeds = self._story.deeds(day, self._date(day).weekday())
        for deed in deeds:
            self._calendar.move(day, deed.share)
            self._do(deed)
        self._calendar.move(day)
        return deeds

    def _do(self, deed: Deed) -> None:
        if deed.kind == "create":
            self._add(deed.number, self._story.cast[deed.number])
        else:
            _DOINGS[deed.kind](self._github, self.ids[deed.number], deed.value)

    def _add(self, number: int, each: Character) -> None:
        github, now, story = self._github, self._calendar(), self._story
        created, idle = now - each.older * _DAY, int(3 + 25 * (1 - each.work))
        last = max(created, now - idle * _DAY)
        rid = self.ids[number] = github.add_repository(
            OWNER,
            each.name,
            created_at=created,
            pushed_at=last,
            updated_at=last,
            description=each.description,
            language=each.language,
            license=each.license,
            topics=list(each.topics),
            stargazers_count=each.stars,
            forks_count=each.forks,
            open_issues_count=each.issues,
            private=each.private,
            size=120 + 37 * (len(each.name) + each.stars),
        )
        github.add_activity(rid, visits=0, releases=0)
        self._add_traffic(number, rid, each)
        github.set_child(rid, "releases", [])
        rate = story.download_rate(number)
        for tag, day in story.releases(number):
            if day < 0:
                so_far = figures.downloaded_until(-day, rate)
                published = self._calendar.end_of(day)
                github.add_release(rid, tag, assets={_file(tag): so_far}, created_at=published)

    def _add_traffic(self, number: int, rid: int, each: Character) -> None:
        if not each.visits:
            return
        github, story = self._github, self._story

        def of_day(kind: str) -> Callable[[date], tuple[int, int]]:
            return lambda day: story.visits(number, kind, self._number(day), day.weekday())

        def views(day: date) -> int:
            at = self._number(day)
            return int(figures.fortnight(lambda n: of_day("views")(self._date(n))[0], at))

        def told_referrers(day: date) -> Any:
            crowds = figures.fortnight(lambda n: story.crowd(number, n), self._number(day))
            return figures.referrers(views(day), figures.views_of_front(each.visits, crowds))

        github.set_traffic(rid, "views", of_day("views"))
        github.set_traffic(rid, "clones", of_day("clones"))
        github.set_popular(rid, "referrers", told_referrers)
        place = github.repository(rid)
        github.set_popular(rid, "paths", lambda day: figures.paths(views(day), place.place))

    def _date(self, day: int) -> date:
        return self._first + day * _DAY

    def _number(self, day: date) -> int:
        return (day - self._first).days


def _file(tag: str) -> str:
    return f"{tag}.tar.gz"


def _count(github: Sandbox, rid: int, names: tuple[str, str], by: int) -> None:
    count = max(0, github.repository(rid).fields[names[0]] + by)
    github.edit(rid, **dict.fromkeys(names, count))


def _push(github: Sandbox, rid: int) -> None:
    github.push(rid)
    now, size = github.repository(rid).fields["pushed_at"], github.repository(rid).fields["size"]
    github.edit(rid, updated_at=now, size=size + 3)


_DOINGS: dict[str, Callable[[Sandbox, int, Any], object]] = {
    "archive": lambda github, rid, _: github.archive(rid),
    "branch": lambda github, rid, name: github.edit(rid, default_branch=name),
    "delete": lambda github, rid, _: github.delete(rid),
    "description": lambda github, rid, text: github.edit(rid, description=text),
    "downloads": lambda github, rid, told: github.download(rid, told[0], _file(told[0]), told[1]),
    "forks": lambda github, rid, by: _count(github, rid, ("forks_count", "forks"), by),
    "front": lambda *_: None,  # its stars and visits come as every day's
    "homepage": lambda github, rid, address: github.edit(rid, homepage=address),
    "issues": lambda github, rid, by: _count(github, rid, ("open_issues_count", "open_issues"), by),
    "license": lambda github, rid, key: github.edit(rid, license=key),
    "private": lambda github, rid, _: github.make_private(rid),
    "public": lambda github, rid, _: github.make_public(rid),
    "push": lambda github, rid, _: _push(github, rid),
    "release": lambda github, rid, tag: github.add_release(rid, tag, assets={_file(tag): 0}),
    "rename": lambda github, rid, name: github.rename(rid, name),
    "stars": lambda github, rid, by: github.star(rid, by),
    "topics": lambda github, rid, topics: github.edit(rid, topics=topics),
    "transfer": lambda github, rid, owner: github.transfer(rid, owner),
    "unstar": lambda github, rid, by: github.star(rid, -by),
}
