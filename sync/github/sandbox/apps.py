"""GitHub Apps, and the accounts that have installed one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .accounts import User


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
