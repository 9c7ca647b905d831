"""Gives repositories plausible traffic, stars by the day, releases and languages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sync.sandbox import activity
from sync.sandbox.account_json import simple_user
from sync.sandbox.host import Host
from sync.sandbox.registry import Repositories, Repository
from sync.sandbox.release_json import asset, release
from sync.sandbox.star_history import Stars
from sync.sandbox.stars import created_on
from sync.sandbox.traffic import Traffic, Visits

_FILES = ("{name}-{tag}.tar.gz", "{name}-{tag}-linux.tar.gz")
_MOST_RELEASES = 20


class Activities:
    """Gives repositories figures that are computed from their ids when they are asked for."""

    def __init__(self, host: Host, repositories: Repositories) -> None:
        self._host = host
        self._repositories = repositories

    def add(self, rid: int, *, visits: int | None = None, releases: int | None = None) -> None:
        """Gives a repository traffic, a history of its stars, releases with downloads, languages.

        `visits` is the number of views of a usual day (0: no traffic at all), `releases` that of
        its releases until today; both follow from the id when not given. Its stars so far came
        between its creation and today; later ones come by `star`. A day always has the same
        figures, and none of them is kept in memory.
        """
        found, now = self._repositories.get(rid), self._host.now()
        usual = activity.usual_visits(rid) if visits is None else visits
        if releases is None:
            releases = int(_MOST_RELEASES * max(0.0, 4 * activity.draw(rid, "releases") - 3))
        first, today = created_on(found, now), now.astimezone(UTC).date()
        total = found.fields.get("stargazers_count", 0)
        found.stars = Stars(
            older=activity.growth(rid, total, first, max(first, today)), older_total=total
        )
        found.traffic = _traffic(found, rid, usual)
        dates = activity.release_days(rid, releases, first, max(first, today))
        if language := found.text("language"):
            found.children["languages"] = {language: 1000 + int(10**6 * activity.draw(rid, "size"))}
        found.children["releases"] = lambda now: self._releases(found, rid, dates, now)
        found.revision += 1

    def _releases(
        self, found: Repository, rid: int, dates: list[date], now: datetime
    ) -> list[dict[str, Any]]:
        api, owner, today = self._host.url, found.owner, now.astimezone(UTC).date()
        author = simple_user(owner.login, owner.id, owner.kind, api)
        place, name = found.place, found.place.partition("/")[2]
        told = []
        for number, day in reversed(list(enumerate(dates, 1))):
            tag, moment = f"v1.{number}.0", f"{day}T12:00:00Z"
            assets = [
                asset(
                    place,
                    rid * 1000 + number * 10 + at,
                    file.format(name=name, tag=tag),
                    tag,
                    moment,
                    author,
                    api=api,
                    size=1000 + int(10**7 * activity.draw(rid, file, number)),
                    downloads=activity.downloads(rid, number * 10 + at, (today - day).days),
                )
                for at, file in enumerate(_FILES)
            ]
            told.append(release(place, rid * 1000 + number, tag, moment, author, assets, api=api))
        return told


def _traffic(found: Repository, rid: int, usual: int) -> Traffic:
    views = Visits(of_day=lambda day: activity.visits(rid, "views", day, usual))
    clones = Visits(of_day=lambda day: activity.visits(rid, "clones", day, usual / 8))
    traffic = Traffic(visits={"views": views, "clones": clones})
    referrers, paths = traffic.popular["referrers"], traffic.popular["paths"]
    referrers[date.min] = lambda day: activity.referrers(rid, day, usual)
    paths[date.min] = lambda day: activity.paths(rid, day, usual, found.place)
    return traffic
