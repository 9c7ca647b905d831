"""The repositories of the stand-in GitHub, and under which names and whose they are found."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .accounts import User
from .authorizations import Authorizations
from .objects import JSON, simple_user, timestamp
from .repositories import new_repository

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class Block:
    """That GitHub has taken a repository down: the status it is answered with, and why."""

    status: int
    reason: str
    created_at: str
    html_url: str
    listed: bool


@dataclass(eq=False, kw_only=True)
class Repository:
    """A repository. `key` is its place in the order of creation, `place` its `owner/name`.

    An exact one is served as it was given, whoever asks. `revision` grows with every change.
    A hidden one is missing from listings, and nothing else.
    """

    key: int
    owner: User
    place: str
    fields: Any
    exact: bool = False
    collaborators: dict[int, str] = field(default_factory=dict)
    revision: int = 0
    deleted: bool = False
    hidden: bool = False
    block: Block | None = None

    @property
    def listed(self) -> bool:
        """Whether listings have it at all."""
        return not self.hidden and (self.block is None or self.block.listed)

    def text(self, name: str) -> str:
        """A field to sort or filter by; "" for null, for no text and for what is no object."""
        value = self.fields.get(name) if isinstance(self.fields, dict) else None
        return value if isinstance(value, str) else ""

    def flag(self, name: str) -> bool:
        """Whether a field is true."""
        return isinstance(self.fields, dict) and self.fields.get(name) is True


class Registry(Authorizations):
    """Accounts, and the repositories by all that they are found by, behind `lock`."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now)
        self.api = ""
        self.enterprise = False
        self.cache: dict[Any, Any] = {}
        self.encoded: dict[Any, tuple[bytes, bytes]] = {}
        self.gzipped: dict[str, bytes] = {}
        self._by_id: dict[int, Repository] = {}
        self._by_place: dict[str, Repository] = {}
        self._moved: dict[str, Repository] = {}
        self._owned: dict[int, dict[int, Repository]] = {}
        self._shared: dict[int, dict[int, Repository]] = {}
        self._count = 0

    def add_repository(
        self, owner: str, name: str, *, created_at: datetime | str | None = None, **fields: Any
    ) -> int:
        """Adds a repository and returns its id. `fields` are fields of its object.

        Times may be datetimes, and `license` a key (`mit`). What is not given is as GitHub
        makes it for a new repository; `updated_at` and `pushed_at` are then `created_at`.
        """
        with self.lock:
            user = self.user(owner)
            place = f"{user.login}/{name}"
            if place.lower() in self._by_place:
                raise ValueError(f"there is a repository {place} already")
            number, created = 500_000_001 + self._count, timestamp(created_at or self.now())
            built = new_repository(number, user.login, name, created, plain(fields))
            self._add(Repository(key=self._count, owner=user, place=place, fields=built), number)
            return number

    def add_object(self, obj: object, listed_by: str) -> None:
        """Serves an object exactly as given in a user's listing, as if the user owned it.

        It may be anything that is JSON, also an id that is there already. With an `id` and a
        `full_name` it is found by them too, before older ones, and the mutations work on it.
        """
        with self.lock:
            fields = obj if isinstance(obj, dict) else {}
            number, place = fields.get("id"), fields.get("full_name")
            found = Repository(
                key=self._count,
                owner=self.user(listed_by),
                place=place if isinstance(place, str) else "",
                fields=dict(fields) if isinstance(obj, dict) else obj,
                exact=True,
            )
            self._add(found, number if isinstance(number, int) else None)

    def repository(self, rid: int) -> Repository:
        """The repository of this id. LookupError when there is none."""
        with self.lock:
            return self._by_id[rid]

    def find(self, place: str) -> Repository:
        """The repository that has or last had this `owner/name`, in any case."""
        with self.lock:
            found = self._by_place.get(place.lower()) or self._moved[place.lower()]
            if found.deleted:
                raise LookupError(place)
            return found

    def owned_by(self, user: User) -> dict[int, Repository]:
        """A user's own repositories, by key."""
        with self.lock:
            return self._owned.get(user.id, {})

    def shared_with(self, user: User) -> dict[int, Repository]:
        """The repositories that a user is a collaborator of, by key."""
        with self.lock:
            return self._shared.get(user.id, {})

    def _add(self, found: Repository, number: int | None) -> None:
        self._count += 1
        self._owned.setdefault(found.owner.id, {})[found.key] = found
        if number is not None:
            self._by_id[number] = found
        if found.place:
            self._place(found)
        self._touched(found)

    def _place(self, found: Repository) -> None:
        self._by_place[found.place.lower()] = found
        self._moved.pop(found.place.lower(), None)

    def _move(self, found: Repository, place: str, owner: User | None = None) -> None:
        there = self._by_place.get(place.lower())
        if there is not None and there is not found:
            raise ValueError(f"there is a repository {place} already")
        old, found.place = found.place, place
        if self._by_place.get(old.lower()) is found:
            del self._by_place[old.lower()]
            self._moved[old.lower()] = found
        self._place(found)
        if owner is not None:
            del self._owned[found.owner.id][found.key]
            self._owned.setdefault(owner.id, {})[found.key] = found
            found.owner = owner
        if found.exact:
            _rewrite(found, old, self.api)
        found.fields |= {"name": place.partition("/")[2], "full_name": place}
        self._tick(found, "updated_at")

    def _update(self, rid: int, clock: str, **fields: Any) -> None:
        with self.lock:
            found = self.repository(rid)
            found.fields |= fields
            self._tick(found, clock)

    def _tick(self, found: Repository, clock: str) -> None:
        # Two changes within one second must still differ, or nobody could see the second.
        now, before = timestamp(self.now()), found.text(clock)
        if before >= now:
            now = timestamp(datetime.fromisoformat(before) + timedelta(seconds=1))
        found.fields[clock] = now
        self._touched(found)

    def _touched(self, found: Repository) -> None:
        found.revision += 1
        self._changed()

    def _changed(self) -> None:
        self.cache.clear()


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
