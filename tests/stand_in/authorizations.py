"""Users who sign in to programs: OAuth clients, device codes, and what is granted with them."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.stand_in.scopes import normalized
from tests.support.inside.sandbox import Token, User, World

_LETTERS = string.ascii_letters + string.digits
_SLOWER = 5


@dataclass(frozen=True, kw_only=True)
class Client:
    """A program that users may sign in to; all times are in seconds.

    One that is a GitHub App gets tokens with its permissions, others with scopes.
    """

    id: str
    secret: str | None = None
    device_flow: bool = True
    is_app: bool = False
    expiring: bool = False
    interval: int = 5
    code_life: int = 900
    token_life: int = 8 * 3600
    refresh_life: int = 184 * 24 * 3600


@dataclass(eq=False, kw_only=True)
class Device:
    """A device that waits for its user. `interval` is what it must wait between two polls."""

    client: Client
    device_code: str
    user_code: str
    scopes: tuple[str, ...]
    expires: datetime
    interval: int
    polled: datetime | None = None
    user: User | None = None
    denied: bool = False


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a user has granted to a client: two tokens, and until when each is good.

    Without an end there is no token to renew it with.
    """

    client: Client
    user: User
    scopes: tuple[str, ...]
    access: str
    refresh: str
    expires: datetime | None
    renewable: datetime | None


class Ungranted(Exception):
    """A request for a token is refused, by one of OAuth's words. Carries the new interval."""

    def __init__(self, word: str, *, interval: int | None = None) -> None:
        super().__init__(word)
        self.word = word
        self.interval = interval


def random_token(prefix: str) -> str:
    """A token as GitHub makes them: the prefix tells its kind."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(36))


class Authorizations:
    """The programs that may sign in users, the devices that wait, and what was granted."""

    def __init__(self, world: World) -> None:
        self._users = world.users
        self._host = world.host
        self._clients: dict[str, Client] = {}
        self._devices: dict[str, Device] = {}
        self._grants: list[Grant] = []

    def add_oauth_app(
        self,
        client_id: str,
        *,
        secret: str | None = None,
        device_flow: bool = True,
        expiring: bool = False,
        interval: int = 5,
        code_expires_in: int = 900,
        token_expires_in: int = 8 * 3600,
        refresh_expires_in: int = 184 * 24 * 3600,
    ) -> None:
        """Registers an OAuth App, whose tokens have scopes and no end; all times in seconds.

        One that is `expiring` is as a GitHub App: its users' tokens have no scopes, end, and
        come with a refresh token. To change an App, add it again.
        """
        client = Client(
            id=client_id,
            secret=secret,
            device_flow=device_flow,
            is_app=expiring,
            expiring=expiring,
            interval=interval,
            code_life=code_expires_in,
            token_life=token_expires_in,
            refresh_life=refresh_expires_in,
        )
        self.add_client(client)

    def add_client(self, client: Client) -> None:
        """Registers a program; one of the same id is replaced."""
        self._clients[client.id] = client

    def pending(self) -> list[str]:
        """The user codes that nobody has decided about and that have not ended, oldest first."""
        return [code for code, device in self._devices.items() if self._waits(device)]

    def authorize(self, user_code: str, login: str) -> None:
        """What a user does at /login/device: lets a device in. LookupError without such a code."""
        self._waiting(user_code).user = self._users.get(login)

    def deny(self, user_code: str) -> None:
        """Sends it away. LookupError without such a code."""
        self._waiting(user_code).denied = True

    def grant(self, client_id: str, login: str, *, scope: str = "") -> Grant:
        """Lets a program in without a device: its tokens are the grant's `access` and `refresh`."""
        client = self._clients[client_id]
        scopes = () if client.is_app else normalized(scope)
        return self._grant(client, self._users.get(login), scopes)

    def revoke_authorization(self, client_id: str, login: str) -> None:
        """Takes back all that a user has granted to a program: its tokens are bad from now on."""
        user = self._users.get(login)
        for grant in list(self._grants):
            if grant.client.id == client_id and grant.user is user:
                self._end(grant)

    def client(self, client_id: str, secret: str | None = None) -> Client:
        """The program of this id; if it has told a secret, that must be the right one."""
        found = self._clients.get(client_id)
        if found is None or (secret and secret != found.secret):
            raise Ungranted("incorrect_client_credentials")
        return found

    def new_device(self, client_id: str, scope: str) -> Device:
        """A device begins to wait for its user, who is to grant what it asks for."""
        client = self.client(client_id)
        if not client.device_flow:
            raise Ungranted("device_flow_disabled")
        code = secrets.token_hex(4).upper()
        device = Device(
            client=client,
            device_code=secrets.token_hex(20),
            user_code=f"{code[:4]}-{code[4:]}",
            scopes=() if client.is_app else normalized(scope),
            expires=self._host.now() + timedelta(seconds=client.code_life),
            interval=client.interval,
        )
        self._devices[device.user_code] = device
        return device

    def poll(self, client_id: str, device_code: str) -> Grant:
        """What the user has granted to a device, or why there is nothing yet."""
        client = self.client(client_id)
        if not client.device_flow:
            raise Ungranted("device_flow_disabled")
        devices = self._devices.values()
        found = [device for device in devices if device.device_code == device_code]
        if not found or found[0].client.id != client.id:
            raise Ungranted("incorrect_device_code")
        device = found[0]
        self._slow_down(device)
        if device.denied:
            raise Ungranted("access_denied")
        if device.expires <= self._host.now():
            raise Ungranted("expired_token")
        if device.user is None:
            raise Ungranted("authorization_pending")
        del self._devices[device.user_code]
        return self._grant(client, device.user, device.scopes)

    def renew(self, client_id: str, secret: str | None, refresh: str) -> Grant:
        """A new grant for the old one of this refresh token, both tokens of which end."""
        client = self.client(client_id, secret)
        for grant in self._grants:
            known = bool(refresh) and grant.refresh == refresh
            if known and grant.client.id == client.id and grant.renewable is not None:
                if grant.renewable <= self._host.now():
                    break
                self._end(grant)
                return self._grant(client, grant.user, grant.scopes)
        raise Ungranted("bad_refresh_token")

    def _slow_down(self, device: Device) -> None:
        now, before = self._host.now(), device.polled
        device.polled = now
        if before is not None and now - before < timedelta(seconds=device.interval):
            device.interval += _SLOWER
            raise Ungranted("slow_down", interval=device.interval)

    def _grant(self, client: Client, user: User, scopes: tuple[str, ...]) -> Grant:
        now, access = self._host.now(), random_token("ghu_" if client.is_app else "gho_")
        ends = now + timedelta(seconds=client.token_life)
        renewable = now + timedelta(seconds=client.refresh_life)
        grant = Grant(
            client=client,
            user=user,
            scopes=scopes,
            access=access,
            refresh=random_token("ghr_") if client.expiring else "",
            renewable=renewable if client.expiring else None,
            expires=ends if client.expiring else None,
        )
        self._users.tokens[access] = Token(
            value=access, holder=user, scopes=scopes, expires=grant.expires
        )
        self._grants.append(grant)
        return grant

    def _end(self, grant: Grant) -> None:
        self._grants.remove(grant)
        self._users.tokens.pop(grant.access, None)

    def _waits(self, device: Device) -> bool:
        return device.user is None and not device.denied and device.expires > self._host.now()

    def _waiting(self, user_code: str) -> Device:
        device = self._devices[user_code.strip().upper()]
        if not self._waits(device):
            raise LookupError(user_code)
        return device
