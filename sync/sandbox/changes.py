"""The changes that can happen to a repository of the stand-in GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Any

from sync.sandbox.account_json import SITE, timestamp
from sync.sandbox.host import Host
from sync.sandbox.registry import Block, Repositories, Repository, plain
from sync.sandbox.repository_json import PERMISSIONS
from sync.sandbox.star_history import Stars
from sync.sandbox.stars import created_on, settled
from sync.sandbox.users import Users


class Changes:
    """Changes repositories, given by id, as their owners or GitHub would."""

    def __init__(self, host: Host, users: Users, repositories: Repositories) -> None:
        self._host = host
        self._users = users
        self._repositories = repositories

    def add_collaborator(self, login: str, rid: int, *, permission: str = "push") -> None:
        """Lets another user work on a repository, which it then lists too."""
        if permission not in PERMISSIONS:
            raise ValueError(f"not a permission: {permission}")
        self._repositories.share(self._revised(rid), self._users.get(login), permission)

    def remove_collaborator(self, login: str, rid: int) -> None:
        """Removes a collaborator from a repository."""
        self._repositories.unshare(self._revised(rid), self._users.get(login))

    def set_child(self, rid: int, name: str, value: Any) -> None:
        """Sets a JSON value that is served below a repository, such as its `languages`.

        A list is served in pages, anything else whole; it may be a function of the time. It takes
        a route: see `routes.py`.
        """
        self._revised(rid).children[name] = value

    def edit(self, rid: int, **fields: Any) -> None:
        """Changes exactly these fields of the object; not even `updated_at` moves by itself."""
        self._revised(rid).fields |= plain(fields)

    def rename(self, rid: int, name: str) -> None:
        """Renames a repository; the old name redirects until another repository takes it."""
        found = self._repositories.get(rid)
        self._repositories.move(found, f"{found.place.partition('/')[0]}/{name}", found.owner)
        self._update(rid, "updated_at")

    def transfer(self, rid: int, owner: str, *, stay: bool = False) -> None:
        """Transfers a repository; the old name redirects until another repository takes it.

        `stay` makes the old owner a collaborator, as GitHub does between two users.
        """
        found, user = self._repositories.get(rid), self._users.get(owner)
        old = found.owner
        self._repositories.move(found, f"{user.login}/{found.place.partition('/')[2]}", user)
        self._update(rid, "updated_at")
        if stay:
            self._repositories.share(found, old, "admin")

    def block(
        self, rid: int, *, reason: str = "dmca", status: int | None = None, listed: bool = False
    ) -> None:
        """Takes a repository down: requests get `Repository access blocked` and the reason.

        `status` defaults to 451 for the reason `dmca`, and to 403 for others (`tos`). `listed`
        keeps the repository in listings.
        """
        now, dmca = timestamp(self._host.now()), reason == "dmca"
        year, month, day = now[:10].split("-")
        notice = f"github/dmca/blob/master/{year}/{month}/{year}-{month}-{day}-{rid}.md"
        legal = HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS
        self._revised(rid).block = Block(
            status=status or (legal if dmca else HTTPStatus.FORBIDDEN),
            reason=reason,
            created_at=now,
            html_url=f"https://{SITE}/{notice if dmca else 'tos'}",
            listed=listed,
        )

    def unblock(self, rid: int) -> None:
        """Ends the block of a repository."""
        self._revised(rid).block = None

    def hide(self, rid: int) -> None:
        """Leaves a repository out of all listings; it still exists by its id."""
        self._revised(rid).hidden = True

    def unhide(self, rid: int) -> None:
        """Lists a hidden repository again."""
        self._revised(rid).hidden = False

    def make_private(self, rid: int) -> None:
        """Makes a repository private: only its owner and collaborators see it."""
        self._update(rid, "updated_at", private=True, visibility="private")

    def make_public(self, rid: int) -> None:
        """Makes a repository public."""
        self._update(rid, "updated_at", private=False, visibility="public")

    def archive(self, rid: int, *, archived: bool = True) -> None:
        """Archives a repository; with `archived=False`, ends that."""
        self._update(rid, "updated_at", archived=archived)

    def push(self, rid: int) -> None:
        """Moves `pushed_at`, and nothing else."""
        self._update(rid, "pushed_at")

    def star(self, rid: int, by: int = 1) -> None:
        """Adds stars to all three of GitHub's counters of them; `updated_at` moves as at GitHub.

        They are of today; where `by` is negative, the newest are taken back.
        """
        found = self._repositories.get(rid)
        settled(found, self._host.now())
        self._count_stars(found, found.fields.get("stargazers_count", 0) + by)

    def unstar(self, rid: int, day: date, by: int = 1) -> None:
        """Takes back stars that were given on this day."""
        found = self._repositories.get(rid)
        stars = settled(found, self._host.now())
        if stars.of(day) < by:
            raise ValueError(f"of {day} there are only {stars.of(day)} stars")
        stars.by_day[day] = stars.by_day.get(day, 0) - by
        self._count_stars(found, found.fields["stargazers_count"] - by)

    def set_stars(self, rid: int, days: Mapping[date, int]) -> None:
        """Sets the stars that are left of each day, and the counters to their sum."""
        found = self._repositories.get(rid)
        created = created_on(found, self._host.now())
        if days and min(days) < created:
            raise ValueError(f"a star of {min(days)} is older than the repository of {created}")
        found.stars = Stars(by_day=dict(days))
        self._count_stars(found, found.stars.total())

    def _count_stars(self, found: Repository, stars: int) -> None:
        names = ("stargazers_count", "watchers_count", "watchers")
        self._update(found.fields["id"], "updated_at", **dict.fromkeys(names, stars))
        settled(found, self._host.now())

    def _revised(self, rid: int) -> Repository:
        found = self._repositories.get(rid)
        found.revision += 1
        return found

    def _update(self, rid: int, time_field: str, **fields: Any) -> None:
        found = self._revised(rid)
        # Two changes within one second need different times, or the second would be invisible.
        now, before = timestamp(self._host.now()), found.text(time_field)
        if before >= now:
            now = timestamp(datetime.fromisoformat(before) + timedelta(seconds=1))
        found.fields |= fields | {time_field: now}
