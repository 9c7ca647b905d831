"""Handlers of a repository's stars: their number, and their history by week.

A value that `set_child` has set under the name of a route (`stargazers/history`) is served
in place of it. An Enterprise Server has neither route.
"""

from __future__ import annotations

from datetime import UTC
from http import HTTPStatus

from sync.sandbox import children, selection, star_history
from sync.sandbox.call import Call
from sync.sandbox.messages import RefusedError, Reply, not_found
from sync.sandbox.registry import Repository
from sync.sandbox.stars import created_on, settled

_MOST_WEEKS, _MOST_PAGES = 30, 100
_HINT = "/activity/starring#get-repository-star-history"


def count(call: Call, *where: str | int) -> Reply:
    """The number of stars, which is also the repository's counter."""
    name = "stargazers/count"
    found = _find(call, where, name)
    stars = found.fields.get("stargazers_count", 0)
    return children.whole(call, found.children.get(name, {"count": stars}), "metadata")


def history(call: Call, *where: str | int) -> Reply:
    """The stars that are left, by the week and day on which they were given, newest first."""
    name, query, now = "stargazers/history", call.request.query, call.world.host.now()
    found = _find(call, where, name)
    if name in found.children:
        value = found.children[name]
        return children.pages(call, found, name, value, "metadata", _MOST_WEEKS)
    today = now.astimezone(UTC).date()
    total = star_history.weeks(created_on(found, now), today)
    page = selection.page(query, total, min(_MOST_WEEKS, call.world.host.largest_page))
    if page.number > _MOST_PAGES:
        problem = {"resource": "Stargazer", "field": "page", "code": "invalid"}
        message = "Validation Failed"
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, message, errors=[problem], hint=_HINT)
    items = star_history.history(settled(found, now), today, page.start, min(page.stop, total))
    return children.paged(call, found, name, items, page, "metadata")


def _find(call: Call, where: tuple[str | int, ...], name: str) -> Repository:
    if call.world.host.enterprise:
        raise not_found()
    return children.find(call, where, name, "metadata")
