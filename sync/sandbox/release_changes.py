"""What can happen to the releases of a repository: new ones, downloads, replaced assets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sync.sandbox.account_json import simple_user, timestamp
from sync.sandbox.host import Host
from sync.sandbox.registry import Repositories, Repository
from sync.sandbox.release_json import asset, release

_JSON = dict[str, Any]


class ReleaseChanges:
    """Changes the releases of repositories, given by id."""

    def __init__(self, host: Host, repositories: Repositories) -> None:
        self._host = host
        self._repositories = repositories
        self._made = 0

    def add(
        self,
        rid: int,
        tag: str,
        *,
        assets: Mapping[str, int] | None = None,
        draft: bool = False,
        created_at: datetime | None = None,
    ) -> int:
        """Adds a release and returns its id. `assets` are downloads by the names of its files.

        A draft is told only to viewers who may push.
        """
        found, told = self._repositories.get(rid), self._releases(rid)
        moment, api = timestamp(created_at or self._host.now()), self._host.url
        files = [
            self._asset(found, tag, name, moment, count) for name, count in (assets or {}).items()
        ]
        number = self._number()
        new = release(found.place, number, tag, moment, self._author(found), files, api=api)
        if draft:
            new |= {"draft": True, "published_at": None}
        found.children["releases"] = [new, *told]
        return number

    def download(self, rid: int, tag: str, name: str, by: int = 1) -> None:
        """Counts downloads of an asset."""
        files = self._find(rid, tag)["assets"]
        _of(files, "name", name)["download_count"] += by

    def replace(self, rid: int, tag: str, name: str) -> int:
        """Replaces an asset by a new one of its name, without downloads; returns the new id."""
        found, files = self._repositories.get(rid), self._find(rid, tag)["assets"]
        new = self._asset(found, tag, name, timestamp(self._host.now()), 0)
        files[files.index(_of(files, "name", name))] = new
        return int(new["id"])

    def remove(self, rid: int, tag: str) -> None:
        """Deletes a release with its assets."""
        self._releases(rid).remove(self._find(rid, tag))

    def _asset(self, found: Repository, tag: str, name: str, moment: str, count: int) -> _JSON:
        number, api, size = self._number(), self._host.url, 1000 + len(name)
        return asset(
            found.place,
            number,
            name,
            tag,
            moment,
            self._author(found),
            api=api,
            size=size,
            downloads=count,
        )

    def _author(self, found: Repository) -> _JSON:
        owner = found.owner
        return simple_user(owner.login, owner.id, owner.kind, self._host.url)

    def _number(self) -> int:
        self._made += 1
        return 9_000_000 + self._made

    def _find(self, rid: int, tag: str) -> _JSON:
        return _of(self._releases(rid), "tag_name", tag)

    def _releases(self, rid: int) -> list[_JSON]:
        told = self._repositories.get(rid).children.setdefault("releases", [])
        if not isinstance(told, list):
            raise TypeError(f"the releases of {rid} are no list that can be changed")
        return told


def _of(items: list[_JSON], field: str, value: str) -> _JSON:
    for item in items:
        if item[field] == value:
            return item
    raise LookupError(f"there is no {field} {value}")
