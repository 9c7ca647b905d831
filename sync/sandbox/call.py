"""A request with its viewer and API version, and look-ups of the objects in its path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from sync.sandbox.messages import DOCS, RefusedError, Reply, Request, not_found
from sync.sandbox.registry import Repository
from sync.sandbox.unavailable import check_block, check_sign_on
from sync.sandbox.users import Token, User
from sync.sandbox.views import permission_of
from sync.sandbox.world import World


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request with its viewer. `version` is the API version of the answer."""

    world: World
    request: Request
    token: Token | None
    version: str

    def me(self, hint: str) -> User:
        """The user of the token; refuses when there is no token, or one of no user."""
        if self.token is None:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "Requires authentication", hint=hint)
        if self.token.user is None:
            message = "Resource not accessible by integration"
            raise RefusedError(HTTPStatus.FORBIDDEN, message, hint=hint)
        return self.token.user

    def user(self, who: str | int, hint: str, kind: str | None = None) -> User:
        """The user of this login or id; refuses when there is none, or none of this kind."""
        try:
            found = self.world.users.get(who)
        except LookupError:
            raise not_found(hint) from None
        if kind not in (None, found.kind):
            raise not_found(hint)
        return found

    def repository(self, *where: str | int, child: str = "", hint: str = "") -> Repository:
        """The repository of this owner and name, or id; refuses a viewer who may not see it.

        Its former names redirect to its id, and there to the same `child`.
        """
        place = "/".join(map(str, where))
        try:
            if len(where) == 1:
                found = self.world.repositories.get(int(where[0]))
            else:
                found = self.world.repositories.find(place)
        except LookupError:
            raise not_found(hint) from None
        if permission_of(found, self.token) is None:
            raise not_found(hint)
        check_sign_on(self.world.users, self.token, found.owner)
        check_block(found)
        if len(where) > 1 and found.place.lower() != place.lower():
            raise _moved(f"{self.world.host.url}/repositories/{found.fields['id']}{child}")
        return found


def _moved(url: str) -> RefusedError:
    error = RefusedError(HTTPStatus.MOVED_PERMANENTLY, "Moved Permanently")
    error.headers["Location"] = url
    error.body = {"message": "Moved Permanently", "url": url}
    guide = f"{DOCS}/guides/best-practices-for-using-the-rest-api#follow-redirects"
    error.body["documentation_url"] = guide
    return error


Handler = Callable[..., Reply]
