"""Pure: the paths of the API, and what each has to say to a viewer."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from . import app_routes, listing, objects, pages, refusals
from .views import encode, encoded, permission_of
from .wire import DOCS, RefusedError, Reply, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .accounts import User
    from .call import Call
    from .registry import Repository

_LIST_HINT = "/repos/repos#list-repositories-for-"
_ORG_HINT = "/repos/repos#list-organization-repositories"


def dispatch(call: Call) -> Reply:
    """Answers a request, or raises RefusedError."""
    method = call.request.method
    for pattern, handler in _ROUTES.get("GET" if method == "HEAD" else method, ()):
        if match := pattern.fullmatch(call.request.path):
            return handler(call, *match.groups())
    raise not_found()


def _root(call: Call) -> Reply:
    return Reply(body=encode(objects.root(call.state.api, call.version)))


def _rate_limit(call: Call) -> Reply:
    if call.state.enterprise:
        raise RefusedError(HTTPStatus.NOT_FOUND, "Rate limiting is not enabled.")
    quota = call.state.quota(call.viewer.token)
    reset = int(quota.reset.timestamp())
    used = quota.limit - quota.remaining
    return Reply(body=encode(objects.rate_limit(used, quota.limit, reset, call.version)))


def _zen(_call: Call) -> Reply:
    return Reply(body=b"Keep it small.", headers={"Content-Type": "text/plain;charset=utf-8"})


def _authenticated_user(call: Call) -> Reply:
    user = call.me("/users/users#get-the-authenticated-user")
    body, token = _public_user(call, user), call.viewer.token
    if token is not None and (token.fine_grained or "user" in token.scopes):
        mine = call.state.owned_by(user).values()
        private = [found for found in mine if found.flag("private")]
        others = {who for found in private for who in found.collaborators}
        body = objects.private_user(body, private_repos=len(private), collaborators=len(others))
        body |= user.profile
    return Reply(body=encode(body))


def _user(call: Call, who: str) -> Reply:
    user = call.user(who, "/users/users#get-a-user")
    return Reply(body=encode(_public_user(call, user)))


def _user_by_id(call: Call, number: str) -> Reply:
    user = call.user(int(number), "/users/users#get-a-user-using-their-id")
    return Reply(body=encode(_public_user(call, user)))


def _organization(call: Call, who: str) -> Reply:
    user = call.user(who, "/orgs/orgs#get-an-organization", "Organization")
    body = objects.organization(_public_user(call, user)) | user.profile
    return Reply(body=encode(body), scopes="admin:org, read:org, repo, user, write:org")


def _public_user(call: Call, user: User) -> dict[str, Any]:
    public = [found for found in call.state.owned_by(user).values() if not found.flag("private")]
    short = objects.simple_user(user.login, user.id, user.kind, call.state.api)
    return (
        objects.public_user(
            short, name=user.name, created_at=user.created_at, public_repos=len(public)
        )
        | user.profile
    )


def _repository(call: Call, owner: str, name: str) -> Reply:
    hint, place = "/repos/repos#get-a-repository", f"{owner}/{name}"
    found = _visible(call, lambda: call.state.find(place), hint)
    if found.place.lower() != place.lower():
        url = f"{call.state.api}/repositories/{found.fields['id']}"
        body = {"message": "Moved Permanently", "url": url}
        body["documentation_url"] = (
            f"{DOCS}/guides/best-practices-for-using-the-rest-api#follow-redirects"
        )
        status = HTTPStatus.MOVED_PERMANENTLY
        return Reply(status=status, body=encode(body), headers={"Location": url})
    return _one(call, found)


def _repository_by_id(call: Call, number: str) -> Reply:
    hint = "/repos/repos#get-a-repository"
    return _one(call, _visible(call, lambda: call.state.repository(int(number)), hint))


def _visible(call: Call, find: Callable[[], Repository], hint: str) -> Repository:
    try:
        found = find()
    except LookupError:
        raise not_found(hint) from None
    if permission_of(found, call.viewer) is None:
        raise not_found(hint)
    refusals.check_sign_on(call.state, call.viewer, found.owner)
    refusals.check_block(found)
    return found


def _one(call: Call, found: Repository) -> Reply:
    permission = permission_of(found, call.viewer) or ""
    body, fingerprint = encoded(
        call.state, found, permission=permission, version=call.version, full=True
    )
    return Reply(body=body, fingerprint=fingerprint, scopes="repo")


def _my_repositories(call: Call) -> Reply:
    user, query = call.me(_LIST_HINT + "the-authenticated-user"), call.request.query
    if "type" in query and ("visibility" in query or "affiliation" in query):
        message = "If you specify visibility or affiliation, you cannot specify type."
        hint = _LIST_HINT + "the-authenticated-user"
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, message, hint=hint)
    visible = listing.choice(query, "visibility", ("all", "public", "private"), "all")
    kinds = listing.affiliations(query)
    kind = listing.choice(query, "type", ("all", "owner", "public", "private", "member"), "all")
    if kind in ("public", "private"):
        visible = kind
    elif kind != "all":
        kinds = frozenset({"owner"}) if kind == "owner" else kinds - {"owner"}

    def select() -> Iterable[Repository]:
        found = dict(call.state.owned_by(user)) if "owner" in kinds else {}
        if "collaborator" in kinds:
            found |= call.state.shared_with(user)
        if "organization_member" in kinds:
            for org in call.state.organizations_of(user):
                found |= call.state.owned_by(org)
        hidden = {"public": True, "private": False}.get(visible)
        return (item for item in found.values() if item.flag("private") is not hidden)

    return pages.page(call, ("me", visible, kinds), select, listing.order(query), "/user/repos")


def _repositories_of(call: Call, user: User) -> Reply:
    query = call.request.query
    refusals.check_sign_on(call.state, call.viewer, user)
    kind = listing.choice(query, "type", ("all", "owner", "member"), "owner")

    def select() -> Iterable[Repository]:
        found = dict(call.state.owned_by(user)) if kind != "member" else {}
        found |= call.state.shared_with(user) if kind != "owner" else {}
        return (item for item in found.values() if not item.flag("private"))

    at = f"/user/{user.id}/repos"
    return pages.page(call, ("user", user.id, kind), select, listing.order(query), at)


def _repositories_of_login(call: Call, who: str) -> Reply:
    return _repositories_of(call, call.user(who, _LIST_HINT + "a-user"))


def _repositories_of_id(call: Call, number: str) -> Reply:
    return _repositories_of(call, call.user(int(number), _LIST_HINT + "a-user"))


def _repositories_in(call: Call, org: User) -> Reply:
    query = call.request.query
    refusals.check_sign_on(call.state, call.viewer, org)
    words = ("all", "public", "private", "forks", "sources", "member")
    kind = listing.choice(query, "type", words, "all")

    def select() -> Iterable[Repository]:
        for item in call.state.owned_by(org).values():
            wanted = {
                "public": not item.flag("private"),
                "private": item.flag("private"),
                "forks": item.flag("fork"),
                "sources": not item.flag("fork"),
            }.get(kind, True)
            if wanted:
                yield item

    by = listing.order(query, sort="created")
    return pages.page(call, ("org", org.id, kind), select, by, f"/organizations/{org.id}/repos")


def _repositories_in_login(call: Call, who: str) -> Reply:
    return _repositories_in(call, call.user(who, _ORG_HINT, "Organization"))


def _repositories_in_id(call: Call, number: str) -> Reply:
    return _repositories_in(call, call.user(int(number), _ORG_HINT, "Organization"))


_PATHS: dict[str, Callable[..., Reply]] = {
    "/user/repos": _my_repositories,
    "/user/([0-9]{1,18})/repos": _repositories_of_id,
    "/users/([^/]+)/repos": _repositories_of_login,
    "/orgs/([^/]+)/repos": _repositories_in_login,
    "/organizations/([0-9]{1,18})/repos": _repositories_in_id,
    "/repos/([^/]+)/([^/]+)": _repository,
    "/repositories/([0-9]{1,18})": _repository_by_id,
    "/user": _authenticated_user,
    "/user/([0-9]{1,18})": _user_by_id,
    "/users/([^/]+)": _user,
    "/orgs/([^/]+)": _organization,
    "/rate_limit": _rate_limit,
    "/zen": _zen,
    "/": _root,
}
_ROUTES = {
    method: [(re.compile(pattern), handler) for pattern, handler in paths.items()]
    for method, paths in (app_routes.PATHS | {"GET": _PATHS | app_routes.PATHS["GET"]}).items()
}
