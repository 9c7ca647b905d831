"""Handlers of a repository's traffic: views and clones, the most popular referrers and paths.

A value that `set_child` has set under the name of a route (`traffic/views`) is served unchanged.
An Enterprise Server has none of these routes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

from sync.sandbox import children, selection, traffic
from sync.sandbox.call import Call, Handler
from sync.sandbox.messages import Reply, not_found
from sync.sandbox.permissions import check_push
from sync.sandbox.registry import Repository
from sync.sandbox.traffic import Traffic

_PERMISSION = "administration"
_HINT = "/metrics/traffic#get-"


def visits(kind: str, hint: str) -> Handler:
    """A handler of the views or the clones of the last 14 days, by day or by week."""

    def answer(call: Call, found: Repository) -> Any:
        per = selection.choice(call.request.query, "per", ("day", "week"), "day")
        told = found.traffic or Traffic()
        seen, hidden = told.visits[kind], (told.hidden, call.world.hidden)
        seen.readings += 1
        days = list(traffic.window(seen.read, call.world.host.now(), hidden))
        buckets = days if per == "day" else list(traffic.by_week(days))
        uniques = traffic.uniques(days) if seen.uniques is None else seen.uniques
        return traffic.answer(kind, buckets, uniques)

    return _handler(f"traffic/{kind}", hint, answer)


def popular(name: str, hint: str) -> Handler:
    """A handler of a list of the most popular, which changes once a day."""

    def answer(call: Call, found: Repository) -> Any:
        today = call.world.host.now().astimezone(UTC).date()
        return traffic.top(name, (found.traffic or Traffic()).popular[name], today)

    return _handler(f"traffic/popular/{name}", hint, answer)


def _handler(name: str, hint: str, answer: Callable[[Call, Repository], Any]) -> Handler:
    def handler(call: Call, *where: str | int) -> Reply:
        if call.world.host.enterprise:
            raise not_found()
        found = children.find(call, where, name, _PERMISSION)
        check_push(call.token, found, _PERMISSION, _HINT + hint)
        value = found.children[name] if name in found.children else answer(call, found)
        return children.whole(call, value, _PERMISSION)

    return handler


ROUTES = {
    "/repos/{owner}/{name}/traffic/views": visits("views", "page-views"),
    "/repos/{owner}/{name}/traffic/clones": visits("clones", "repository-clones"),
    "/repos/{owner}/{name}/traffic/popular/referrers": popular("referrers", "top-referral-sources"),
    "/repos/{owner}/{name}/traffic/popular/paths": popular("paths", "top-referral-paths"),
}
