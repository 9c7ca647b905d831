"""Pure: what GitHub says of a repository that is there, and that it does not hand out."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from .objects import SITE
from .wire import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .accounts import User
    from .registry import Repository
    from .state import State
    from .views import Viewer

_SSO = "X-GitHub-SSO"
_SSO_DOCS = (
    "https://docs.github.com/articles/"
    "authenticating-to-a-github-organization-with-saml-single-sign-on/"
)
_SSO_MESSAGE = (
    "Resource protected by organization SAML enforcement. You must grant your Personal Access "
    "token access to this organization."
)


def check_sign_on(state: State, viewer: Viewer, owner: User) -> None:
    """Refuses a token that the owner's single sign-on has not been passed for."""
    if owner in state.closed_to(viewer.token):
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
    error.body = {
        "message": "Repository access blocked",
        "block": {
            "reason": block.reason,
            "created_at": block.created_at,
            "html_url": block.html_url,
        },
    }
    raise error


def suspended() -> RefusedError:
    """What an App is told of an installation that its owner has suspended."""
    hint = "/reference/apps#create-an-installation-access-token-for-an-app"
    return RefusedError(HTTPStatus.FORBIDDEN, "This installation has been suspended", hint=hint)
