"""A request with everything known about it, and what it may ask for."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from .accounts import User
from .wire import RefusedError, not_found

if TYPE_CHECKING:
    from .state import State
    from .views import Viewer
    from .wire import Request


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request with everything known about it. `version` is the API version it is answered in."""

    state: State
    request: Request
    viewer: Viewer
    version: str

    def me(self, hint: str) -> User:
        """The user who asks; refuses when nobody has signed in, and an App on its own."""
        if self.viewer.token is None:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "Requires authentication", hint=hint)
        if self.viewer.user is None:
            message = "Resource not accessible by integration"
            raise RefusedError(HTTPStatus.FORBIDDEN, message, hint=hint)
        return self.viewer.user

    def user(self, who: str | int, hint: str, kind: str | None = None) -> User:
        """The user of this login or id; refuses when there is none, or none of this kind."""
        try:
            found = self.state.user(who)
        except LookupError:
            raise not_found(hint) from None
        if kind not in (None, found.kind):
            raise not_found(hint)
        return found
