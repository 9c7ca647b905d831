"""Who may read a child of a repository: refusals for a lack of push access or of a permission."""

from __future__ import annotations

from http import HTTPStatus

from sync.sandbox.messages import RefusedError
from sync.sandbox.registry import Repository
from sync.sandbox.told import NO_PUSH
from sync.sandbox.users import Token
from sync.sandbox.views import permission_of

_PUSHING = ("push", "maintain", "admin")


def accepted(token: Token | None, permission: str) -> dict[str, str]:
    """The header that names the permission of an answer, for a fine-grained token."""
    fine_grained = token is not None and token.fine_grained
    return {"X-Accepted-GitHub-Permissions": f"{permission}=read"} if fine_grained else {}


def not_accessible(token: Token | None, permission: str, hint: str = "") -> RefusedError:
    """GitHub's answer to a token without this permission."""
    kind = "integration" if token is not None and token.of_app else "personal access token"
    message = f"Resource not accessible by {kind}"
    error = RefusedError(HTTPStatus.FORBIDDEN, message, hint=hint)
    error.headers |= accepted(token, permission)
    return error


def check_permission(token: Token | None, found: Repository, permission: str) -> None:
    """Refuses a fine-grained token without this permission; what is public needs none."""
    lacking = token is not None and token.fine_grained and not token.may(permission)
    if lacking and found.flag("private"):
        raise not_accessible(token, permission)


def check_push(token: Token | None, found: Repository, permission: str, hint: str) -> None:
    """Refuses a token of a user without push access, and one without this permission."""
    if token is not None and token.fine_grained:
        opened = token.user is not None or token.opens(found.owner, found.key)
        if not opened or not token.may(permission):
            raise not_accessible(token, permission, hint)
        if token.user is None:
            return
    if permission_of(found, token) in _PUSHING and _has_scope(token, found):
        return
    error = RefusedError(HTTPStatus.FORBIDDEN, NO_PUSH, hint=hint)
    error.headers |= accepted(token, permission)
    raise error


def may_push(token: Token | None, found: Repository) -> bool:
    """Whether a token may write the contents of a repository."""
    if token is None:
        return False
    if token.fine_grained and not token.may("contents", "write"):
        return False
    if token.user is None:
        return token.opens(found.owner, found.key)
    return permission_of(found, token) in _PUSHING and _has_scope(token, found)


def _has_scope(token: Token | None, found: Repository) -> bool:
    scopes = () if token is None else token.scopes
    public = "public_repo" in scopes and not found.flag("private")
    return public or (token is not None and token.sees_private)
