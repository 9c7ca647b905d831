"""Users and organizations, their members and their tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, Protocol

from sync.sandbox.account_json import timestamp
from sync.sandbox.host import Host

Kind = Literal["User", "Organization"]
LEVELS = ("read", "write", "admin")


class Holder(Protocol):
    """The owner of a token: a user, or an App installation. `what` is GitHub's word for it."""

    what: ClassVar[str]
    id: int


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
    """A credential of its holder. The prefix of its value tells whether it has scopes.

    `restricted` are ids of organizations for whose single sign-on it is not authorized.
    `permissions` are those of a fine-grained token; None for all.
    """

    value: str
    holder: Holder
    scopes: tuple[str, ...]
    expires: datetime | None
    restricted: frozenset[int] = frozenset()
    permissions: Mapping[str, str] | None = field(default=None, hash=False)

    @property
    def user(self) -> User | None:
        """The token's user; None for a holder that is no user."""
        return self.holder if isinstance(self.holder, User) else None

    @property
    def fine_grained(self) -> bool:
        """Whether the token has permissions instead of scopes."""
        return self.value.startswith(("github_pat_", "ghu_", "ghs_"))

    @property
    def sees_private(self) -> bool:
        """Whether the token can see private repositories of its user."""
        return self.fine_grained or "repo" in self.scopes

    @property
    def of_app(self) -> bool:
        """Whether an App got the token, for itself or for a user."""
        return self.value.startswith(("ghu_", "ghs_"))

    @property
    def of_actions(self) -> bool:
        """Whether it is that of GitHub Actions: like an installation's, but of a user here."""
        return self.value.startswith("ghs_") and self.user is not None

    def may(self, name: str, level: str = "read") -> bool:
        """Whether a fine-grained token has this permission; administration Actions cannot have."""
        if self.of_actions and name == "administration":
            return False
        held = LEVELS[-1] if self.permissions is None else self.permissions.get(name, "")
        return held in LEVELS[LEVELS.index(level) :]

    def opens(self, owner: User, key: int) -> bool:  # noqa: ARG002
        """Whether a token without a user can see this private repository of an owner."""
        return False

    def headers(self, accepted_scopes: str) -> dict[str, str]:
        """The headers of an answer that describe the token."""
        if self.fine_grained:
            described = {"X-Accepted-GitHub-Permissions": "metadata=read"}
        else:
            described = {
                "X-OAuth-Scopes": ", ".join(sorted(self.scopes)),
                "X-Accepted-OAuth-Scopes": accepted_scopes,
            }
        return described | self.expiry_header()

    def expiry_header(self) -> dict[str, str]:
        """The header with the token's expiry; none if it does not expire."""
        if self.expires is None:
            return {}
        ends = f"{self.expires.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        return {"GitHub-Authentication-Token-Expiration": ends}


class Users:
    """Finds users by login or id, and tokens by their value."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._by_login: dict[str, User] = {}
        self._by_id: dict[int, User] = {}
        self.tokens: dict[str, Token] = {}

    def add(
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
        if login.lower() in self._by_login:
            raise ValueError(f"there is a user {login} already")
        number, created = 1001 + len(self._by_login), timestamp(created_at or self._host.now())
        user = User(
            id=number, login=login, kind=kind, created_at=created, name=name, profile=profile
        )
        self._by_login[login.lower()] = self._by_id[number] = user
        if token is not None:
            self.add_token(login, token, scopes=scopes, expires=expires)
        return number

    def add_token(
        self,
        login: str,
        token: str,
        *,
        scopes: Iterable[str] = ("repo",),
        expires: datetime | None = None,
        permissions: Mapping[str, str] | None = None,
    ) -> None:
        """Gives a user one more token; all tokens of a user share one quota.

        `permissions` (`{"administration": "read"}`) are those of a fine-grained token, which has
        all without them. A token that begins with `ghs_` is that of GitHub Actions.
        """
        user = self.get(login)
        if expires is not None and expires.tzinfo is None:
            raise ValueError(f"a time without a zone: {expires}")
        held = Token(
            value=token,
            holder=user,
            scopes=tuple(scopes),
            expires=expires,
            permissions=permissions,
        )
        if permissions is not None and not held.fine_grained:
            raise ValueError("a classic token has no permissions")
        if self.tokens.setdefault(token, held).holder is not user:
            raise ValueError("this token belongs to another user")
        self.tokens[token] = held

    def revoke_token(self, token: str) -> None:
        """Revokes a token: requests with it get 401 from now on."""
        del self.tokens[token]

    def set_scopes(self, token: str, scopes: Iterable[str]) -> None:
        """Gives a classic token these scopes instead of those it has."""
        held = self.tokens[token]
        if held.fine_grained:
            raise ValueError("a fine-grained token has no scopes")
        self.tokens[token] = replace(held, scopes=tuple(scopes))

    def set_permissions(self, token: str, permissions: Mapping[str, str] | None) -> None:
        """Gives a fine-grained token these permissions instead of those it has; None: all."""
        held = self.tokens[token]
        if not held.fine_grained:
            raise ValueError("a classic token has no permissions")
        self.tokens[token] = replace(held, permissions=permissions)

    def restrict_sso(self, token: str, organizations: Iterable[str]) -> None:
        """Makes exactly these organizations require single sign-on of a token; () of none.

        As at GitHub, only of members: an organization to which the user does not belong at the
        time of a request requires nothing.
        """
        restricted = frozenset(self._organization(login).id for login in organizations)
        self.tokens[token] = replace(self.tokens[token], restricted=restricted)

    def add_member(
        self, org: str, login: str, *, role: Literal["member", "admin"] = "member"
    ) -> None:
        """Makes a user a member of an organization, whose repositories it then lists too."""
        self._organization(org).members[self.get(login).id] = role

    def remove_member(self, org: str, login: str) -> None:
        """Removes a member. LookupError when the user is none."""
        del self.get(org).members[self.get(login).id]

    def get(self, who: str | int) -> User:
        """The user of this login, in any case, or of this id. LookupError when there is none."""
        return self._by_login[who.lower()] if isinstance(who, str) else self._by_id[who]

    def organizations_of(self, user: User) -> list[User]:
        """The organizations that a user is a member of."""
        return [other for other in self._by_login.values() if user.id in other.members]

    def closed_to(self, token: Token | None) -> list[User]:
        """The organizations that require single sign-on of this token."""
        if token is None or token.user is None or not token.restricted:
            return []
        mine = self.organizations_of(token.user)
        return [org for org in mine if org.id in token.restricted]

    def token(self, value: str) -> Token | None:
        """The token with this value; None if it is unknown or has expired."""
        held = self.tokens.get(value)
        expired = held is not None and held.expires is not None and held.expires <= self._host.now()
        return None if expired else held

    def _organization(self, login: str) -> User:
        owner = self.get(login)
        if owner.kind != "Organization":
            raise ValueError(f"{owner.login} is not an organization")
        return owner
