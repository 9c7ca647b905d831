"""The Apps of the stand-in GitHub, where they are installed, and their tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from tests.stand_in import jwts
from tests.stand_in.apps import App, AppToken, Installation, InstallationToken, suspended
from tests.stand_in.authorizations import Authorizations, Client, random_token
from tests.support.inside.sandbox import Token, World, timestamp

_HOUR = 3600.0
_READ = {"metadata": "read"}


class Installations:
    """The Apps by id and client id, and their installations."""

    def __init__(self, world: World, authorizations: Authorizations) -> None:
        self._host = world.host
        self._users = world.users
        self._repositories = world.repositories
        self._authorizations = authorizations
        self.apps: dict[str, App] = {}
        self._installations: dict[int, Installation] = {}
        self._made = 0

    def add(
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
        number, now = 3001 + len(self.apps) // 2, timestamp(self._host.now())
        slug = name.lower().replace(" ", "-")
        if owner is None:
            owner = f"{slug}-owner"
            self._users.add(owner, kind="Organization")
        app = App(
            id=number,
            client_id=client_id or f"Iv23li{number:014d}",
            name=name,
            slug=slug,
            owner=self._users.get(owner),
            key=jwts.public_key(key),
            permissions=_READ | dict(permissions or {}),
            created_at=now,
        )
        self._authorizations.add_client(
            Client(id=app.client_id, device_flow=device_flow, is_app=True, expiring=expiring)
        )
        self.apps[str(number)] = self.apps[app.client_id] = app
        return number

    def install(
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
        app, account = self.apps[str(app_id)], self._users.get(owner)
        if account in (other.account for other in self.of(app)):
            raise ValueError(f"{app.name} is installed at {owner} already")
        self._made += 1
        number = 70_000_000 + self._made
        self._installations[number] = Installation(
            id=number,
            app=app,
            account=account,
            selected=self._keys(repositories),
            life=expires_in,
            created_at=timestamp(self._host.now()),
        )
        return number

    def select_repositories(self, installation_id: int, repositories: Iterable[int] | None) -> None:
        """Lets an installation see these repositories and no others, or with None all."""
        self._installations[installation_id].selected = self._keys(repositories)

    def set_token_life(self, installation_id: int, seconds: float) -> None:
        """How long tokens are good for that the installation gets from now on."""
        self._installations[installation_id].life = seconds

    def suspend_installation(self, installation_id: int) -> None:
        """Refuses its tokens, and gives it no new ones."""
        self._installations[installation_id].suspended_at = timestamp(self._host.now())

    def unsuspend_installation(self, installation_id: int) -> None:
        """Takes that back; tokens that have not ended are good again."""
        self._installations[installation_id].suspended_at = None

    def uninstall(self, installation_id: int) -> None:
        """Removes an installation; its tokens are bad credentials from now on."""
        self.revoke_tokens(installation_id)
        del self._installations[installation_id]

    def revoke_tokens(self, installation_id: int) -> None:
        """Makes all tokens that an installation has now bad credentials; it may get new ones."""
        holder = self._installations[installation_id]
        for token in [held for held in self._users.tokens.values() if held.holder is holder]:
            self._users.revoke_token(token.value)

    def add_token(
        self,
        installation_id: int,
        *,
        repositories: Iterable[int] | None = None,
        permissions: Mapping[str, str] | None = None,
    ) -> InstallationToken:
        """Gives an installation a token, for all that it has or for a part of that."""
        holder = self._installations[installation_id]
        # GitHub tells the end in whole seconds, and so it is.
        ends = (self._host.now() + timedelta(seconds=holder.life)).replace(microsecond=0)
        token = InstallationToken(
            value=random_token("ghs_"),
            holder=holder,
            scopes=(),
            expires=ends,
            only=self._keys(repositories),
            permissions=_READ | dict(permissions or holder.app.permissions),
        )
        self._users.tokens[token.value] = token
        return token

    def get(self, number: int) -> Installation:
        """The installation of this id. LookupError when there is none."""
        return self._installations[number]

    def of(self, app: App) -> list[Installation]:
        """Where an App is installed, oldest first."""
        return [found for found in self._installations.values() if found.app is app]

    def find_token(self, scheme: str, value: str) -> Token | None:
        """The token of this value, or a JSON web token as one of the App that has signed it."""
        token = self._users.token(value)
        if isinstance(token, InstallationToken) and token.holder.suspended_at:
            raise suspended()
        if token is None and scheme == "bearer" and value.count(".") == 2:
            app = jwts.app_of(value, int(self._host.now().timestamp()), self.apps.get)
            return AppToken(value=value, holder=app, scopes=(), expires=None)
        return token

    def _keys(self, rids: Iterable[int] | None) -> frozenset[int] | None:
        return None if rids is None else frozenset(self._repositories.get(rid).key for rid in rids)
