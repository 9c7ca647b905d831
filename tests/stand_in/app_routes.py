"""The paths of the API that are for Apps, and for their installations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from sync.sandbox import listings, selection
from tests.stand_in import jwts
from tests.stand_in.apps import App, Installation, InstallationToken, suspended
from tests.stand_in.installations import Installations
from tests.support.inside.sandbox import (
    SITE,
    Call,
    Handler,
    RefusedError,
    Reply,
    Repository,
    User,
    digest,
    encode,
    node_id,
    not_found,
    simple_user,
    timestamp,
)

_HINT = "/apps/apps#"
_OF_INSTALLATION = "/apps/installations#list-repositories-accessible-to-the-app-installation"
_BY_CREATION = selection.Order(sort="created", direction="asc", since="", before="~")
_LEVELS = ("read", "write", "admin")


class AppRoutes:
    """The handlers of the paths that are for Apps and their installations."""

    def __init__(self, installations: Installations) -> None:
        self._installations = installations

    def table(self) -> dict[str, dict[str, Handler]]:
        """The handlers by method and path."""
        return {
            "GET": {
                "/app": self._app,
                "/app/installations": self._all,
                "/app/installations/{id}": self._installation,
                "/users/{login}/installation": self._installation_at,
                "/orgs/{login}/installation": self._installation_at,
                "/installation/repositories": _repositories,
            },
            "POST": {"/app/installations/{id}/access_tokens": self._new_token},
            "DELETE": {"/installation/token": _end_token},
        }

    def _app(self, call: Call) -> Reply:
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
            "installations_count": len(self._installations.of(app)),
        }
        return Reply(body=encode(body))

    def _all(self, call: Call) -> Reply:
        found, query = self._installations.of(_who(call)), call.request.query
        page = selection.page(query, len(found))
        body = encode([_object(call, item) for item in found[page.start : page.stop]])
        at = f"{call.world.host.url}/app/installations"
        links = tuple(selection.links(at, query, page.neighbours))
        return Reply(body=body, fingerprint=digest(body), links=links)

    def _installation(self, call: Call, number: int) -> Reply:
        hint = _HINT + "get-an-installation-for-the-authenticated-app"
        return Reply(body=encode(_object(call, self._mine(call, number, hint))))

    def _installation_at(self, call: Call, who: str) -> Reply:
        hint = _HINT + "get-a-user-installation-for-the-authenticated-app"
        found = self._installations.of(_who(call))
        here = [item for item in found if item.account.login.lower() == who.lower()]
        if not here:
            raise not_found(hint)
        return Reply(body=encode(_object(call, here[0])))

    def _new_token(self, call: Call, number: int) -> Reply:
        hint = _HINT + "create-an-installation-access-token-for-an-app"
        found = self._mine(call, number, hint)
        if found.suspended_at:
            raise suspended()
        asked = _json(call)
        chosen, permissions = _chosen(call, found, asked, hint), asked.get("permissions") or {}
        _check_permissions(found, permissions, hint)
        rids = None if chosen is None else [int(item.fields["id"]) for item in chosen]
        token = self._installations.add_token(found.id, repositories=rids, permissions=permissions)
        body = {
            "token": token.value,
            "expires_at": timestamp(token.expires or ""),
            "permissions": token.permissions,
            "repository_selection": _selection(token, found),
        }
        built = encode(body)
        if chosen is not None:
            parts = [
                call.world.views.encoded(it, permission="pull", version=call.version)
                for it in chosen
            ]
            listed = b"[" + b",".join(part for part, _ in parts) + b"]"
            built = built[:-1] + b',"repositories":' + listed + b"}"
        return Reply(status=HTTPStatus.CREATED, body=built)

    def _mine(self, call: Call, number: int, hint: str) -> Installation:
        app = _who(call)
        try:
            found = self._installations.get(number)
        except LookupError:
            raise not_found(hint) from None
        if found.app is not app:
            raise not_found(hint)
        return found


def _repositories(call: Call) -> Reply:
    token, found = _installed(call)

    def select() -> Iterable[Repository]:
        owned = call.world.repositories.owned_by(found.account).values()
        return (item for item in owned if token.opens(item.owner, item.key))

    def wrap(selection: str, total: int, items: bytes) -> bytes:
        head = encode({"total_count": total, "repository_selection": selection})
        return head[:-1] + b',"repositories":' + items + b"}"

    selection = partial(wrap, _selection(token, found))
    at = "/installation/repositories"
    return listings.page(call, ("app", found.id), select, _BY_CREATION, at, wrap=selection)


def _end_token(call: Call) -> Reply:
    token, _ = _installed(call)
    call.world.users.revoke_token(token.value)
    return Reply(status=HTTPStatus.NO_CONTENT)


def _who(call: Call) -> App:
    token = call.token
    if token is None or not isinstance(token.holder, App):
        raise jwts.undecoded()
    return token.holder


def _installed(call: Call) -> tuple[InstallationToken, Installation]:
    token = call.token
    if token is None:
        raise RefusedError(
            HTTPStatus.UNAUTHORIZED, "Requires authentication", hint=_OF_INSTALLATION
        )
    if not isinstance(token, InstallationToken):
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
    for item in call.world.repositories.owned_by(found.account).values():
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


def _selection(token: InstallationToken, found: Installation) -> str:
    return "all" if token.only is None and found.selected is None else "selected"


def _account(call: Call, user: User) -> dict[str, Any]:
    return simple_user(user.login, user.id, user.kind, call.world.host.url)


def _object(call: Call, found: Installation) -> dict[str, Any]:
    api, account = call.world.host.url, found.account
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
