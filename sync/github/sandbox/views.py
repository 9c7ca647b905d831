"""What a viewer may see of a repository, and the bytes of it, kept until it changes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from .apps import Installation
from .objects import simple_user
from .repositories import repository

if TYPE_CHECKING:
    from .accounts import Token, User
    from .registry import Repository
    from .state import State

_MOST_KEPT = 30_000


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Who asks: the token that was sent, or none."""

    token: Token | None = None

    @property
    def user(self) -> User | None:
        """The user whose token it is; None for an App's own too."""
        return self.token.user if self.token else None


def permission_of(found: Repository, viewer: Viewer) -> str | None:
    """What a viewer may do with a repository: None is not even see it, "" see it unnamed."""
    user, private = viewer.user, found.flag("private")
    if viewer.token is None:
        return None if private else ""
    if user is None:
        return "pull" if not private or granted(found, viewer.token) else None
    if private and not viewer.token.sees_private:
        return None
    role = found.owner.members.get(user.id)
    if found.owner is user or role == "admin":
        return "admin"
    if user.id in found.collaborators:
        return found.collaborators[user.id]
    return "pull" if role or not private else None


def granted(found: Repository, token: Token) -> bool:
    """Whether a repository is one that this token's installation has been given."""
    holder = token.holder
    if not isinstance(holder, Installation) or found.owner is not holder.account:
        return False
    return all(keys is None or found.key in keys for keys in (holder.selected, token.only))


def view(state: State, found: Repository, *, permission: str, version: str, full: bool) -> Any:
    """The object of a repository as one with this permission gets it."""
    if found.exact:
        return found.fields
    owner = simple_user(found.owner.login, found.owner.id, found.owner.kind, state.api)
    return repository(
        found.fields,
        found.place,
        owner,
        api=state.api,
        permission=permission,
        version=version,
        full=full,
    )


def encoded(
    state: State, found: Repository, *, permission: str, version: str, full: bool = False
) -> tuple[bytes, bytes]:
    """The same as JSON, with a digest of it. Call it with the state's lock held."""
    key = (found.key, found.revision, permission, version, full)
    kept = state.encoded.get(key)
    if kept is None:
        if len(state.encoded) >= _MOST_KEPT:
            state.encoded.clear()
        body = encode(view(state, found, permission=permission, version=version, full=full))
        kept = state.encoded[key] = (body, digest(body))
    return kept


def encode(value: Any) -> bytes:
    """Compact JSON in UTF-8; what that cannot hold (huge numbers, half a pair) is escaped."""
    try:
        return msgspec.json.encode(value)
    except (OverflowError, ValueError, UnicodeEncodeError):
        return json.dumps(value, separators=(",", ":")).encode()


def digest(*parts: bytes) -> bytes:
    """A short hash of these bytes."""
    return sha256(b"\n".join(parts)).digest()
