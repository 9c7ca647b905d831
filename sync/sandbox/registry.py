"""The repositories of the stand-in GitHub, found by id, name, owner and collaborator."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sync.sandbox.account_json import JSON, simple_user, timestamp
from sync.sandbox.host import Host
from sync.sandbox.repository_json import new_repository
from sync.sandbox.star_history import Stars
from sync.sandbox.traffic import Traffic
from sync.sandbox.users import User, Users


@dataclass(frozen=True, kw_only=True)
class Block:
    """The notice of a repository that GitHub has taken down: status and reason."""

    status: int
    reason: str
    created_at: str
    html_url: str
    listed: bool


@dataclass(eq=False, kw_only=True)
class Repository:
    """A repository. `key` is its place in the order of creation, `place` its `owner/name`.

    `exact`: its object is served unchanged to every viewer. `revision` grows with every change.
    `hidden`: it is missing from listings only. `children` are the JSON values served below it,
    such as its languages; `traffic` and `stars` have what changes with time, and `forks` are
    the repositories that were made of it.
    """

    key: int
    owner: User
    place: str
    fields: Any
    exact: bool = False
    collaborators: dict[int, str] = field(default_factory=dict)
    children: dict[str, Any] = field(default_factory=dict)
    traffic: Traffic | None = None
    stars: Stars | None = None
    forks: list[Repository] = field(default_factory=list)
    revision: int = 0
    deleted: bool = False
    hidden: bool = False
    block: Block | None = None

    @property
    def listed(self) -> bool:
        """Whether listings contain the repository."""
        return not self.hidden and (self.block is None or self.block.listed)

    def text(self, name: str) -> str:
        """A field to sort or filter by; "" where the field is no text or missing."""
        value = self.fields.get(name) if isinstance(self.fields, dict) else None
        return value if isinstance(value, str) else ""

    def flag(self, name: str) -> bool:
        """Whether a field is true."""
        return isinstance(self.fields, dict) and self.fields.get(name) is True


class Repositories:
    """Indexes of the repositories by id, name, owner and collaborator."""

    def __init__(self, host: Host, users: Users) -> None:
        self._host = host
        self._users = users
        self._count = 0
        self._by_id: dict[int, Repository] = {}
        self._by_place: dict[str, Repository] = {}
        self._moved: dict[str, Repository] = {}
        self._owned: dict[int, dict[int, Repository]] = {}
        self._shared: dict[int, dict[int, Repository]] = {}

    def add(
        self, owner: str, name: str, *, created_at: datetime | str | None = None, **fields: Any
    ) -> int:
        """Adds a repository and returns its id. `fields` are fields of its object.

        Times may be datetimes, and `license` a key (`mit`). Other fields are as GitHub makes
        them for a new repository; `updated_at` and `pushed_at` are then `created_at`.
        """
        user = self._users.get(owner)
        place = f"{user.login}/{name}"
        self._check_free(place)
        number, created = 500_000_001 + self._count, timestamp(created_at or self._host.now())
        built = new_repository(number, user.login, name, created, plain(fields))
        self._add(Repository(key=self._count, owner=user, place=place, fields=built), number)
        return number

    def add_fork(self, rid: int, owner: str, name: str | None = None, **fields: Any) -> int:
        """Adds a fork of a repository and returns its id; the counters of forks move too."""
        source = self._by_id[rid]
        kept = {key: source.fields.get(key) for key in ("private", "visibility", "language")}
        place = name or source.place.partition("/")[2]
        number = self.add(owner, place, **kept | fields, fork=True)
        source.forks.append(self._by_id[number])
        source.revision += 1
        count = source.fields.get("forks_count", 0) + 1
        source.fields |= {"forks_count": count, "forks": count}
        return number

    def add_object(self, obj: object, listed_by: str) -> None:
        """Serves an object unchanged in a user's listing, as if the user owned it.

        It may be any JSON value, also with an id that another repository has. An object with an
        `id` and a `full_name` is found by these before older repositories, and can be changed.
        """
        fields = obj if isinstance(obj, dict) else {}
        number, place = fields.get("id"), fields.get("full_name")
        found = Repository(
            key=self._count,
            owner=self._users.get(listed_by),
            place=place if isinstance(place, str) else "",
            fields=dict(fields) if isinstance(obj, dict) else obj,
            exact=True,
        )
        self._add(found, number if isinstance(number, int) else None)

    def get(self, rid: int) -> Repository:
        """The repository of this id. LookupError when there is none."""
        return self._by_id[rid]

    def find(self, place: str) -> Repository:
        """The repository that has or last had this `owner/name`, in any case."""
        found = self._by_place.get(place.lower()) or self._moved[place.lower()]
        if found.deleted:
            raise LookupError(place)
        return found

    def owned_by(self, user: User) -> dict[int, Repository]:
        """A user's own repositories, by key."""
        return self._owned.get(user.id, {})

    def shared_with(self, user: User) -> dict[int, Repository]:
        """The repositories that a user is a collaborator of, by key."""
        return self._shared.get(user.id, {})

    def share(self, found: Repository, user: User, permission: str) -> None:
        """Makes a user a collaborator of a repository."""
        found.collaborators[user.id] = permission
        self._shared.setdefault(user.id, {})[found.key] = found

    def unshare(self, found: Repository, user: User) -> None:
        """Removes a collaborator. LookupError when the user is none."""
        del found.collaborators[user.id], self._shared[user.id][found.key]

    def move(self, found: Repository, place: str, owner: User) -> None:
        """Changes a repository's `owner/name`; the old one redirects until it is taken again."""
        if self._by_place.get(place.lower()) is not found:
            self._check_free(place)
        old, found.place = found.place, place
        if self._by_place.get(old.lower()) is found:
            del self._by_place[old.lower()]
            self._moved[old.lower()] = found
        self._enter(found)
        del self._owned[found.owner.id][found.key]
        self._owned.setdefault(owner.id, {})[found.key] = found
        found.owner = owner
        if found.exact:
            _rewrite(found, old, self._host.url)
        found.fields |= {"name": place.partition("/")[2], "full_name": place}

    def delete(self, rid: int) -> None:
        """Removes a repository, and with it the redirects that led to it."""
        found = self._by_id.pop(rid)
        found.deleted = True
        del self._owned[found.owner.id][found.key]
        for user in found.collaborators:
            del self._shared[user][found.key]
        if self._by_place.get(found.place.lower()) is found:
            del self._by_place[found.place.lower()]

    def _add(self, found: Repository, number: int | None) -> None:
        self._count += 1
        self._owned.setdefault(found.owner.id, {})[found.key] = found
        if number is not None:
            self._by_id[number] = found
        if found.place:
            self._enter(found)

    def _enter(self, found: Repository) -> None:
        self._by_place[found.place.lower()] = found
        self._moved.pop(found.place.lower(), None)

    def _check_free(self, place: str) -> None:
        if place.lower() in self._by_place:
            raise ValueError(f"there is a repository {place} already")


def plain(fields: JSON) -> JSON:
    """These fields with their times as GitHub writes them."""
    return {
        key: timestamp(value) if isinstance(value, datetime) else value
        for key, value in fields.items()
    }


def _rewrite(found: Repository, old: str, api: str) -> None:
    for key, value in found.fields.items():
        if key.endswith("url") and isinstance(value, str):
            found.fields[key] = value.replace(old, found.place)
    if "owner" in found.fields:
        owner = found.owner
        found.fields["owner"] = simple_user(owner.login, owner.id, owner.kind, api)
