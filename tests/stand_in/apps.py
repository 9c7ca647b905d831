"""GitHub Apps, and the accounts that have installed one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar

from tests.support.inside.sandbox import RefusedError, Token, User


@dataclass(eq=False, kw_only=True)
class App:
    """A GitHub App. `key` is the public key that its JSON web tokens are checked with."""

    what: ClassVar[str] = "app"

    id: int
    client_id: str
    name: str
    slug: str
    owner: User
    key: Any
    permissions: Mapping[str, str]
    created_at: str


@dataclass(eq=False, kw_only=True)
class Installation:
    """An App on an account. `selected` are keys of repositories, None when it is all of them.

    `life` is the time in seconds that a token of it is good for.
    """

    what: ClassVar[str] = "installation"

    id: int
    app: App
    account: User
    selected: frozenset[int] | None
    life: float
    created_at: str
    suspended_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class AppToken(Token):
    """A JSON web token that an App has signed: it has neither scopes nor permissions."""

    def headers(self, accepted_scopes: str) -> dict[str, str]:
        return self.expiry_header()


@dataclass(frozen=True, kw_only=True)
class InstallationToken(Token):
    """A token of an installation, good for `only` some of its repositories, by their keys."""

    holder: Installation
    only: frozenset[int] | None = None
    permissions: Mapping[str, str] = field(default_factory=dict, hash=False)

    def opens(self, owner: User, key: int) -> bool:
        given = (self.holder.selected, self.only)
        return owner is self.holder.account and all(keys is None or key in keys for keys in given)


def suspended() -> RefusedError:
    """What an App is told of an installation that its owner has suspended."""
    hint = "/reference/apps#create-an-installation-access-token-for-an-app"
    return RefusedError(HTTPStatus.FORBIDDEN, "This installation has been suspended", hint=hint)
