"""Handlers of single objects, users and repositories, and of a repository's children."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from sync.sandbox import account_json, children
from sync.sandbox.call import Call, Handler
from sync.sandbox.messages import RefusedError, Reply, encode
from sync.sandbox.permissions import check_permission, may_push
from sync.sandbox.users import User
from sync.sandbox.views import permission_of


def root(call: Call) -> Reply:
    """The URLs of all endpoints."""
    return Reply(body=encode(account_json.root(call.world.host.url, call.version)))


def rate_limit(call: Call) -> Reply:
    """The quota of the viewer; an Enterprise Server has none."""
    if call.world.host.enterprise:
        raise RefusedError(HTTPStatus.NOT_FOUND, "Rate limiting is not enabled.")
    quota = call.world.quotas.get(call.token)
    used, reset = quota.limit - quota.remaining, int(quota.reset.timestamp())
    return Reply(body=encode(account_json.rate_limit(used, quota.limit, reset, call.version)))


def zen(_call: Call) -> Reply:
    """A sentence of wisdom."""
    return Reply(body=b"Keep it small.", headers={"Content-Type": "text/plain;charset=utf-8"})


def viewer(call: Call) -> Reply:
    """The viewer, with private fields if the token may see them."""
    user = call.me("/users/users#get-the-authenticated-user")
    body, token = _public_user(call, user), call.token
    if token is not None and (token.fine_grained or "user" in token.scopes):
        mine = call.world.repositories.owned_by(user).values()
        private = [found for found in mine if found.flag("private")]
        others = {who for found in private for who in found.collaborators}
        body = account_json.private_user(
            body, private_repos=len(private), collaborators=len(others)
        )
        body |= user.profile
    return Reply(body=encode(body))


def user(call: Call, who: str | int) -> Reply:
    """The public object of a user or an organization, by login or id."""
    hint = "-using-their-id" if isinstance(who, int) else ""
    return Reply(body=encode(_public_user(call, call.user(who, f"/users/users#get-a-user{hint}"))))


def organization(call: Call, who: str) -> Reply:
    """An organization, with the fields that users do not have."""
    org = call.user(who, "/orgs/orgs#get-an-organization", "Organization")
    body = account_json.organization(_public_user(call, org)) | org.profile
    return Reply(body=encode(body), scopes="admin:org, read:org, repo, user, write:org")


def repository(call: Call, *where: str | int) -> Reply:
    """A repository, by owner and name or by id."""
    found = call.repository(*where, hint="/repos/repos#get-a-repository")
    permission = permission_of(found, call.token) or ""
    body, fingerprint = call.world.views.encoded(
        found, permission=permission, version=call.version, full=True
    )
    return Reply(body=body, fingerprint=fingerprint, scopes="repo")


def child(
    name: str,
    unset: Any = (),
    *,
    permission: str = "metadata",
    hidden_by: str | None = None,
) -> Handler:
    """A handler of the value that `set_child` has set under this name: lists in pages.

    It serves everybody who may see the repository; of a private one, a fine-grained token needs
    the `permission`. `unset` is the value of other repositories. Items with the flag `hidden_by`
    are only for those who may push.
    """

    def handler(call: Call, *where: str | int) -> Reply:
        found = children.find(call, where, name, permission)
        check_permission(call.token, found, permission)
        value = found.children.get(name, unset)
        value = value(call.world.host.now()) if callable(value) else value
        if hidden_by and isinstance(value, list) and not may_push(call.token, found):
            value = [
                item
                for item in value
                if not isinstance(item, dict) or item.get(hidden_by) is not True
            ]
        return children.pages(call, found, name, value, permission)

    return handler


def _public_user(call: Call, user: User) -> dict[str, Any]:
    owned = call.world.repositories.owned_by(user).values()
    public = [found for found in owned if not found.flag("private")]
    short = account_json.simple_user(user.login, user.id, user.kind, call.world.host.url)
    body = account_json.public_user(
        short, name=user.name, created_at=user.created_at, public_repos=len(public)
    )
    return body | user.profile
