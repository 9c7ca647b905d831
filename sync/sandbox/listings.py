"""The listings of repositories: of the viewer, of a user, of an organization; in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from sync.sandbox import children, selection
from sync.sandbox.call import Call
from sync.sandbox.messages import RefusedError, Reply, digest
from sync.sandbox.registry import Repository
from sync.sandbox.unavailable import check_sign_on, partial_results
from sync.sandbox.users import Token, User
from sync.sandbox.views import permission_of
from sync.sandbox.world import World

_HINT = "/repos/repos#list-repositories-for-"
_FORKS_HINT = "/repos/forks#list-forks"
_ORGANIZATION_HINT = "/repos/repos#list-organization-repositories"


def of_viewer(call: Call) -> Reply:
    """The viewer's own listing, filtered by affiliation and visibility."""
    hint, query = _HINT + "the-authenticated-user", call.request.query
    user = call.me(hint)
    if "type" in query and ("visibility" in query or "affiliation" in query):
        message = "If you specify visibility or affiliation, you cannot specify type."
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, message, hint=hint)
    visible = selection.choice(query, "visibility", ("all", "public", "private"), "all")
    kinds = selection.affiliations(query)
    kind = selection.choice(query, "type", ("all", "owner", "public", "private", "member"), "all")
    if kind in ("public", "private"):
        visible = kind
    elif kind != "all":
        kinds = frozenset({"owner"}) if kind == "owner" else kinds - {"owner"}

    def select() -> Iterable[Repository]:
        return affiliated(call.world, user, kinds, visible)

    return page(call, ("me", visible, kinds), select, selection.order(query), "/user/repos")


def of_user(call: Call, who: str | int) -> Reply:
    """The public repositories of a user or an organization, by login or id."""
    user, query = call.user(who, _HINT + "a-user"), call.request.query
    check_sign_on(call.world.users, call.token, user)
    kind = selection.choice(query, "type", ("all", "owner", "member"), "owner")
    words = {"owner": ("owner",), "member": ("collaborator",)}
    kinds = words.get(kind, ("owner", "collaborator"))

    def select() -> Iterable[Repository]:
        return affiliated(call.world, user, kinds, "public")

    key, at = ("user", user.id, kind), f"/user/{user.id}/repos"
    return page(call, key, select, selection.order(query), at)


def of_organization(call: Call, who: str | int) -> Reply:
    """The repositories of an organization, by login or id."""
    org, query = call.user(who, _ORGANIZATION_HINT, "Organization"), call.request.query
    check_sign_on(call.world.users, call.token, org)
    words = ("all", "public", "private", "forks", "sources", "member")
    kind = selection.choice(query, "type", words, "all")
    flags = {
        "public": ("private", False),
        "private": ("private", True),
        "forks": ("fork", True),
        "sources": ("fork", False),
    }

    def select() -> Iterable[Repository]:
        owned = call.world.repositories.owned_by(org).values()
        if kind not in flags:
            return owned
        flag, wanted = flags[kind]
        return (item for item in owned if item.flag(flag) is wanted)

    key, at = ("org", org.id, kind), f"/organizations/{org.id}/repos"
    # An organization's own listing cannot be partial.
    return page(call, key, select, selection.order(query, sort="created"), at, partial=False)


def of_forks(call: Call, *where: str | int) -> Reply:
    """The forks of a repository that the viewer may see, newest or oldest first."""
    found, query = children.find(call, where, "forks", "metadata"), call.request.query
    if "forks" in found.children:
        return children.pages(call, found, "forks", found.children["forks"], "metadata")
    sort = query.get("sort") or "newest"
    if sort not in ("newest", "oldest"):
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"Unknown sort: {sort}", hint=_FORKS_HINT)
    direction = "desc" if sort == "newest" else "asc"
    by = selection.Order(sort="created", direction=direction, since="", before="~")

    def select() -> Iterable[Repository]:
        return (item for item in found.forks if not item.deleted)

    at = f"/repositories/{found.fields['id']}/forks"
    return page(call, ("forks", found.key), select, by, at, partial=False)


def affiliated(
    world: World, user: User, kinds: Iterable[str], visible: str
) -> Iterable[Repository]:
    """The repositories of a user by these affiliations, of this visibility."""
    found: dict[int, Repository] = {}
    if "owner" in kinds:
        found |= world.repositories.owned_by(user)
    if "collaborator" in kinds:
        found |= world.repositories.shared_with(user)
    if "organization_member" in kinds:
        for org in world.users.organizations_of(user):
            found |= world.repositories.owned_by(org)
    hidden = {"public": True, "private": False}.get(visible)
    return (item for item in found.values() if item.flag("private") is not hidden)


def seen(
    world: World, token: Token | None, found: Iterable[Repository], by: selection.Order
) -> list[tuple[Repository, str]]:
    """These repositories in order, as far as a viewer may see them, each with its permission."""
    closed = world.users.closed_to(token)
    listed = (item for item in found if item.listed and item.owner not in closed)
    permissions = ((item, permission_of(item, token)) for item in listed)
    allowed = {item: held for item, held in permissions if held is not None}
    return [(item, allowed[item]) for item in selection.ordered(allowed, by)]


def page(
    call: Call,
    key: tuple[Any, ...],
    select: Callable[[], Iterable[Repository]],
    by: selection.Order,
    at: str,
    *,
    partial: bool = True,
    wrap: Callable[[int, bytes], bytes] = lambda _total, items: items,
) -> Reply:
    """The requested page of the repositories that `select` finds.

    `key` identifies the listing; `at` is the path in its links. `wrap` makes the body from the
    number of all items and the JSON of the page's items.
    """
    # The order of a listing is cached until a change, so that each page need not sort it again.
    world, query, token = call.world, call.request.query, call.token
    kept = (*key, by, token)
    items = world.orders.get(kept)
    if items is None:
        items = world.orders[kept] = seen(world, token, select(), by)
    chosen = selection.page(query, len(items), world.host.largest_page)
    parts = [
        world.views.encoded(item, permission=held, version=call.version)
        for item, held in items[chosen.start : chosen.stop]
    ]
    return Reply(
        body=wrap(len(items), b"[" + b",".join(body for body, _ in parts) + b"]"),
        headers=partial_results(world.users.closed_to(token)) if partial else {},
        fingerprint=digest(*(mark for _, mark in parts), wrap(len(items), b"")),
        links=tuple(selection.links(world.host.url + at, query, chosen.neighbours)),
    )
