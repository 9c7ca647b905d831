"""Children of a repository: the checks that all have in common, and values in pages."""

from __future__ import annotations

from typing import Any

from sync.sandbox import selection
from sync.sandbox.call import Call
from sync.sandbox.messages import RefusedError, Reply, encode
from sync.sandbox.permissions import accepted, not_accessible
from sync.sandbox.registry import Repository
from sync.sandbox.told import CASES, NO_PERMISSION, Told


def find(call: Call, where: tuple[str | int, ...], name: str, permission: str) -> Repository:
    """The repository of a child; refuses who may not see it, or as the child was told to answer.

    `permission` is what a fine-grained token needs for the child.
    """
    found = call.repository(*where, child=f"/{name}")
    if (told := call.world.told.get(found.key, name)) is not None:
        raise _told(call, told, permission)
    return found


def whole(call: Call, value: Any, permission: str) -> Reply:
    """A value as one answer."""
    headers = accepted(call.token, permission)
    return Reply(body=encode(value), headers=headers, scopes="repo")


def pages(
    call: Call, found: Repository, name: str, value: Any, permission: str, largest: int = 100
) -> Reply:
    """A list in pages of at most `largest` items; anything else whole."""
    if not isinstance(value, list | tuple):
        return whole(call, value, permission)
    largest = min(largest, call.world.host.largest_page)
    page = selection.page(call.request.query, len(value), largest)
    items = value[page.start : page.stop]
    return paged(call, found, name, items, page, permission)


def paged(
    call: Call, found: Repository, name: str, items: Any, page: selection.Page, permission: str
) -> Reply:
    """The items of a page, with links to the others."""
    url = f"{call.world.host.url}/repositories/{found.fields['id']}/{name}"
    links = tuple(selection.links(url, call.request.query, page.neighbours))
    headers = accepted(call.token, permission)
    return Reply(body=encode(items), headers=headers, links=links, scopes="repo")


def _told(call: Call, told: Told, permission: str) -> RefusedError:
    if told.case == NO_PERMISSION:
        return not_accessible(call.token, permission)
    status, message = (told.case, "") if isinstance(told.case, int) else CASES[told.case]
    error = RefusedError(status, message)
    error.headers |= dict(told.headers)
    if told.body is not None:
        error.body = told.body
    elif not message:
        error.body = {}
    return error
