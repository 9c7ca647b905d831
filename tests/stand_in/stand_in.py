"""The shipped stand-in with signing in: OAuth clients, the device flow, GitHub Apps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from sync.sandbox import Sandbox
from tests.stand_in import site
from tests.stand_in.app_routes import AppRoutes
from tests.stand_in.authorizations import Authorizations
from tests.stand_in.installations import Installations


class StandIn(Sandbox):
    """A sandbox with more routes, one more kind of token, and the pages that give out tokens."""

    def __init__(
        self, *, now: Callable[[], datetime] | None = None, enterprise: bool = False
    ) -> None:
        super().__init__(now=now, enterprise=enterprise)
        programs = Authorizations(self.world)
        installations = Installations(self.world, programs)
        self.api.find_token = installations.find_token
        self.api.beside.append(partial(site.respond, self.world.host, programs))
        for method, handlers in AppRoutes(installations).table().items():
            self.api.routes.add(handlers, method)

        self.add_oauth_app = self.locked(programs.add_oauth_app)
        self._pending = self.locked(programs.pending)
        self.authorize = self.locked(programs.authorize)
        self.deny = self.locked(programs.deny)
        self.grant = self.locked(programs.grant)
        self.revoke_authorization = self.locked(programs.revoke_authorization)

        self.apps = installations.apps
        self.add_app = self.locked(installations.add)
        self.install_app = self.locked(installations.install)
        self.uninstall_app = self.locked(installations.uninstall)
        self.select_repositories = self.locked(installations.select_repositories)
        self.suspend_installation = self.locked(installations.suspend_installation)
        self.unsuspend_installation = self.locked(installations.unsuspend_installation)
        self.set_token_life = self.locked(installations.set_token_life)
        self.add_installation_token = self.locked(installations.add_token)
        self.revoke_installation_tokens = self.locked(installations.revoke_tokens)

    @property
    def pending_authorizations(self) -> list[str]:
        """The user codes that nobody has decided about and that have not ended, oldest first."""
        return self._pending()
