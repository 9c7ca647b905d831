"""Who exists, who may sign in, and how many requests each has left."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from .objects import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .apps import App, Installation

Kind = Literal["User", "Organization"]

_HOUR = timedelta(hours=1)
_LIMIT_WITH_TOKEN, _LIMIT_BY_ADDRESS = 5000, 60


@dataclass(eq=False, kw_only=True)
class User:
    """A user or an organization. `members` are ids of users with their role in it."""

    what: ClassVar[str] = "user"

    id: int
    login: str
    kind: Kind
    created_at: str
    name: str | None = None
    profile: dict[str, Any] = field(default_factory=dict)
    members: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Token:
    """A credential of its holder. How it starts tells whether it has scopes.

    `restricted` are ids of organizations whose single sign-on it has not been authorized for.
    An installation's token may be good for `only` some of the repositories, by their keys.
    """

    value: str
    holder: User | App | Installation
    scopes: tuple[str, ...]
    expires: datetime | None
    restricted: frozenset[int] = frozenset()
    only: frozenset[int] | None = None
    permissions: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def user(self) -> User | None:
        """The user whose token it is; None when it is an App's own."""
        return self.holder if isinstance(self.holder, User) else None

    @property
    def fine_grained(self) -> bool:
        """Whether it is bound to permissions instead of scopes."""
        return self.value.startswith(("github_pat_", "ghu_", "ghs_"))

    @property
    def sees_private(self) -> bool:
        """Whether it opens private repositories at all."""
        return self.fine_grained or "repo" in self.scopes


@dataclass(kw_only=True)
class Quota:
    """How many requests of the current window are used, and when the next one begins."""

    limit: int
    reset: datetime
    used: int = 0

    @property
    def remaining(self) -> int:
        """How many requests are left; never below zero."""
        return max(self.limit - self.used, 0)


class Accounts:
    """Users, their tokens and their quotas, behind `lock`."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        self.lock = threading.RLock()
        self.now = now or (lambda: datetime.now(UTC))
        self._users: dict[str, User] = {}
        self._users_by_id: dict[int, User] = {}
        self._tokens: dict[str, Token] = {}
        self._quotas: dict[User | App | Installation | None, Quota] = {}

    def add_user(
        self,
        login: str,
        *,
        token: str | None = None,
        scopes: Iterable[str] = ("repo",),
        expires: datetime | None = None,
        kind: Kind = "User",
        name: str | None = None,
        created_at: datetime | str | None = None,
        **profile: Any,
    ) -> int:
        """Adds a user or an organization and returns its id; `profile` goes into its object."""
        with self.lock:
            if login.lower() in self._users:
                raise ValueError(f"there is a user {login} already")
            number, created = 1001 + len(self._users), timestamp(created_at or self.now())
            user = User(
                id=number, login=login, kind=kind, created_at=created, name=name, profile=profile
            )
            self._users[login.lower()] = self._users_by_id[number] = user
            if token is not None:
                self.add_token(login, token, scopes=scopes, expires=expires)
            self._changed()
            return number

    def add_token(
        self,
        login: str,
        token: str,
        *,
        scopes: Iterable[str] = ("repo",),
        expires: datetime | None = None,
    ) -> None:
        """Gives a user one more token; all tokens of a user share one quota."""
        with self.lock:
            user = self.user(login)
            if expires is not None and expires.tzinfo is None:
                raise ValueError(f"a time without a zone: {expires}")
            held = Token(value=token, holder=user, scopes=tuple(scopes), expires=expires)
            if self._tokens.setdefault(token, held).holder is not user:
                raise ValueError("this token belongs to another user")
            self._tokens[token] = held

    def revoke_token(self, token: str) -> None:
        """Makes a token bad credentials from now on."""
        with self.lock:
            del self._tokens[token]

    def set_scopes(self, token: str, scopes: Iterable[str]) -> None:
        """Gives a classic token these scopes instead of those it has."""
        with self.lock:
            held = self._tokens[token]
            if held.fine_grained:
                raise ValueError("a fine-grained token has no scopes")
            self._tokens[token] = replace(held, scopes=tuple(scopes))
            self._changed()

    def restrict_sso(self, token: str, organizations: Iterable[str]) -> None:
        """Makes these organizations, and no others, demand single sign-on of a token.

        An empty tuple lifts it. As at GitHub it is for members alone: an organization that the
        user does not belong to at the time of a request demands nothing.
        """
        with self.lock:
            held = self._tokens[token]
            owners = [self.user(login) for login in organizations]
            for owner in owners:
                if owner.kind != "Organization":
                    raise ValueError(f"{owner.login} is not an organization")
            restricted = frozenset(owner.id for owner in owners)
            self._tokens[token] = replace(held, restricted=restricted)
            self._changed()

    def add_member(
        self, org: str, login: str, *, role: Literal["member", "admin"] = "member"
    ) -> None:
        """Makes a user a member of an organization, whose repositories it then lists too."""
        with self.lock:
            owner = self.user(org)
            if owner.kind != "Organization":
                raise ValueError(f"{org} is not an organization")
            owner.members[self.user(login).id] = role
            self._changed()

    def remove_member(self, org: str, login: str) -> None:
        """Takes that back. LookupError when the user is no member."""
        with self.lock:
            del self.user(org).members[self.user(login).id]
            self._changed()

    def set_quota(
        self,
        token: str | None,
        *,
        limit: int = _LIMIT_WITH_TOKEN,
        remaining: int | None = None,
        reset: datetime | None = None,
    ) -> None:
        """Sets what is left to the token's holder, or without a token to every address.

        After `reset`, one hour from now unless given, the whole limit is there again.
        """
        with self.lock:
            key = self._tokens[token].holder if token is not None else None
            used = 0 if remaining is None else limit - remaining
            self._quotas[key] = Quota(limit=limit, reset=reset or self.now() + _HOUR, used=used)

    def user(self, who: str | int) -> User:
        """The user of this login, in any case, or of this id. LookupError when there is none."""
        with self.lock:
            return self._users[who.lower()] if isinstance(who, str) else self._users_by_id[who]

    def organizations_of(self, user: User) -> list[User]:
        """The organizations that a user is a member of."""
        with self.lock:
            return [other for other in self._users.values() if user.id in other.members]

    def closed_to(self, token: Token | None) -> list[User]:
        """The organizations that demand single sign-on of this token."""
        with self.lock:
            if token is None or token.user is None or not token.restricted:
                return []
            mine = self.organizations_of(token.user)
            return [org for org in mine if org.id in token.restricted]

    def token(self, value: str) -> Token | None:
        """The token, when it is known and has not expired."""
        with self.lock:
            held = self._tokens.get(value)
            expired = held is not None and held.expires is not None and held.expires <= self.now()
            return None if expired else held

    def quota(self, token: Token | None) -> Quota:
        """What a token's holder has left, or all addresses; a window that has passed begins anew.

        A user has one quota, whatever the token, and each installation of an App its own.
        """
        with self.lock:
            key = token.holder if token else None
            fresh = _LIMIT_WITH_TOKEN if token else _LIMIT_BY_ADDRESS
            now = self.now()
            quota = self._quotas.setdefault(key, Quota(limit=fresh, reset=now + _HOUR))
            if quota.reset <= now:
                quota.reset, quota.used = now + _HOUR, 0
            return quota

    def _changed(self) -> None:
        """Called after every mutation, with the lock held."""
