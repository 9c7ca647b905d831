"""The GitHub of a walk: two users, an organization, their repositories, and who lists which.

Everything is drawn from one `Random`, so that a seed tells the same story again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from sync.forges.forge import Visibility
from sync.sandbox import Sandbox
from sync.sandbox.registry import Repository
from sync.sandbox.users import Token, User
from sync.sandbox.views import permission_of
from tests.conftest import TOKEN

API_VERSION = "2026-03-10"
OWNERS = {"octo": 170, "mona": 60, "guild": 70}  # and how many repositories each begins with

_TEXTS = (None, "", "plain", "With ÜMLAUTS and 🚀", "null", '"quoted", \\ and\ttabs', "x" * 300)
FIELDS: dict[str, tuple[Any, ...]] = {
    "description": _TEXTS,
    "homepage": (None, "", "https://example.org/a?b=c"),
    "language": (None, "Python", "C++"),
    "license": (None, "mit", "apache-2.0", "other"),
    "topics": ([], ["sql"], ["b", "a"], ["ü"]),
    "default_branch": ("main", "trunk", "ü/ß"),
    "has_wiki": (True, False),
    "is_template": (True, False),
    "disabled": (True, False),
    "fork": (True, False),
    "forks_count": (0, 1, 7),
    "open_issues_count": (0, 5),
    "size": (0, 100, 2**40),
    "pushed_at": (None, "2020-01-02T03:04:05Z"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account of the ledger, and the user at GitHub that it is."""

    name: str
    login: str
    token: str
    visibility: Visibility = "public"


class NothingFitsError(Exception):
    """What was drawn cannot be done to any repository."""


class World:
    """A sandbox, the ids of what is there, and of what changed since `touched` was emptied."""

    def __init__(self, sandbox: Sandbox, rng: Random, *, other: Visibility = "public") -> None:
        self.sandbox = sandbox
        self.rng = rng
        self.accounts = (
            Account(name="me", login="octo", token=TOKEN),
            Account(name="other", login="mona", token="the-token-of-mona", visibility=other),
        )
        self.ids: list[int] = []
        self.touched: set[int] = set()
        self._recent: deque[int] = deque(maxlen=15)
        self._names: list[str] = []
        for account in self.accounts:
            sandbox.add_user(account.login, token=account.token)
            sandbox.set_quota(account.token, limit=10**7)
        sandbox.add_user("guild", kind="Organization")
        for account in self.accounts:
            sandbox.add_member("guild", account.login)
        # All mixed, so that the pages of a listing begin with repositories of each kind.
        for owner in rng.sample(tuple(OWNERS), counts=OWNERS.values(), k=sum(OWNERS.values())):
            self.add(owner, self.new_name(owner))

    # What is there

    def found(self, rid: int) -> Repository | None:
        """Return the repository of this id, if it is there."""
        try:
            return self.sandbox.repository(rid)
        except LookupError:
            return None

    def listed(self, account: Account) -> set[int]:
        """Return the ids of what the account lists now."""
        return {found.fields["id"] for found in self._concerning(account) if found.listed}

    def kept(self, account: Account) -> set[int]:
        """Return the ids of the user's own that listings conceal, and that are there all the same.

        Of what somebody else owns nobody can tell whether it is concealed or no longer shared.
        """
        concerning, owner = self._concerning(account), self.sandbox.user(account.login)
        return {found.fields["id"] for found in concerning if _concealed(found, owner)}

    def safe(self, account: Account) -> set[int]:
        """Return the ids of what the account must not lose now: listed or kept, and not blocked."""
        concerning, owner = self._concerning(account), self.sandbox.user(account.login)
        return {
            found.fields["id"]
            for found in concerning
            if (found.listed and found.block is None) or _concealed(found, owner)
        }

    def reason(
        self, account: Account, rid: int, owner_before: int | None, visibility_before: str | None
    ) -> str:
        """Return why a repository that the account no longer lists has gone, as far as is known.

        Who is not told that it is private is told nothing of it; but another account may have been.
        """
        found = self.found(rid)
        public_only = account.visibility == "public"
        if found is None or permission_of(found, self._token(account)) is None:
            return "private" if public_only and visibility_before == "private" else "not_found"
        if found.block is not None:
            return "blocked"
        if found.flag("private") and public_only:
            return "private"
        return "unlisted" if found.owner.id == owner_before else "transferred"

    def _concerning(self, account: Account) -> list[Repository]:
        """Return what the account would list if nothing were concealed or blocked."""
        user, token = self.sandbox.user(account.login), self._token(account)
        private = {"public": (False,), "private": (True,)}.get(account.visibility, (False, True))

        def tied(found: Repository) -> bool:
            shared = user.id in found.collaborators or user.id in found.owner.members
            return shared or found.owner is user

        return [
            found
            for found in map(self.sandbox.repository, self.ids)
            if tied(found)
            and found.flag("private") in private
            and permission_of(found, token) is not None
        ]

    def _token(self, account: Account) -> Token | None:
        return self.sandbox.token(account.token)

    # What every change is made of

    def pick(self, fits: Callable[[Repository], bool] = lambda found: True) -> Repository:
        """Return a repository that fits, to be changed; often one that was changed lately.

        Raises NothingFitsError.
        """
        fitting = [rid for rid in self.ids if fits(self.sandbox.repository(rid))]
        recent = [rid for rid in fitting if rid in self._recent]
        if not fitting:
            raise NothingFitsError
        rid = self.rng.choice(recent if recent and self.rng.random() < 0.4 else fitting)
        self.touched.add(rid)
        self._recent.append(rid)
        return self.sandbox.repository(rid)

    def taken(self, place: str) -> bool:
        """Tell whether a repository is called this."""
        return any(self.sandbox.repository(r).place.lower() == place.lower() for r in self.ids)

    def new_name(self, owner: str) -> str:
        """Return a name that is free; sometimes one that something else has had."""
        if self._names and self.rng.random() < 0.3:
            name = self.rng.choice(self._names)
            if not self.taken(f"{owner}/{name}"):
                return name
        self._names.append(f"Repo-{len(self._names)}")
        return self._names[-1]

    def add(self, owner: str, name: str) -> str:
        """Add a repository with something about it; return what was done."""
        fields = {key: self.rng.choice(FIELDS[key]) for key in self.rng.sample(sorted(FIELDS), 4)}
        private = self.rng.random() < 0.05
        rid = self.sandbox.add_repository(owner, name, private=private, **fields)
        self.ids.append(rid)
        self.touched.add(rid)
        return f"add {rid} {owner}/{name}{' (private)' * private}"

    def delete(self, found: Repository) -> str:
        """Delete a repository; return what was done."""
        self.sandbox.delete(found.fields["id"])
        self.ids.remove(found.fields["id"])
        return f"delete {told(found)}"


def _concealed(found: Repository, owner: User) -> bool:
    return found.hidden and found.block is None and found.owner is owner


def told(found: Repository) -> str:
    """Return a repository as the lines of a walk tell of it."""
    return f"{found.fields['id']} {found.place}"
