"""Pure: the paths of the API that are for Apps, and for their installations."""

from __future__ import annotations

import json
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from . import jwts, listing, pages
from .apps import App, Installation
from .objects import SITE, node_id, simple_user, timestamp
from .refusals import suspended
from .views import digest, encode, encoded, granted
from .wire import RefusedError, Reply, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .accounts import Token, User
    from .call import Call
    from .registry import Repository

_HINT = "/apps/apps#"
_OF_INSTALLATION = "/apps/installations#list-repositories-accessible-to-the-app-installation"
_BY_CREATION = listing.Order(sort="created", direction="asc", since="", before="~")
_LEVELS = ("read", "write", "admin")


def _app(call: Call) -> Reply:
    app = _who(call)
    body = {
        "id": app.id,
        "client_id": app.client_id,
        "slug": app.slug,
        "node_id": node_id("A", app.id),
        "owner": _account(call, app.owner),
        "name": app.name,
        "description": None,
        "external_url": f"https://{app.slug}.example",
        "html_url": f"https://{SITE}/apps/{app.slug}",
        "created_at": app.created_at,
        "updated_at": app.created_at,
        "permissions": app.permissions,
        "events": [],
        "installations_count": len(call.state.installations_of(app)),
    }
    return Reply(body=encode(body))


def _installations(call: Call) -> Reply:
    found, query = call.state.installations_of(_who(call)), call.request.query
    page = listing.page(query, len(found))
    body = encode([_object(call, item) for item in found[page.start : page.stop]])
    at = f"{call.state.api}/app/installations"
    links = tuple(listing.links(at, query, page.neighbours))
    return Reply(body=body, fingerprint=digest(body), links=links)


def _installation(call: Call, number: str) -> Reply:
    hint = _HINT + "get-an-installation-for-the-authenticated-app"
    return Reply(body=encode(_object(call, _mine(call, number, hint))))


def _installation_at(call: Call, who: str) -> Reply:
    hint = _HINT + "get-a-user-installation-for-the-authenticated-app"
    found = call.state.installations_of(_who(call))
    here = [item for item in found if item.account.login.lower() == who.lower()]
    if not here:
        raise not_found(hint)
    return Reply(body=encode(_object(call, here[0])))


def _new_token(call: Call, number: str) -> Reply:
    hint = _HINT + "create-an-installation-access-token-for-an-app"
    found = _mine(call, number, hint)
    if found.suspended_at:
        raise suspended()
    asked = _json(call)
    chosen, permissions = _chosen(call, found, asked, hint), asked.get("permissions") or {}
    _check_permissions(found, permissions, hint)
    rids = None if chosen is None else [int(item.fields["id"]) for item in chosen]
    token = call.state.add_installation_token(found.id, repositories=rids, permissions=permissions)
    body = {
        "token": token.value,
        "expires_at": timestamp(token.expires or ""),
        "permissions": token.permissions,
        "repository_selection": _selection(token, found),
    }
    built = encode(body)
    if chosen is not None:
        parts = [encoded(call.state, it, permission="pull", version=call.version) for it in chosen]
        listed = b"[" + b",".join(part for part, _ in parts) + b"]"
        built = built[:-1] + b',"repositories":' + listed + b"}"
    return Reply(status=HTTPStatus.CREATED, body=built)


def _repositories(call: Call) -> Reply:
    token, found = _installed(call)

    def select() -> Iterable[Repository]:
        owned = call.state.owned_by(found.account).values()
        return (item for item in owned if granted(item, token))

    def wrap(selection: str, total: int, items: bytes) -> bytes:
        head = encode({"total_count": total, "repository_selection": selection})
        return head[:-1] + b',"repositories":' + items + b"}"

    selection = partial(wrap, _selection(token, found))
    at = "/installation/repositories"
    return pages.page(call, ("app", found.id), select, _BY_CREATION, at, wrap=selection)


def _end_token(call: Call) -> Reply:
    token, _ = _installed(call)
    call.state.revoke_token(token.value)
    return Reply(status=HTTPStatus.NO_CONTENT)


def _who(call: Call) -> App:
    token = call.viewer.token
    if token is None or not isinstance(token.holder, App):
        raise jwts.undecoded()
    return token.holder


def _mine(call: Call, number: str, hint: str) -> Installation:
    app = _who(call)
    try:
        found = call.state.installation(int(number))
    except LookupError:
        raise not_found(hint) from None
    if found.app is not app:
        raise not_found(hint)
    return found


def _installed(call: Call) -> tuple[Token, Installation]:
    token = call.viewer.token
    if token is None:
        raise RefusedError(
            HTTPStatus.UNAUTHORIZED, "Requires authentication", hint=_OF_INSTALLATION
        )
    if not isinstance(token.holder, Installation):
        message = (
            "You must authenticate with an installation access token in order to list "
            "repositories for an installation."
        )
        raise RefusedError(HTTPStatus.FORBIDDEN, message, hint=_OF_INSTALLATION)
    return token, token.holder


def _json(call: Call) -> dict[str, Any]:
    try:
        asked = json.loads(call.request.body or b"{}")
    except ValueError:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "Problems parsing JSON") from None
    return asked if isinstance(asked, dict) else {}


def _chosen(
    call: Call, found: Installation, asked: Mapping[str, Any], hint: str
) -> list[Repository] | None:
    wanted: list[int | str] = [str(name).lower() for name in asked.get("repositories") or ()]
    wanted += [number for number in asked.get("repository_ids") or () if isinstance(number, int)]
    if not wanted:
        return None
    known: dict[Any, Repository] = {}
    for item in call.state.owned_by(found.account).values():
        within = found.selected is None or item.key in found.selected
        if within and isinstance(item.fields, dict) and "id" in item.fields:
            known[item.place.partition("/")[2].lower()] = known[item.fields["id"]] = item
    if not known.keys() >= set(wanted):
        message = (
            "There is at least one repository that does not exist or is not accessible to the "
            "parent installation."
        )
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, message, hint=hint)
    return [known[word] for word in wanted]


def _check_permissions(found: Installation, asked: Mapping[str, str], hint: str) -> None:
    for name, level in asked.items():
        held = found.app.permissions.get(name)
        if level not in _LEVELS or held is None or _LEVELS.index(level) > _LEVELS.index(held):
            message = "The permissions requested are not granted to this installation."
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, message, hint=hint)


def _selection(token: Token, found: Installation) -> str:
    return "all" if token.only is None and found.selected is None else "selected"


def _account(call: Call, user: User) -> dict[str, Any]:
    return simple_user(user.login, user.id, user.kind, call.state.api)


def _object(call: Call, found: Installation) -> dict[str, Any]:
    api, account = call.state.api, found.account
    below = f"/organizations/{account.login}" if account.kind == "Organization" else ""
    return {
        "id": found.id,
        "client_id": found.app.client_id,
        "account": _account(call, account),
        "repository_selection": "all" if found.selected is None else "selected",
        "access_tokens_url": f"{api}/app/installations/{found.id}/access_tokens",
        "repositories_url": f"{api}/installation/repositories",
        "html_url": f"https://{SITE}{below}/settings/installations/{found.id}",
        "app_id": found.app.id,
        "app_slug": found.app.slug,
        "target_id": account.id,
        "target_type": account.kind,
        "permissions": found.app.permissions,
        "events": [],
        "created_at": found.created_at,
        "updated_at": found.suspended_at or found.created_at,
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": _account(call, account) if found.suspended_at else None,
        "suspended_at": found.suspended_at,
    }


PATHS: dict[str, dict[str, Callable[..., Reply]]] = {
    "GET": {
        "/app": _app,
        "/app/installations": _installations,
        "/app/installations/([0-9]{1,18})": _installation,
        "/(?:users|orgs)/([^/]+)/installation": _installation_at,
        "/installation/repositories": _repositories,
    },
    "POST": {"/app/installations/([0-9]{1,18})/access_tokens": _new_token},
    "DELETE": {"/installation/token": _end_token},
}
