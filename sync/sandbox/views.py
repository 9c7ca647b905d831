"""The permission of a viewer for a repository, and the repository as JSON for it."""

from __future__ import annotations

from typing import Any

from sync.sandbox.account_json import simple_user
from sync.sandbox.host import Host
from sync.sandbox.messages import digest, encode
from sync.sandbox.registry import Repository
from sync.sandbox.repository_json import repository
from sync.sandbox.users import Token

_MOST_KEPT = 30_000


def permission_of(found: Repository, token: Token | None) -> str | None:
    """The permission of a token for a repository: None hides it, "" is everybody's permission."""
    private = found.flag("private")
    if token is None:
        return None if private else ""
    user = token.user
    if user is None:
        return "pull" if not private or token.opens(found.owner, found.key) else None
    if private and not token.sees_private:
        return None
    role = found.owner.members.get(user.id)
    if found.owner is user or role == "admin":
        return "admin"
    if user.id in found.collaborators:
        return found.collaborators[user.id]
    return "pull" if role or not private else None


class Views:
    """Makes the JSON of repositories, and caches its bytes until a repository changes."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._kept: dict[Any, tuple[bytes, bytes]] = {}

    def clear(self) -> None:
        """Drops the cached bytes, after a change of the address in their URLs."""
        self._kept.clear()

    def json(self, found: Repository, *, permission: str, version: str, full: bool) -> Any:
        """The object of a repository for a viewer with this permission."""
        if found.exact:
            return found.fields
        api, owner = self._host.url, found.owner
        return repository(
            found.fields,
            found.place,
            simple_user(owner.login, owner.id, owner.kind, api),
            api=api,
            permission=permission,
            version=version,
            full=full,
        )

    def encoded(
        self, found: Repository, *, permission: str, version: str, full: bool = False
    ) -> tuple[bytes, bytes]:
        """The JSON of the object as bytes, with their digest."""
        key = (found.key, found.revision, permission, version, full)
        kept = self._kept.get(key)
        if kept is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            body = encode(self.json(found, permission=permission, version=version, full=full))
            kept = self._kept[key] = (body, digest(body))
        return kept
