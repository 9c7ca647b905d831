"""Shelf, the imaginary service of docs/rest-client.md, as a real server on this machine."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter

from tests.support.fault_server import FaultServer, Peer, Received, answer

READERS = {"ada-0123456789abcdef": "ada", "bob-0123456789abcdef": "bob"}
PER_PAGE = 2


class Shelf:
    """Keeps a list of books for each reader; one address fails twice, another is slow once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: Counter[str] = Counter()
        self._calls = 0
        titles = ("Middlemarch", "Ulysses", "Emma", "Walden", "Dracula")
        self._books = {
            name: [{"id": n, "title": title} for n, title in enumerate(titles[:count], 1)]
            for name, count in (("ada", 5), ("bob", 1))
        }

    def __call__(self, peer: Peer) -> bool:
        assert peer.received is not None
        with self._lock:
            self._calls += 1
            status, body = self._answer(peer.received)
            left = str(1000 - self._calls)
        peer.send(answer(status, body, {"X-Calls-Left": left}))
        return True

    def _answer(self, request: Received) -> tuple[int, object]:
        reader = READERS.get(request.headers.get("x-shelf-key", ""))
        if reader is None:
            return 401, {"message": "no such key"}
        path, _, query = request.target.partition("?")
        key = f"{request.method} {path}"
        self._times[key] += 1
        if key == "GET /me":
            return 200, {"name": reader}
        if key == "GET /books/today" and self._times[key] <= 2:
            return 503, {"message": "having breakfast"}
        if key == "GET /books/popular" and self._times[key] == 1:
            return 420, {"message": "one at a time", "seconds": 0}
        return self._of_books(key, query, request.body, self._books[reader])

    def _of_books(
        self, key: str, query: str, body: bytes, books: list[dict[str, object]]
    ) -> tuple[int, object]:
        if key == "POST /books":
            title = json.loads(body).get("title")
            if not title:
                return 422, {"message": "a book needs a title"}
            books.append({"id": len(books) + 1, "title": title})
            return 201, books[-1]
        if key == "GET /books":
            after = int((re.search(r"after=(\d+)", query) or ["", "0"])[1])
            page = books[after : after + PER_PAGE]
            more = after + PER_PAGE < len(books)
            return 200, {
                "books": page,
                "next": f"/books?after={after + PER_PAGE}" if more else None,
            }
        if key in ("GET /books/today", "GET /books/popular"):
            return 200, books[0]
        return 404, {"message": "no such book"}


def shelf() -> FaultServer:
    """Return a server to be used as a context manager."""
    return FaultServer(Shelf())
