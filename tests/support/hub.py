"""GitHub in raw bytes: a user's repositories, and faults in place of any answer.

    with Hub(some_repositories(7)) as hub:
        hub.fault("page 2", [Peer.reset, answer(503)])
        ...ask hub.url; the third time, page 2 is there...

A place is "user", "page 2", or a path such as "/repositories/5". A page of the listing
holds three items, so that a short list has several; there is no link to the last one,
so that one page is asked for after the other and each request has its place in the log.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from sync.sandbox import account_json
from sync.sandbox.repository_json import new_repository, repository
from tests.support.fault_server import Answer, FaultServer, Peer, Received, answer, say, tunnel

Json = dict[str, Any]
Item = Json | bytes  # an object, or what stands in its place

# In the bytes of a fault: the hub's own address, and that of a listener on another port.
HERE, ELSEWHERE = "http://here.example", "http://elsewhere.example"
# The listing as it is asked for; its links keep that.
LISTING = (
    f"{HERE}/user/repos?visibility=public&affiliation=owner,collaborator,organization_member"
    "&sort=created&direction=asc&per_page=100"
)
SIZE = 3  # items of a page
_API = "https://api.github.example"
_CREATED = "2024-05-06T07:08:09Z"
_QUOTA = {
    "X-RateLimit-Limit": "5000",
    "X-RateLimit-Remaining": "4990",
    "X-RateLimit-Reset": "4102444800",
    "X-OAuth-Scopes": "",
}
USER = account_json.simple_user("octo", 1, "User", _API)
NOT_FOUND = {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}


def some_repositories(count: int) -> list[Json]:
    """Return repositories of octo's, as large as GitHub's own: ids from 1."""
    return [a_repository(number) for number in range(1, count + 1)]


def a_repository(number: int, **fields: Any) -> Json:
    """Return a repository of octo's as a listing gives it; `fields` replace what it has."""
    name = f"repo-{number}"
    made = new_repository(number, "octo", name, _CREATED, {"description": f"about {name}"})
    version = "2026-03-10"
    whole = repository(
        made, f"octo/{name}", USER, api=_API, permission="admin", version=version, full=False
    )
    return {**whole, **fields}


class Hub:
    """Serves `items` on a free port of 127.0.0.1 until the `with` block ends.

    With a `context`, it is a proxy, and GitHub by TLS behind it. `elsewhere`
    listens on another port. Both remember what they were asked.
    """

    def __init__(
        self,
        items: Iterable[Item],
        *,
        size: int = SIZE,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.items: list[Item] = list(items)
        self.size = size
        self._context = context
        self.on_request: Callable[[str], None] | None = None  # called with the place, before
        self._faults: dict[str, Iterator[Answer]] = {}
        self._lock = threading.Lock()
        self._server = FaultServer(self._talk)
        self.elsewhere = FaultServer()
        self.url = self._server.url

    def __enter__(self) -> Self:
        self._server.__enter__()
        self.elsewhere.__enter__()
        return self

    def __exit__(self, *ended: Any) -> None:
        self.elsewhere.__exit__(*ended)
        self._server.__exit__(*ended)

    @property
    def requests(self) -> list[Received]:
        """Return all that it was asked."""
        return self._server.requests

    def fault(self, place: str, answers: Iterable[Answer]) -> None:
        """Give these answers, one after the other, when `place` is asked for; then the truth."""
        self._faults[place] = iter(answers)

    def heal(self) -> None:
        """Tell the truth from now on, and forget what was asked."""
        self._faults.clear()
        self.on_request = None
        self.requests.clear()

    def page(self, number: int) -> bytes:
        """Return a page of the listing as it is sent when all is well."""
        found = self.items[(number - 1) * self.size : number * self.size]
        raws = [item if isinstance(item, bytes) else json.dumps(item).encode() for item in found]
        headers = dict(_QUOTA)
        if number * self.size < len(self.items):
            headers["Link"] = f'<{LISTING}&page={number + 1}>; rel="next"'
        return answer(200, b"[" + b",".join(raws) + b"]", headers)

    def _talk(self, peer: Peer) -> bool:
        assert peer.received is not None
        if peer.received.method == "CONNECT" and self._context is not None:
            return say(tunnel(self._context), peer)
        place = place_of(peer.received)
        if self.on_request is not None:
            self.on_request(place)
        with self._lock:
            reply = next(self._faults.get(place, iter(())), None)
        if reply is None:
            reply = self._truth(peer.received)
        if isinstance(reply, bytes):
            scheme = "http" if self._context is None else "https"
            here = f"{scheme}://{peer.received.headers['host']}"  # as it was called
            for name, address in ((HERE, here), (ELSEWHERE, self.elsewhere.url)):
                reply = reply.replace(name.encode(), address.encode())
        return say(reply, peer)

    def _truth(self, received: Received) -> bytes:
        place = place_of(received)
        if place == "user":
            return answer(200, USER, _QUOTA)
        if place.startswith("page "):
            return _conditional(self.page(int(place.removeprefix("page "))), received)
        for item in self.items:
            if isinstance(item, dict) and place == f"/repositories/{item['id']}":
                return answer(200, item, _QUOTA)
        return answer(404, NOT_FOUND, _QUOTA)


def place_of(received: Received) -> str:
    """Return the name of what a request asks for."""
    parts = urlsplit(received.target)
    if parts.path == "/user/repos":
        return f"page {parse_qs(parts.query).get('page', ['1'])[0]}"
    return "user" if parts.path == "/user" else parts.path


def _conditional(whole: bytes, received: Received) -> bytes:
    """Return `whole` with an ETag, or 304 to whoever has it."""
    head, _, body = whole.partition(b"\r\n\r\n")
    etag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
    line = f"\r\nETag: {etag}\r\n\r\n".encode()
    if received.headers.get("if-none-match") != etag:
        return head + line + body
    kept = [part for part in head.split(b"\r\n")[1:] if not part.startswith(b"Content-")]
    status = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n"
    return status + b"\r\n".join(kept) + line
