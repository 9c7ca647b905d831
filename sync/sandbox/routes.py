"""The paths of the API, and the handler of each."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sync.sandbox import listings, single, star_routes, traffic_routes
from sync.sandbox.call import Call, Handler
from sync.sandbox.messages import Reply, not_found
from sync.sandbox.single import child

# A parameter `{id}` is a number; others are any text without a slash. What is below a
# repository's name is also below its id, /repositories/{id}.
ROUTES: dict[str, Handler] = {
    "/": single.root,
    "/zen": single.zen,
    "/rate_limit": single.rate_limit,
    "/user": single.viewer,
    "/user/{id}": single.user,
    "/users/{login}": single.user,
    "/orgs/{login}": single.organization,
    "/user/repos": listings.of_viewer,
    "/user/{id}/repos": listings.of_user,
    "/users/{login}/repos": listings.of_user,
    "/orgs/{login}/repos": listings.of_organization,
    "/organizations/{id}/repos": listings.of_organization,
    "/repos/{owner}/{name}": single.repository,
    "/repos/{owner}/{name}/languages": child("languages", {}),
    "/repos/{owner}/{name}/releases": child("releases", permission="contents", hidden_by="draft"),
    "/repos/{owner}/{name}/forks": listings.of_forks,
    "/repos/{owner}/{name}/stargazers/count": star_routes.count,
    "/repos/{owner}/{name}/stargazers/history": star_routes.history,
    **traffic_routes.ROUTES,
}


class Routes:
    """Finds the handler of a request by its method and path."""

    def __init__(self) -> None:
        self._handlers: dict[str, list[tuple[re.Pattern[str], Handler]]] = {}
        self.add(ROUTES)

    def add(self, handlers: Mapping[str, Handler], method: str = "GET") -> None:
        """Adds handlers by the patterns of their paths."""
        known = self._handlers.setdefault(method, [])
        for path, handler in handlers.items():
            by_id = path.replace("/repos/{owner}/{name}", "/repositories/{id}")
            known += [(_compiled(pattern), handler) for pattern in {path, by_id}]

    def answer(self, call: Call) -> Reply:
        """Calls the handler with the parameters of the path; without one it is not found."""
        method = call.request.method
        for pattern, handler in self._handlers.get("GET" if method == "HEAD" else method, ()):
            if match := pattern.fullmatch(call.request.path):
                found = match.groupdict().items()
                return handler(call, *(int(x) if name == "id" else x for name, x in found))
        raise not_found()


def _compiled(pattern: str) -> re.Pattern[str]:
    number = pattern.replace("{id}", "(?P<id>[0-9]{1,18})")
    return re.compile(re.sub(r"\{([a-z]+)\}", r"(?P<\1>[^/]+)", number))
