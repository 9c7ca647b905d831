"""Refusals of repositories that exist: blocked, or behind an organization's single sign-on."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from sync.sandbox.account_json import SITE
from sync.sandbox.messages import RefusedError
from sync.sandbox.registry import Repository
from sync.sandbox.users import Token, User, Users

_SSO = "X-GitHub-SSO"
_SSO_DOCS = (
    "https://docs.github.com/articles/"
    "authenticating-to-a-github-organization-with-saml-single-sign-on/"
)
_SSO_MESSAGE = (
    "Resource protected by organization SAML enforcement. You must grant your Personal Access "
    "token access to this organization."
)


def check_sign_on(users: Users, token: Token | None, owner: User) -> None:
    """Refuses a token that is not authorized for the owner's single sign-on."""
    if owner in users.closed_to(token):
        error = RefusedError(HTTPStatus.FORBIDDEN, _SSO_MESSAGE, docs=_SSO_DOCS)
        url = f"https://{SITE}/orgs/{owner.login}/sso?authorization_request=A{owner.id:07X}"
        error.headers[_SSO] = f"required; url={url}"
        raise error


def partial_results(closed: Iterable[User]) -> dict[str, str]:
    """The header of a listing that leaves out these organizations; none when it is whole."""
    ids = ",".join(str(org.id) for org in closed)
    return {_SSO: f"partial-results; organizations={ids}"} if ids else {}


def check_block(found: Repository) -> None:
    """Refuses a repository that was taken down, to its owner too."""
    if (block := found.block) is None:
        return
    error = RefusedError(block.status, "Repository access blocked")
    # Unlike others, this answer leads to no documentation.
    told = ("reason", "created_at", "html_url")
    error.body = {
        "message": "Repository access blocked",
        "block": {name: getattr(block, name) for name in told},
    }
    raise error
