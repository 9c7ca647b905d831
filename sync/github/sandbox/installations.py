"""The Apps of the stand-in GitHub, where they are installed, and their tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from . import jwts
from .accounts import Token
from .apps import App, Installation
from .authorizations import Client, random_token
from .objects import timestamp
from .registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

_HOUR = 3600.0
_READ = {"metadata": "read"}


class Installations(Registry):
    """Accounts, repositories, and the Apps that may see some of these, behind `lock`."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now)
        self._apps: dict[str, App] = {}
        self._installations: dict[int, Installation] = {}
        self._made = 0

    def add_app(
        self,
        name: str,
        *,
        key: str | bytes,
        owner: str | None = None,
        client_id: str | None = None,
        permissions: Mapping[str, str] | None = None,
        device_flow: bool = True,
        expiring: bool = True,
    ) -> int:
        """Registers a GitHub App and returns its id.

        `key` is its RSA key as PEM, public or private. Its owner is an organization of the
        App's name unless given. Users may sign in to it too, by the device flow, under its
        client id; their tokens end after eight hours if it is `expiring`.
        """
        with self.lock:
            number, now = 3001 + len(self._apps) // 2, timestamp(self.now())
            slug = name.lower().replace(" ", "-")
            if owner is None:
                owner = f"{slug}-owner"
                self.add_user(owner, kind="Organization")
            app = App(
                id=number,
                client_id=client_id or f"Iv23li{number:014d}",
                name=name,
                slug=slug,
                owner=self.user(owner),
                key=jwts.public_key(key),
                permissions=_READ | dict(permissions or {}),
                created_at=now,
            )
            self.add_client(
                Client(id=app.client_id, device_flow=device_flow, is_app=True, expiring=expiring)
            )
            self._apps[str(number)] = self._apps[app.client_id] = app
            return number

    def install_app(
        self,
        app_id: int,
        owner: str,
        *,
        repositories: Iterable[int] | None = None,
        expires_in: float = _HOUR,
    ) -> int:
        """Installs an App on an account and returns the id of the installation.

        It gets all repositories of the account, now and later, or only those of these ids.
        `expires_in` is the time in seconds that each of its tokens will be good for.
        """
        with self.lock:
            app, account = self._apps[str(app_id)], self.user(owner)
            if account in (other.account for other in self.installations_of(app)):
                raise ValueError(f"{app.name} is installed at {owner} already")
            self._made += 1
            number = 70_000_000 + self._made
            self._installations[number] = Installation(
                id=number,
                app=app,
                account=account,
                selected=self._keys(repositories),
                life=expires_in,
                created_at=timestamp(self.now()),
            )
            return number

    def select_repositories(self, installation_id: int, repositories: Iterable[int] | None) -> None:
        """Lets an installation see these repositories and no others, or with None all."""
        with self.lock:
            self._installations[installation_id].selected = self._keys(repositories)
            self._changed()

    def set_token_life(self, installation_id: int, seconds: float) -> None:
        """How long tokens are good for that the installation gets from now on."""
        with self.lock:
            self._installations[installation_id].life = seconds

    def suspend_installation(self, installation_id: int) -> None:
        """Refuses its tokens, and gives it no new ones."""
        with self.lock:
            self._installations[installation_id].suspended_at = timestamp(self.now())

    def unsuspend_installation(self, installation_id: int) -> None:
        """Takes that back; tokens that have not ended are good again."""
        with self.lock:
            self._installations[installation_id].suspended_at = None

    def uninstall_app(self, installation_id: int) -> None:
        """Removes an installation; its tokens are bad credentials from now on."""
        with self.lock:
            self.revoke_installation_tokens(installation_id)
            del self._installations[installation_id]

    def revoke_installation_tokens(self, installation_id: int) -> None:
        """Makes all tokens that an installation has now bad credentials; it may get new ones."""
        with self.lock:
            holder = self._installations[installation_id]
            for token in [held for held in self._tokens.values() if held.holder is holder]:
                self.revoke_token(token.value)

    def add_installation_token(
        self,
        installation_id: int,
        *,
        repositories: Iterable[int] | None = None,
        permissions: Mapping[str, str] | None = None,
    ) -> Token:
        """Gives an installation a token, for all that it has or for a part of that."""
        with self.lock:
            holder = self._installations[installation_id]
            # GitHub tells the end in whole seconds, and so it is.
            ends = (self.now() + timedelta(seconds=holder.life)).replace(microsecond=0)
            token = Token(
                value=random_token("ghs_"),
                holder=holder,
                scopes=(),
                expires=ends,
                only=self._keys(repositories),
                permissions=_READ | dict(permissions or holder.app.permissions),
            )
            self._tokens[token.value] = token
            return token

    def installation(self, number: int) -> Installation:
        """The installation of this id. LookupError when there is none."""
        with self.lock:
            return self._installations[number]

    def installations_of(self, app: App) -> list[Installation]:
        """Where an App is installed, oldest first."""
        with self.lock:
            return [found for found in self._installations.values() if found.app is app]

    def signed_in(self, value: str) -> Token:
        """A JSON web token as the token of the App that has signed it, or RefusedError."""
        with self.lock:
            app = jwts.app_of(value, int(self.now().timestamp()), self._apps.get)
            return Token(value=value, holder=app, scopes=(), expires=None)

    def _keys(self, rids: Iterable[int] | None) -> frozenset[int] | None:
        return None if rids is None else frozenset(self.repository(rid).key for rid in rids)
